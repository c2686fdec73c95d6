import { countText, percentText } from '../domain/figures.js';
import type { TrafficShare } from '../domain/traffic-share.js';

/** Set and actual share of the canary: the fill is what is set, the notch is what came. */
export function WeightBar({ share, compact = false }: { readonly share: TrafficShare; readonly compact?: boolean }) {
  const { stable, canary, set, actual, n, shadow } = share;
  if (canary === null)
    return (
      <div class="weights">
        <Bar set={0} actual={null} shadow={null} />
        <p class="weights-text">{stable} gets everything</p>
      </div>
    );
  return (
    <div class="weights">
      <Bar set={set} actual={actual} shadow={shadow} />
      <p class="weights-text">
        {shadow === null ? shareText({ set, actual, n, compact }) : shadowText(canary, shadow, n)}
      </p>
    </div>
  );
}

function shareText({ set, actual, n, compact }: { set: number; actual: number | null; n: number; compact: boolean }) {
  const came = actual === null ? '' : `, actual ${percentText(actual, 1)}`;
  return `set ${percentText(set)}${came}${actual === null || compact ? '' : ` of ${countText(n)} predictions`}`;
}

function shadowText(canary: string, fraction: number, n: number): string {
  return `${canary} gets copies of ${percentText(fraction)}${n > 0 ? `, ${countText(n)} answered` : ''}`;
}

/** Stable on the left; the canary's part is hatched, a notch marks where the traffic really divides. */
function Bar({ set, actual, shadow }: { set: number; actual: number | null; shadow: number | null }) {
  const canary = shadow ?? set;
  return (
    <div class="bar" aria-hidden="true">
      <div class={shadow === null ? 'bar-canary' : 'bar-canary bar-shadow'} style={{ width: `${canary * 100}%` }} />
      {actual !== null && <div class="bar-actual" style={{ right: `${Math.min(99, actual * 100)}%` }} />}
    </div>
  );
}
