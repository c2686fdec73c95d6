import type { Phase, RolloutSpec, RolloutState } from '@app/shared';
import {
  type ArmCounts,
  type BucketSummary,
  CELL_CLASS,
  cellKey,
  type LabelShare,
  NO_CELLS,
  type PlacedSummary,
  type Summary,
} from '../domain/summary.js';

/** Numbers in [0, 1) from a seed: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function aSpec(model: string, labelsWithinMs = 60_000): RolloutSpec {
  const version = (name: string) => ({
    version: name,
    url: `http://127.0.0.1/${name}`,
    deadlineMs: 10_000,
    maxConcurrency: 64,
  });
  return {
    model,
    stable: version('v1'),
    canary: version('v2'),
    prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
    warmup: { predictions: 0, durationMs: 0 },
    steps: [
      { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 100, durationMs: 0 } },
      { kind: 'traffic', weights: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 100, durationMs: 0 } },
      { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 0, durationMs: 60_000 } },
    ],
    checks: {
      errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
      accuracy: { maxDrop: 0.02, labelsWithinMs, strict: false },
    },
    onInconclusive: 'pause',
    alpha: 0.01,
    beta: 0.05,
  };
}

const PHASE_WEIGHTS = [
  { v1: 0.9, v2: 0.1 },
  { v1: 0.5, v2: 0.5 },
  { v1: 0, v2: 1 },
] as const;

/**
 * A model's state with an open rollout that is in its `step`. Registered with sequence 1 and generation 1; every phase is
 * a decision and a generation more.
 */
export function aState(
  model: string,
  step: number,
  change: { ended?: boolean; labelsWithinMs?: number } = {},
): RolloutState {
  const phases: Phase[] = PHASE_WEIGHTS.slice(0, step + 1).map((weights, i) => ({
    sequence: 3 + i,
    generation: 2 + i,
    step: i,
    weights,
    bake: i === 2,
    startedAt: 1_000 * i,
  }));
  const last = phases.at(-1)!;
  const sequence = last.sequence + (change.ended ? 1 : 0);
  return {
    schemaVersion: 1,
    model,
    sequence,
    generation: last.generation + (change.ended ? 1 : 0),
    updatedAt: 0,
    salt: `${model}-1`,
    stable: 'v1',
    canary: 'v2',
    weights: change.ended ? { v1: 1 } : last.weights,
    versions: {
      v1: { index: 0, url: 'http://127.0.0.1/v1', deadlineMs: 10_000, maxConcurrency: 64 },
      v2: { index: 1, url: 'http://127.0.0.1/v2', deadlineMs: 10_000, maxConcurrency: 64 },
    },
    prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
    rollout: {
      rollout: `${model}-1`,
      spec: aSpec(model, change.labelsWithinMs),
      status: change.ended ? 'rolled-back' : 'progressing',
      stable: 'v1',
      canary: 'v2',
      step,
      phases,
      startedAt: 0,
      stepStartedAt: 0,
      ...(change.ended ? { endedBySequence: sequence } : {}),
    },
    rolloutCount: 1,
    versionIndexMax: 1,
    versionIndexes: { v1: 0, v2: 1 },
    decisions: [],
    commands: [],
  };
}

export function anArm(counts: { routed: number; errors?: number; bin?: number }): ArmCounts {
  const { routed, errors = 0, bin = 200 } = counts;
  const cells = [
    { key: cellKey(0, CELL_CLASS.ok, bin), count: routed - errors },
    { key: cellKey(0, CELL_CLASS.error, bin), count: errors },
  ].filter(({ count }) => count > 0);
  return {
    routed,
    intended: routed,
    pending: 0,
    cells: { keys: cells.map(({ key }) => key), counts: cells.map(({ count }) => count) },
    firstByte: NO_CELLS,
  };
}

/** A final bucket of ten predictions, one of them the canary's. */
export function aBucket(model: string, generation: number, bucket: number): BucketSummary {
  return {
    kind: 'bucket',
    model,
    generation,
    router: 'router-0',
    bucket,
    routedFrom: bucket * 100,
    routedTo: bucket * 100 + 100,
    ageMs: 0,
    previousAgeMs: 0,
    final: true,
    versions: { v1: anArm({ routed: 9 }), v2: anArm({ routed: 1, errors: bucket % 7 === 0 ? 1 : 0 }) },
  };
}

/** Ten labelled predictions of one stratum of a second, one of them the canary's. */
export function aShare(model: string, generation: number, stratum: number): LabelShare {
  const arm = (n: number, wrong: number) => {
    const inGroup0 = (count: number): number[] => Array.from({ length: 64 }, (_, group) => (group === 0 ? count : 0));
    return { n, wrong, groupN: inGroup0(n), groupWrong: inGroup0(wrong) };
  };
  const canary = arm(1, stratum % 5 === 0 ? 1 : 0);
  return { kind: 'label-share', model, generation, stratum, strataMs: 1_000, stable: arm(9, 1), canary };
}

export const placed = (offset: number, summary: Summary, index = 0): PlacedSummary => ({
  offset,
  index,
  summary,
});
