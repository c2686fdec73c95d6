import type { ModelWindow } from './records.js';

export type VersionFigures = ModelWindow['versions'][string];

/** Windows put to those that are known, the newer ones in place of the same ones; those before `fromMs` go. */
export function mergeWindows(
  known: readonly ModelWindow[],
  more: readonly ModelWindow[],
  fromMs: number,
): readonly ModelWindow[] {
  const byStart = new Map<number, ModelWindow>();
  for (const window of known) byStart.set(window.startMs, window);
  for (const window of more) byStart.set(window.startMs, window);
  return [...byStart.values()].filter(({ startMs }) => startMs >= fromMs).sort((a, b) => a.startMs - b.startMs);
}

/** Which windows show a span best, and how far back they go: 10 s are kept for an hour, 1 min for a day. */
export function windowsFor(
  fromMs: number,
  toMs: number,
  nowMs: number,
): { readonly resolution: '10s' | '1m'; readonly fromMs: number } | null {
  const HOUR_MS = 3_600_000;
  if (nowMs - fromMs <= HOUR_MS) return { resolution: '10s', fromMs };
  const from = Math.max(fromMs, nowMs - 24 * HOUR_MS + 60_000);
  return from >= toMs ? null : { resolution: '1m', fromMs: from };
}

/** Figures of two versions, window by window; null where there was no traffic, so that a line is not drawn through it. */
export interface WindowColumns {
  /** Middle of each window, ms. */
  readonly at: readonly number[];
  readonly stable: readonly (VersionFigures | null)[];
  readonly canary: readonly (VersionFigures | null)[];
  readonly durationMs: number;
}

/** Windows that are over by `untilMs`: one that is still filling would look like a drop. */
export function windowColumns(
  windows: readonly ModelWindow[],
  versions: { readonly stable: string; readonly canary: string | null },
  untilMs: number,
): WindowColumns {
  const whole = windows.filter(({ startMs, durationMs }) => startMs + durationMs <= untilMs);
  const durationMs = whole[0]?.durationMs ?? 10_000;
  const at: number[] = [];
  const stable: (VersionFigures | null)[] = [];
  const canary: (VersionFigures | null)[] = [];
  const put = (startMs: number, window: ModelWindow | null): void => {
    at.push(startMs + durationMs / 2);
    stable.push(window?.versions[versions.stable] ?? null);
    canary.push(versions.canary === null ? null : (window?.versions[versions.canary] ?? null));
  };
  let expected = whole[0]?.startMs ?? 0;
  for (const window of whole) {
    if (window.startMs > expected) put(expected, null);
    put(window.startMs, window);
    expected = window.startMs + durationMs;
  }
  return { at, stable, canary, durationMs };
}
