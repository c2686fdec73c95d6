import { classHash, labelCodec, modelHash, PredictionIdSealer } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { aBucket, anArm, aSpec, aState, seededRandom } from '../../testing/builders.js';
import { CONTROL_PARTITIONS, LogBuilder, summariesOf, T0 } from '../../testing/slot-builders.js';
import type { Judgement, ModelEngine } from '../engine.js';
import { planOf } from '../plan.js';
import { LabelSlot } from '../slot/label-slot.js';
import { OutcomeSlot } from '../slot/outcome-slot.js';
import { type BucketSummary, isEvidence, type Summary } from '../summary.js';
import { createModelEngine } from '../verdict/model-engine.js';
import { StateDirectory } from './state-directory.js';

const SEEDS = seeds(5, 3);
const MODEL = 'fraud';
const LABELS_WITHIN_MS = 20_000;
const BUCKETS_PER_CUT = 5;

/** The partition that something with this number goes to, as one topic or another has it. */
type Spread = (number: number) => number;
const SPREADS: readonly { readonly name: string; readonly partitions: number; readonly of: Spread }[] = [
  { name: 'two', partitions: 2, of: (n) => n % 2 },
  { name: 'five', partitions: 5, of: (n) => (n * 7 + 3) % 5 },
  { name: 'seven, most of them idle', partitions: 7, of: (n) => (n % 10 === 0 ? 6 : 2) },
];

describe.each(SPREADS)('one partition spread over $name', ({ partitions, of }) => {
  it.each(SEEDS)('gives the same summaries of buckets (seed %i)', (seed) => {
    const whole = outcomeSummaries(seed, 1, () => 0);
    expect(whole.length).toBeGreaterThan(80);
    expect(outcomeSummaries(seed, partitions, of)).toEqual(whole);
  });

  it.each(SEEDS)('gives the same state of the engine from labels (seed %i)', (seed) => {
    const whole = stateAfterLabels(seed, 1, () => 0);
    expect(stateAfterLabels(seed, partitions, of).equals(whole)).toBe(true);
  });

  it.each(SEEDS)('counts the same and fails as soon, in whatever order cuts fold their buckets (seed %i)', (seed) => {
    const whole = rolloutOf(seed, 1, () => 0).judgements;
    const spread = rolloutOf(seed, partitions, (_, number) => of(number)).judgements;
    expect(spread.map(({ counted }) => counted)).toEqual(whole.map(({ counted }) => counted));
    const failsAt = (judgements: readonly Judgement[]) => judgements.findIndex(({ result }) => result === 'fail');
    expect(failsAt(whole)).toBeGreaterThan(50);
    expect(Math.abs(failsAt(spread) - failsAt(whole))).toBeLessThanOrEqual(2);
    for (const [i, { checks }] of spread.entries()) {
      const [errors, wanted] = [checks, whole[i]!.checks].map((all) => all.find(({ check }) => check === 'errorRate')!);
      expect([errors!.canary, errors!.stable]).toEqual([wanted!.canary, wanted!.stable]);
      // Control's base rate is taken over whole buckets in the order they come, so its lines differ a little.
      expect(Math.abs((errors!.evidence.pass ?? 0) - (wanted!.evidence.pass ?? 0))).toBeLessThan(0.05);
    }
  });
});

describe('partitions that keep the order of buckets within each cut', () => {
  it.each(SEEDS)('give the same state after every cut, byte for byte, however many there are (seed %i)', (seed) => {
    const whole = rolloutOf(seed, 1, () => 0).states;
    for (const partitions of [2, 3, 5])
      expect(rolloutOf(seed, partitions, (i) => Math.floor((i * partitions) / BUCKETS_PER_CUT)).states).toEqual(whole);
  });
});

/** Buckets of several routers, each with its records in one partition; summaries in an order that partitions do not give. */
function outcomeSummaries(seed: number, partitions: number, of: Spread): Summary[] {
  const random = seededRandom(seed);
  const logs = Array.from({ length: partitions }, (_, lane) => new LogBuilder(lane));
  const tick = (ms: number): void => logs.forEach((log) => log.after(ms).tick());
  tick(0);
  for (let bucket = 0; bucket < 100; bucket++) {
    const router = `r-${bucket % 6}`;
    const log = logs[of(bucket)]!;
    const routed = { v1: 1 + Math.floor(random() * 6), v2: Math.floor(random() * 3) };
    const lost = random() < 0.1;
    const parts = { router, bucket };
    for (const version of ['v1', 'v2'] as const)
      for (let i = lost && version === 'v1' ? 1 : 0; i < routed[version]; i++)
        log.outcome({ ...parts, version, unit: Math.floor(random() * 64), latencyMs: random() * 300, routedAt: T0 });
    if (random() < 0.3) log.again();
    if (random() < 0.9) log.bucket({ v1: { routed: routed.v1 }, v2: { routed: routed.v2 } }, parts);
    tick(Math.floor(random() * 50));
  }
  tick(400_000);
  const summaries = logs.flatMap((log, lane) => {
    const slot = new OutcomeSlot(lane, CONTROL_PARTITIONS, null);
    return summariesOf(slot.foldBatch(log.records, log.records.length))
      .map(({ summary }) => summary)
      .filter(isEvidence);
  });
  const key = (summary: Summary): string => JSON.stringify(summary);
  return summaries.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Labels of some seconds of predictions, late and doubled ones among them, folded into an engine. */
function stateAfterLabels(seed: number, partitions: number, of: Spread): Buffer {
  const random = seededRandom(seed);
  const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 9) }]);
  const directory = new StateDirectory();
  const state = aState(MODEL, 0, { labelsWithinMs: LABELS_WITHIN_MS });
  directory.add(state);
  const engine = createModelEngine(MODEL);
  engine.setPlan(planOf(state));
  const logs = Array.from({ length: partitions }, (_, lane) => new LogBuilder(lane));
  const buckets: BucketSummary[] = [];
  for (let number = 0; number < 60; number++) {
    const routedFrom = T0 + number * 500;
    buckets.push({ ...aBucket(MODEL, 2, number), routedFrom, routedTo: routedFrom + 100 });
    for (let i = 0; i < 10; i++) {
      const canary = i === 9;
      const id = sealer.seal({
        modelHash: modelHash(MODEL),
        generation: 2,
        versionIndex: canary ? 1 : 0,
        arm: canary ? 'canary' : 'stable',
        routedAt: routedFrom,
        sinceBucketMs: 0,
        unit: Math.floor(random() * 64),
        segment: 0,
        routerHash: 1,
        counter: number * 10 + i,
        valueKind: 'class',
        value: classHash('three'),
        counted: true,
      });
      const label = random() < 0.9 ? 'three' : 'other';
      const log = logs[of(number * 10 + i)]!;
      const value = labelCodec.encode({ predictionId: id, label });
      for (const share of [0.9, 0.1]) if (random() < share) log.raw(value);
    }
    for (const log of logs) log.after(500).tick();
  }
  for (const log of logs) log.after(2 * LABELS_WITHIN_MS).tick();
  const shares = logs.flatMap((log) => {
    const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, null);
    const options = { directory, givenUp: new Set<string>() };
    return summariesOf(slot.foldBatch(log.records, log.records.length, options))
      .map(({ summary }) => summary)
      .filter(isEvidence);
  });
  const asOfMs = T0 + 60 * 500 + 2 * LABELS_WITHIN_MS;
  cut(engine, 1, asOfMs, [...buckets, ...shares]);
  expect(shares.length).toBeGreaterThan(20);
  return engine.encode();
}

/**
 * A canary that is as good for half a minute and then fails more; a cut every 500 ms, in the order (partition, offset).
 *
 * @param of the partition of a bucket by its place within the cut, and by its number.
 */
function rolloutOf(seed: number, partitions: number, of: (i: number, number: number) => number) {
  const random = seededRandom(seed);
  const failures = (n: number, share: number): number =>
    Array.from({ length: n }, () => random()).filter((u) => u < share).length;
  const engine = createModelEngine(MODEL);
  const state = aState(MODEL, 0);
  const { errorRate } = aSpec(MODEL).checks;
  const spec = { ...state.rollout!.spec, checks: { errorRate } };
  engine.setPlan(planOf({ ...state, rollout: { ...state.rollout!, spec } }));
  const judgements: Judgement[] = [];
  const states: string[] = [];
  for (let number = 0, cuts = 0; number < 400;) {
    const bySlot = Array.from({ length: partitions }, (): Summary[] => []);
    for (let i = 0; i < BUCKETS_PER_CUT; i++, number++) {
      const canaryErrors = failures(10, number < 300 ? 0.02 : 0.4);
      const versions = {
        v1: anArm({ routed: 40, errors: failures(40, 0.02) }),
        v2: anArm({ routed: 10, errors: canaryErrors }),
      };
      bySlot[of(i, number)]!.push({ ...aBucket(MODEL, 2, number), versions });
    }
    const judgement = cut(engine, ++cuts, number * 100 + 100, bySlot.flat());
    if (judgement) judgements.push(judgement);
    states.push(engine.encode().toString('base64'));
  }
  return { judgements, states };
}

function cut(engine: ModelEngine, number: number, asOfMs: number, summaries: readonly Summary[]): Judgement | null {
  engine.beginCut({ number, asOfMs, outcomeLogTimesMs: [asOfMs], labelLogTimesMs: [asOfMs] });
  for (const summary of summaries) engine.fold(summary);
  return engine.endCut();
}
