import type { Resolution } from './window.js';

/**
 * How windows lie in the store. Each partition's slot writes windows of its own; a reader adds them up over the sources.
 * They come some seconds after the slot's position: what is not in them yet lies beside them, and both change in the same
 * atomic step as the position, so that a replay doubles nothing. A chunk is one hash that expires as a whole; its field is
 * one model's window.
 *
 *   mc:{outcome-7}:windows:10s:<chunk>   hash   <window start, s>|<model> -> packed figures by version
 *   mc:window-sources                    set    names of the slots that have written windows
 */
export interface ResolutionLayout {
  readonly windowMs: number;
  /** How long a window can be read after its start. */
  readonly keptMs: number;
  /** Span of one chunk. */
  readonly chunkMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const RESOLUTION_LAYOUT: Readonly<Record<Resolution, ResolutionLayout>> = {
  '10s': { windowMs: 10_000, keptMs: HOUR_MS, chunkMs: HOUR_MS },
  '1m': { windowMs: MINUTE_MS, keptMs: 24 * HOUR_MS, chunkMs: 24 * HOUR_MS },
};

/** One window of one model in one slot. */
export interface WindowId {
  readonly resolution: Resolution;
  readonly startMs: number;
  readonly model: string;
}

export const windowStartMs = (resolution: Resolution, timeMs: number): number => {
  const { windowMs } = RESOLUTION_LAYOUT[resolution];
  return Math.floor(timeMs / windowMs) * windowMs;
};

export const windowChunk = (resolution: Resolution, timeMs: number): number =>
  Math.floor(timeMs / RESOLUTION_LAYOUT[resolution].chunkMs);

export const windowField = (id: WindowId): string => `${id.startMs / 1000}|${id.model}`;

/** How long the chunk of a window is to be kept from `nowMs` on: until its last window has been kept long enough. */
export function windowChunkTtlMs(id: WindowId, nowMs: number): number {
  const { chunkMs, keptMs } = RESOLUTION_LAYOUT[id.resolution];
  const endMs = (windowChunk(id.resolution, id.startMs) + 1) * chunkMs;
  return Math.max(MINUTE_MS, endMs + keptMs - nowMs);
}

/** The store's keys for windows; `prefix` is configurable and the same in evaluator and controller. */
export const windowKeys = (prefix: string) => ({
  sources: `${prefix}:window-sources`,
  chunk: (source: string, resolution: Resolution, chunk: number): string =>
    `${prefix}:{${source}}:windows:${resolution}:${chunk}`,
});

/** Prefix of every Redis key unless configured otherwise. */
export const REDIS_PREFIX = 'mc';

/** Starts of the windows that overlap [fromMs, toMs), by chunk. At most what is kept, newest counted from toMs. */
export function windowStartsByChunk(resolution: Resolution, fromMs: number, toMs: number): Map<number, number[]> {
  const { windowMs, keptMs } = RESOLUTION_LAYOUT[resolution];
  const starts = new Map<number, number[]>();
  const first = windowStartMs(resolution, Math.max(0, fromMs, toMs - keptMs - windowMs));
  for (let startMs = first; startMs < toMs; startMs += windowMs) {
    const chunk = windowChunk(resolution, startMs);
    const list = starts.get(chunk);
    if (list) list.push(startMs);
    else starts.set(chunk, [startMs]);
  }
  return starts;
}
