/**
 * How long the verdict engine takes: a bucket of 50 canary and 450 stable predictions with every check on, and 1,000
 * models with a rollout each, judged every 250 ms.
 *
 *   npm run bench:verdicts
 */
import type { RolloutSpec } from '@app/shared';
import { sketchBin } from '../../apps/evaluator/src/domain/sketch.js';
import { CellCounter } from '../../apps/evaluator/src/domain/slot/cell-counter.js';
import { type ArmCounts, type BucketSummary, CELL_CLASS, cellKey } from '../../apps/evaluator/src/domain/summary.js';
import { createModelEngine, type VerdictEngine } from '../../apps/evaluator/src/domain/verdict/model-engine.js';
import { seededRandom } from '../fixtures/seeded-random.js';

const BEGIN_MS = 1_800_000_000_000;
const CUT_MS = 250;
const MODELS = 1_000;
const GOAL_FOLD_US = 50;
const GOAL_CORE_SHARE = 0.25;
const random = seededRandom(1);

const spec: RolloutSpec = {
  model: 'm',
  stable: { version: 'v1', url: 'http://v1', deadlineMs: 10_000, maxConcurrency: 1024 },
  canary: { version: 'v2', url: 'http://v2', deadlineMs: 10_000, maxConcurrency: 1024 },
  prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
  warmup: { predictions: 0, durationMs: 0 },
  steps: [
    { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 1_000_000_000, durationMs: 60_000 } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
    accuracy: { maxDrop: 0.02, labelsWithinMs: 300_000, strict: false },
    latency: {
      p50: { maxRatio: 1.2, minIncreaseMs: 5 },
      p99: { maxRatio: 1.2, maxMs: 1_000, minIncreaseMs: 5 },
      strict: false,
    },
  },
  onInconclusive: 'pause',
  alpha: 0.01,
  beta: 0.05,
};

function armOf(routed: number): ArmCounts {
  const counter = new CellCounter();
  for (let i = 0; i < routed; i++) {
    const u = random();
    const cellClass = random() < 0.05 ? CELL_CLASS.error : CELL_CLASS.ok;
    counter.add(cellKey(Math.floor(random() * 64), cellClass, sketchBin(50 * (u / (1 - u)) ** 0.3)));
  }
  const empty = { keys: new Uint32Array(0), counts: new Uint32Array(0) };
  return { routed, intended: routed, pending: 0, cells: counter.cells(), firstByte: empty };
}

/** Buckets to be folded in turn, each time with a new number and routing time. */
function makeBuckets(count: number, canary: number, stable: number): BucketSummary[] {
  return Array.from({ length: count }, () => ({
    kind: 'bucket',
    model: 'm',
    generation: 2,
    router: 'router-a',
    bucket: 0,
    routedFrom: BEGIN_MS,
    routedTo: BEGIN_MS + 100,
    ageMs: 300,
    previousAgeMs: 0,
    final: true,
    versions: { v1: armOf(stable), v2: armOf(canary) },
  }));
}

function begunEngine(history: readonly BucketSummary[]): VerdictEngine {
  const engine = createModelEngine('m');
  engine.setPlan({ model: 'm', stable: 'v1', generation: 1, rollout: null });
  history.forEach((bucket, i) => engine.fold({ ...bucket, generation: 1, bucket: i, routedFrom: BEGIN_MS - 1000 }));
  const weights = { v1: 0.9, v2: 0.1 };
  const phases = [{ sequence: 2, generation: 2, step: 0, weights, bake: false, startedAt: 0 }];
  const rollout = { model: 'm', rollout: 'm-1', spec, stable: 'v1', canary: 'v2', phases, step: 0, ended: false };
  engine.setPlan({ model: 'm', stable: 'v1', generation: 2, rollout });
  return engine;
}

let cuts = 0;
function cut(engine: VerdictEngine, buckets: readonly BucketSummary[]): void {
  const asOfMs = BEGIN_MS + ++cuts * CUT_MS;
  engine.beginCut({ number: cuts, outcomeLogTimesMs: [asOfMs], labelLogTimesMs: [asOfMs], asOfMs });
  for (const bucket of buckets) engine.fold(bucket);
  engine.endCut();
}

/** Microseconds of CPU time a call, mean over five rounds after one to warm up; other processes do not count. */
function meanUs(calls: number, round: () => void): number {
  round();
  const before = process.cpuUsage();
  for (let i = 0; i < 5; i++) round();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 5 / calls;
}

const large = makeBuckets(64, 50, 450);
const engine = begunEngine(large);
let number = 0;
const next = (from: readonly BucketSummary[]): BucketSummary => {
  const i = number++;
  return { ...from[i % from.length]!, bucket: i, routedFrom: BEGIN_MS + i * 100, routedTo: BEGIN_MS + i * 100 + 100 };
};
const foldUs = meanUs(2_000, () => {
  for (let i = 0; i < 2_000; i++) engine.fold(next(large));
});
const judgedUs = meanUs(2_000, () => {
  for (let i = 0; i < 2_000; i++) cut(engine, [next(large)]);
});
const small = makeBuckets(64, 2, 18);
const engines = Array.from({ length: MODELS }, () => begunEngine(large.slice(0, 10)));
const roundUs = meanUs(1, () => {
  for (const one of engines) cut(one, [next(small)]);
});
const coreShare = roundUs / 1000 / CUT_MS;

console.log(`fold of a bucket (n1 = 50, n0 = 450), all checks:         ${foldUs.toFixed(1)} us`);
console.log(
  `the same with evaluation, judgement and text each time:   ${judgedUs.toFixed(1)} us   (goal below ${GOAL_FOLD_US} us)`,
);
console.log(
  `${MODELS} models judged every ${CUT_MS} ms, a bucket each:           ${(100 * coreShare).toFixed(1)} % of a core   (goal below ${100 * GOAL_CORE_SHARE} %)`,
);
console.log(`state of a model with a rollout:                          ${engine.encode().length} bytes`);
process.exitCode = judgedUs < GOAL_FOLD_US && coreShare < GOAL_CORE_SHARE ? 0 : 1;
