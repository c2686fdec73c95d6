import type { RolloutSpec } from '@app/shared';
import { sketchBin } from '../../../apps/evaluator/src/domain/sketch.js';
import { CellCounter } from '../../../apps/evaluator/src/domain/slot/cell-counter.js';
import {
  type ArmCounts,
  type BucketSummary,
  CELL_CLASS,
  cellKey,
  NO_CELLS,
} from '../../../apps/evaluator/src/domain/summary.js';
import { createModelEngine, type VerdictEngine } from '../../../apps/evaluator/src/domain/verdict/model-engine.js';
import { seededRandom } from '../../fixtures/seeded-random.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Section } from '../framework/report.js';
import type { Suite } from '../framework/suite.js';

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
  return { routed, intended: routed, pending: 0, cells: counter.cells(), firstByte: NO_CELLS };
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

/** The cut of that number, one every CUT_MS. */
function cut(engine: VerdictEngine, number: number, buckets: readonly BucketSummary[]): void {
  const asOfMs = BEGIN_MS + number * CUT_MS;
  engine.beginCut({ number, outcomeLogTimesMs: [asOfMs], labelLogTimesMs: [asOfMs], asOfMs });
  for (const bucket of buckets) engine.fold(bucket);
  engine.endCut();
}

interface Calls {
  /** Of each round. */
  readonly calls: number;
  /** Before the first round: a service runs for days, and V8 compiles in its first seconds. */
  readonly toWarmUp: number;
}

/** Microseconds of CPU time a call, by round; other processes do not count. */
function callUs({ calls, toWarmUp }: Calls, rounds: number, call: () => void): readonly number[] {
  const round = (): number => {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) call();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  };
  for (let i = 0; i < toWarmUp; i++) call();
  return Array.from({ length: rounds }, round);
}

/** How long the verdict engine takes, in this process. */
export const verdictSuite: Suite = {
  name: 'verdicts',
  about: 'CPU of the verdict engine per bucket, and of a thousand models judged four times a second',
  open: ({ options }) => Promise.resolve([{ name: 'engine', run: () => Promise.resolve(engineTimes(options)) }]),
};

function engineTimes({ rounds, short }: BenchmarkOptions): Section {
  const large = makeBuckets(64, 50, 450);
  const engine = begunEngine(large);
  const at = (i: number, beginsMs: number, from: readonly BucketSummary[]): BucketSummary => {
    const routedFrom = BEGIN_MS + beginsMs;
    return { ...from[i % from.length]!, bucket: i, routedFrom, routedTo: routedFrom + 100 };
  };
  let number = 0;
  const next = (): BucketSummary => at(++number, number * 100, large);
  let cuts = 0;
  const calls = short ? { calls: 100, toWarmUp: 100 } : { calls: 2_000, toWarmUp: 12_000 };
  const foldUs = callUs(calls, rounds, () => engine.fold(next()));
  const judgedUs = callUs(calls, rounds, () => cut(engine, ++cuts, [next()]));
  const models = short ? 100 : MODELS;
  const small = makeBuckets(64, 2, 18);
  const engines = Array.from({ length: models }, () => begunEngine(large.slice(0, 10)));
  let looks = 0;
  // Of each model 250 ms go by from one look to the next, as in life.
  const allUs = callUs({ calls: 1, toWarmUp: short ? 1 : 12 }, rounds, () => {
    looks++;
    engines.forEach((one, i) => cut(one, looks, [at(looks * models + i, looks * CUT_MS, small)]));
  });
  const corePercent = allUs.map((us) => (100 * us) / 1000 / CUT_MS);
  return {
    title: 'Verdict engine: CPU with every check on',
    rows: [
      row('a bucket of 50 canary and 450 stable predictions folded', foldUs, 'us'),
      row('the same, judged and put into words each time', judgedUs, 'us', { atMost: GOAL_FOLD_US }),
      row(`${models.toLocaleString('en-US')} models judged every ${CUT_MS} ms`, corePercent, '% of a core', { atMost: 100 * GOAL_CORE_SHARE }), // prettier-ignore
      row('state of a model with a rollout', [engine.encode().length], 'bytes'),
    ],
  };
}
