import type { PackReader, PackWriter, Phase } from '@app/shared';
import { sketchBin, sketchUpperEdgeMs } from '../sketch.js';
import type { BucketSummary } from '../summary.js';
import type { LatencySource, QuantileCheck } from './checks-plan.js';
import type { ControlHistory } from './control-history.js';

/** A quantile's thresholds as frozen for a generation: bins whose upper edges they are. */
export interface FrozenQuantile {
  /** Control is bad above it: T, control's own quantile. */
  readonly stableBin: number;
  /** The canary is bad above it: max(T maxRatio, T + minIncreaseMs). */
  readonly canaryBin: number;
  /** Age at which the check looks: the later of the two thresholds. */
  readonly ageMs: number;
}

/**
 * Thresholds are frozen anew after so much routing time. Each factor of the evidence only needs a threshold that was
 * known before its bucket, so this costs nothing in validity; without it a control that gets faster than it was when
 * the step began is never slow, and a good canary never passes.
 */
const FREEZE_AGAIN_MS = 60_000;

interface FrozenSource {
  /** For buckets routed from here on; earlier ones were used for the thresholds, or were there before them. */
  readonly countsFromMs: number;
  /** Control's p99: the age of the early look. */
  readonly p99Ms: number;
  /** By index of the check in the plan; null for checks of the other source. */
  readonly quantiles: readonly (FrozenQuantile | null)[];
}

/**
 * One generation of a rollout: its warm-up, and the thresholds, each frozen before the first bucket it is used for.
 */
export class Generation {
  private firstRoutedFromMs = -1;
  private newestRoutedFromMs = -1;
  private warm: boolean;
  private warmCanary = 0;
  /** Buckets routed before it belong to the warm-up. */
  private warmUntilMs = 0;
  /** The newest thresholds, and those before them for buckets that were routed under them; newest first. */
  private readonly frozen: Record<LatencySource, FrozenSource[]> = { latency: [], firstByte: [] };

  constructor(
    readonly number: number,
    readonly step: number,
    readonly bake: boolean,
    /** Whether the canary's weight rose with it. */
    rises: boolean,
  ) {
    this.warm = rises;
  }

  static of(phase: Phase, before: Phase | undefined, canary: string): Generation {
    const rises = (phase.weights[canary] ?? 0) > (before?.weights[canary] ?? 0);
    return new Generation(phase.generation, phase.step, phase.bake, rises);
  }

  /**
   * Whether a bucket is past the warm-up, which lasts until the canary has had its predictions and its time has gone by
   * since the generation's first bucket, in routing time.
   */
  counts(bucket: BucketSummary, canaryRouted: number, warmup: { predictions: number; durationMs: number }): boolean {
    const at = bucket.routedFrom;
    if (this.firstRoutedFromMs < 0) this.firstRoutedFromMs = at;
    if (this.warm) {
      const over = this.warmCanary >= warmup.predictions && at >= this.firstRoutedFromMs + warmup.durationMs;
      if (over) this.warm = false;
      else {
        this.warmUntilMs = Math.max(this.warmUntilMs, at + 1);
        if (bucket.previousAgeMs === 0) this.warmCanary += canaryRouted;
      }
    }
    return !this.warm && at >= this.warmUntilMs;
  }

  warmingUp(): boolean {
    return this.warm;
  }

  /** Whether a time range of routing lies wholly behind the warm-up. */
  countsFrom(routedFromMs: number): boolean {
    return !this.warm && routedFromMs >= this.warmUntilMs;
  }

  /**
   * Freezes what can be frozen before this bucket, of a generation whose warm-up is over, is folded. Without 2,000
   * events of control it waits for them, and the buckets routed until then stay out of the latency checks. Some time
   * later it freezes again, for the buckets routed from then on.
   */
  freeze(bucket: BucketSummary, history: ControlHistory, quantiles: readonly QuantileCheck[]): void {
    for (const source of ['latency', 'firstByte'] as const) {
      const newest = this.frozen[source][0];
      if (newest && bucket.routedFrom < newest.countsFromMs + FREEZE_AGAIN_MS) continue;
      if (!history.latencies(source).ready()) continue;
      const frozen = {
        countsFromMs: this.newestRoutedFromMs < 0 ? bucket.routedFrom : this.newestRoutedFromMs + 1,
        p99Ms: history.latencies(source).edgeMs('p99'),
        quantiles: quantiles.map((q) => (q.source === source ? frozenQuantile(q, history) : null)),
      };
      this.frozen[source].splice(0, 2, ...(newest ? [frozen, newest] : [frozen]));
    }
    this.newestRoutedFromMs = Math.max(this.newestRoutedFromMs, bucket.routedFrom);
  }

  /** Thresholds of a check for a bucket; null: they were not frozen before it was routed. */
  quantile(index: number, source: LatencySource, routedFromMs: number): FrozenQuantile | null {
    return this.frozenFor(source, routedFromMs)?.quantiles[index] ?? null;
  }

  /** Age of the early look at a bucket; null: not known when it was routed. */
  earlyAgeMs(routedFromMs: number): number | null {
    return this.frozenFor('latency', routedFromMs)?.p99Ms ?? null;
  }

  /** The newest thresholds of a check, whatever the bucket. */
  thresholds(index: number, source: LatencySource): FrozenQuantile | null {
    return this.frozen[source][0]?.quantiles[index] ?? null;
  }

  private frozenFor(source: LatencySource, routedFromMs: number): FrozenSource | null {
    return this.frozen[source].find(({ countsFromMs }) => routedFromMs >= countsFromMs) ?? null;
  }

  write(out: PackWriter): void {
    out.uint(this.number).uint(this.step);
    out.uint((this.bake ? 1 : 0) + (this.warm ? 2 : 0));
    out.uintOrNone(this.firstRoutedFromMs).uintOrNone(this.newestRoutedFromMs);
    out.uint(this.warmCanary).uint(this.warmUntilMs);
    for (const source of ['latency', 'firstByte'] as const) {
      out.uint(this.frozen[source].length);
      for (const frozen of this.frozen[source]) {
        out.uint(frozen.countsFromMs).float(frozen.p99Ms).uint(frozen.quantiles.length);
        for (const q of frozen.quantiles) {
          out.uint(q ? 1 : 0);
          if (q) out.uint(q.stableBin).uint(q.canaryBin);
        }
      }
    }
  }

  static read(from: PackReader): Generation {
    const number = from.uint();
    const step = from.uint();
    const flags = from.uint();
    const generation = new Generation(number, step, (flags & 1) === 1, (flags & 2) === 2);
    generation.firstRoutedFromMs = from.uintOrNone();
    generation.newestRoutedFromMs = from.uintOrNone();
    generation.warmCanary = from.uint();
    generation.warmUntilMs = from.uint();
    for (const source of ['latency', 'firstByte'] as const) {
      for (let left = from.uint(); left > 0; left--) {
        const countsFromMs = from.uint();
        const p99Ms = from.float();
        const quantiles = Array.from({ length: from.uint() }, () =>
          from.uint() === 1 ? frozenAt(from.uint(), from.uint()) : null,
        );
        generation.frozen[source].push({ countsFromMs, p99Ms, quantiles });
      }
    }
    return generation;
  }
}

function frozenQuantile(check: QuantileCheck, history: ControlHistory): FrozenQuantile {
  const stableBin = history.latencies(check.source).bin(check.quantile);
  const stableMs = sketchUpperEdgeMs(stableBin);
  const limitMs = Math.max(stableMs * check.maxRatio, stableMs + check.minIncreaseMs);
  return frozenAt(stableBin, Math.max(stableBin, sketchBin(limitMs)));
}

function frozenAt(stableBin: number, canaryBin: number): FrozenQuantile {
  return { stableBin, canaryBin, ageMs: sketchUpperEdgeMs(canaryBin) };
}
