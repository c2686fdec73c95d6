const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS_MS;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds of `250ms`, `30s`, `5m`, `1h30m`, `2d`; undefined if it is written in another way. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) totalMs += Number(amount) * UNITS_MS[unit as Unit];
  return Math.round(totalMs);
}

/** The shortest way to write whole milliseconds so that parseDuration gives them back: `1h30m`, `250ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.round(durationMs);
  if (restMs === 0) return '0s';
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const amount = Math.floor(restMs / UNITS_MS[unit]);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * UNITS_MS[unit];
  }
  return text;
}

/** As formatDuration, rounded to what a person wants to know of a forecast: `45s`, `25m`, `4h40m`. */
export function roughDuration(durationMs: number): string {
  const roundingMs = durationMs < 120_000 ? 1000 : durationMs < 7_200_000 ? 60_000 : 600_000;
  return formatDuration(Math.max(1000, Math.round(durationMs / roundingMs) * roundingMs));
}
