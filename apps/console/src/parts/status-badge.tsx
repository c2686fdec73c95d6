import type { StatusView } from '../domain/status.js';
import { Icon, toneIcon } from './icon.js';

export function StatusBadge({ status }: { readonly status: StatusView }) {
  return (
    <span class={`badge tone-${status.tone}`}>
      <Icon name={toneIcon(status.tone)} />
      {status.word}
    </span>
  );
}
