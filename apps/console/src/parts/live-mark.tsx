import { useNow } from '../app/app-context.js';
import { type Banner, connectionBanner, linkWord } from '../domain/freshness.js';
import type { LiveSource } from '../live/live-source.js';
import { useStore } from '../live/store.js';
import { Icon } from './icon.js';

/** How fresh the page is, in a corner. */
export function LiveMark({ live }: { readonly live: LiveSource }) {
  const link = useStore(live.link);
  return (
    <span class={`live live-${link.kind}`} role="status">
      <svg viewBox="0 0 10 10" aria-hidden="true" focusable="false">
        {link.kind === 'live' ? <circle cx="5" cy="5" r="4" /> : <rect x="1.5" y="1.5" width="7" height="7" />}
      </svg>
      {linkWord(link)}
    </span>
  );
}

/** Says when what is shown is old. */
export function FreshnessBanner({
  live,
  more,
}: {
  readonly live: LiveSource;
  readonly more?: (nowMs: number) => Banner | null;
}) {
  const link = useStore(live.link);
  const nowMs = useNow();
  const banner = connectionBanner(link, Date.now()) ?? more?.(nowMs) ?? null;
  return (
    <div aria-live="polite">
      {banner && (
        <p class={`banner tone-${banner.tone}`}>
          <Icon name={banner.tone} />
          {banner.text}
        </p>
      )}
    </div>
  );
}
