import { sentence } from '../domain/sentence.js';
import { timeText } from '../domain/figures.js';
import type { TimelineItem } from '../domain/timeline.js';
import { CheckTable } from './check-table.js';
import { Icon, toneIcon } from './icon.js';

interface TimelineProps {
  /** Newest first. */
  readonly items: readonly TimelineItem[];
  readonly nowMs: number;
  readonly versions: { readonly stable: string; readonly canary: string };
  readonly names: readonly string[];
}

/** What was decided, by whom or what, why, and with which numbers. */
export function Timeline({ items, nowMs, versions, names }: TimelineProps) {
  return (
    <ol class="timeline">
      {items.map((item) => (
        <li key={item.key} class="moment">
          <span class={`moment-mark tone-${item.tone}`}>
            <Icon name={toneIcon(item.tone)} />
          </span>
          <div class="moment-text">
            <p class="moment-head">
              <strong>{item.word}</strong> by {item.by}
              <time dateTime={new Date(item.at).toISOString()}>{timeText(item.at, nowMs)}</time>
            </p>
            {item.move && <p class="moment-move">{item.move}</p>}
            <p class="moment-reason">{sentence(item.text, names)}</p>
            {item.checks.length > 0 && (
              <details>
                <summary>The numbers then</summary>
                <CheckTable
                  rows={item.checks}
                  versions={versions}
                  caption={`${item.word}: every check at that moment`}
                />
              </details>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
