import type { Weights } from './records.js';

/** How the traffic is meant to fall, and how it really did. */
export interface TrafficShare {
  readonly stable: string;
  readonly canary: string | null;
  /** The canary's, as set. */
  readonly set: number;
  /** As it came out in the present step; null: nothing has been counted yet. */
  readonly actual: number | null;
  /** Predictions that rests on. */
  readonly n: number;
  /** Copies instead of traffic, and of which fraction of the predictions. */
  readonly shadow: number | null;
}

export interface ShareSource {
  readonly stable: string;
  readonly canary?: string | null;
  readonly weights: Weights;
  readonly shadow?: { readonly fraction: number } | null;
}

/** `counted`: what the newest verdict says of the present step; null where none is open. */
export function trafficShare(
  { stable, canary, weights, shadow }: ShareSource,
  counted: { readonly stable: number; readonly canary: number } | null,
): TrafficShare {
  const n = counted ? counted.stable + counted.canary : 0;
  const set = canary ? (weights[canary] ?? 0) : 0;
  // In shadow both versions answer the same predictions, so their counts say nothing of the traffic.
  const actual = counted && n > 0 && !shadow ? counted.canary / n : null;
  return {
    stable,
    canary: canary ?? null,
    set,
    actual,
    n: shadow ? (counted?.canary ?? 0) : n,
    shadow: shadow?.fraction ?? null,
  };
}
