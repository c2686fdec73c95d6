import {
  type AccuracyCheck,
  type Checks,
  type ErrorRateCheck,
  type LatencyCheck,
  QUANTILE_VALUE,
  type Quantile,
  QUANTILES,
} from '@app/shared';
import { sketchBin, sketchUpperEdgeMs } from '../sketch.js';
import { CELL_CLASS, type CellClass } from '../summary.js';
import { errorCeiling, shareCeiling, type ShareTest } from './ceiling.js';
import { type Badness, NO_BIN } from './cell-digest.js';

/** Which latency a check looks at. */
export type LatencySource = 'latency' | 'firstByte';

/** A quantile of the canary's latency that is compared with control's. */
export interface QuantileCheck {
  /** latency.p99, firstByte.p50 ... */
  readonly check: string;
  readonly source: LatencySource;
  readonly quantile: Quantile;
  readonly maxRatio: number;
  readonly minIncreaseMs: number;
  readonly strict: boolean;
}

/** A share of the canary's predictions that must not be exceeded, whatever control does. */
export interface CeilingCheck {
  /** errorCeiling, latencyCeiling.p99, firstByteCeiling.p50 ... */
  readonly check: string;
  readonly source: LatencySource;
  readonly bad: Badness;
  readonly test: ShareTest;
  /** What still pending predictions count as once they are older than this: bad. */
  readonly pendingBadAfterMs: number;
  /** A bucket in which control's bad share is above this is left out: the fault is not the canary's. */
  readonly controlShareMax: number;
  /** In the unit of the figure shown: a share of errors, or ms. */
  readonly limit: number;
  readonly quantile: Quantile | null;
}

/** The groups of checks that share alpha equally. */
export const CHECK_GROUPS = ['errors', 'ceilings', 'latency', 'accuracy'] as const;
export type CheckGroup = (typeof CHECK_GROUPS)[number];

/** Everything that is compared in a rollout, as its spec says. */
export interface ChecksPlan {
  readonly errors: ErrorRateCheck | null;
  readonly accuracy: AccuracyCheck | null;
  readonly quantiles: readonly QuantileCheck[];
  readonly ceilings: readonly CeilingCheck[];
  /** Weight of each group in the evidence for FAIL: equal shares, those of absent groups go to the others. */
  readonly omega: number;
  readonly groups: readonly CheckGroup[];
}

const mask = (...classes: readonly CellClass[]): number => classes.reduce((m: number, c) => m | (1 << c), 0);

/** An error of either kind. */
export const ERROR: Badness = { classes: mask(CELL_CLASS.error, CELL_CLASS.clientError), aboveBin: NO_BIN };
/** Slower than the upper edge of a bin; a client that went away saw nothing in time. */
export const slowerThan = (bin: number): Badness => ({ classes: mask(CELL_CLASS.cancelled), aboveBin: bin });

/** Reads the checks off a rollout's spec. `shadow`: it has a shadow step, whose evidence is part of accuracy's. */
export function planChecks(checks: Checks, { shadow }: { readonly shadow: boolean } = { shadow: false }): ChecksPlan {
  const quantiles = [...quantileChecks('latency', checks.latency), ...quantileChecks('firstByte', checks.firstByte)];
  const ceilings = [
    ...(checks.errorRate && checks.errorRate.max < 1 ? [errorCeilingCheck(checks.errorRate)] : []),
    ...latencyCeilings('latency', checks.latency),
    ...latencyCeilings('firstByte', checks.firstByte),
  ];
  const present: Record<CheckGroup, boolean> = {
    errors: checks.errorRate !== undefined,
    ceilings: ceilings.length > 0,
    latency: quantiles.length > 0,
    // A number of one's own says how good the answers are, as accuracy does.
    accuracy: checks.accuracy !== undefined || checks.custom !== undefined || shadow,
  };
  const groups = CHECK_GROUPS.filter((group) => present[group]);
  return {
    errors: checks.errorRate ?? null,
    accuracy: checks.accuracy ?? null,
    quantiles,
    ceilings,
    omega: groups.length === 0 ? 0 : 1 / groups.length,
    groups,
  };
}

function quantileChecks(source: LatencySource, check: LatencyCheck | undefined): QuantileCheck[] {
  return QUANTILES.flatMap((quantile) => {
    const limit = check?.[quantile];
    if (!check || limit?.maxRatio === undefined) return [];
    const { maxRatio, minIncreaseMs } = limit;
    return [{ check: `${source}.${quantile}`, source, quantile, maxRatio, minIncreaseMs, strict: check.strict }];
  });
}

function errorCeilingCheck({ max }: ErrorRateCheck): CeilingCheck {
  return {
    check: 'errorCeiling',
    source: 'latency',
    bad: { classes: mask(CELL_CLASS.error), aboveBin: NO_BIN },
    test: errorCeiling(max),
    pendingBadAfterMs: Infinity,
    controlShareMax: max,
    limit: max,
    quantile: null,
  };
}

function latencyCeilings(source: LatencySource, check: LatencyCheck | undefined): CeilingCheck[] {
  return QUANTILES.flatMap((quantile) => {
    const maxMs = check?.[quantile]?.maxMs;
    if (maxMs === undefined) return [];
    const share = 1 - QUANTILE_VALUE[quantile];
    return [
      {
        check: `${source}Ceiling.${quantile}`,
        source,
        bad: slowerThan(sketchBin(maxMs)),
        test: shareCeiling(share),
        pendingBadAfterMs: source === 'latency' ? sketchUpperEdgeMs(sketchBin(maxMs)) : Infinity,
        controlShareMax: Math.max(SHARED_OUTAGE_SHARE, share),
        limit: maxMs,
        quantile,
      },
    ];
  });
}

/** With more than half of control slow as well, slowness is an outage of something both arms share. */
const SHARED_OUTAGE_SHARE = 0.5;
