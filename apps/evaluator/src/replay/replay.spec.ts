import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReplayLine, ReplaySummary, ReplayVerdict, RolloutSpec } from '@app/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aSpec } from '../testing/builders.js';
import {
  failingRollout,
  LABELS_WITHIN_MS,
  MODEL,
  RolloutStage,
  sealer,
  state,
  TOPICS,
} from '../testing/rollout-stage.js';
import { BusSource } from './bus-source.js';
import { replay } from './replay.js';

async function replayOf(
  { bus, clock }: RolloutStage,
  change: { spec?: RolloutSpec; rollout?: string } = {},
): Promise<{ lines: ReplayLine[]; summary: ReplaySummary }> {
  const lines: ReplayLine[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'model-canary-replay-'));
  try {
    const source = await BusSource.open(bus, TOPICS);
    const emit = (line: ReplayLine): void => void lines.push(line);
    const [summary] = await replay({ source, models: [MODEL], sealer, folder, clock, emit, ...change });
    return { lines, summary: summary! };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const verdictsOf = (lines: readonly ReplayLine[]): ReplayVerdict[] => lines.filter((line) => line.kind === 'verdict');
const gapsOf = (lines: readonly ReplayLine[]) => lines.filter((line) => line.kind === 'gap');
let stage: RolloutStage;
beforeEach(async () => {
  stage = await new RolloutStage().open();
});
afterEach(() => stage.close());

describe('a replay', () => {
  it('gives every verdict again, byte for byte', async () => {
    await failingRollout(stage);
    const { lines, summary } = await replayOf(stage);
    expect(gapsOf(lines).filter(({ topic }) => topic !== TOPICS.decision)).toEqual([]);
    expect(summary.firstDifference).toBeNull();
    expect(summary.identical).toBe(summary.verdicts);
    expect(summary.verdicts).toBeGreaterThan(30);
    expect(verdictsOf(lines)).toHaveLength(summary.verdicts);
    const codes = new Set(verdictsOf(lines).map(({ given }) => given!.code));
    expect(codes.size).toBeGreaterThan(2);
    expect(summary.milestones).toContainEqual(
      expect.objectContaining({ step: 1, result: 'fail', code: 'errors-too-many' }),
    );
    for (const { givenAt, replayedAt } of summary.milestones) expect(replayedAt).toBe(givenAt);
  });

  it('says how many records beside the cuts cannot be read', async () => {
    await failingRollout(stage);
    await stage.bus.producer().send([{ topic: TOPICS.verdict, key: MODEL, value: Buffer.from('{"kind":"verdict"}') }]);
    const { lines } = await replayOf(stage);
    const texts = gapsOf(lines).flatMap(({ topic, text }) => (topic === TOPICS.verdict ? [text] : []));
    expect(texts).toEqual(['1 of the records cannot be read: what they say is not compared']);
  });

  it('does so across takeovers', async () => {
    await failingRollout(stage, () => stage.takeOver());
    expect(stage.metrics.counts).toMatchObject({ takenOver: 3 });
    expect(stage.metrics.counts).not.toHaveProperty('diverged');
    const { summary } = await replayOf(stage);
    expect(summary.identical).toBe(summary.verdicts);
  });

  it('with another limit says what would have happened', async () => {
    await failingRollout(stage);
    const own = aSpec(MODEL, LABELS_WITHIN_MS);
    const errorRate = { maxIncrease: 0.9, max: 1, strict: false };
    const { lines, summary } = await replayOf(stage, { spec: { ...own, checks: { ...own.checks, errorRate } } });
    expect(summary).toMatchObject({ otherFile: true, rollouts: [`${MODEL}-1`] });
    const [fail] = summary.milestones.filter(({ result }) => result === 'fail');
    expect(fail).toMatchObject({ step: 1, replayedAt: null });
    expect(fail!.givenAt).not.toBeNull();
    expect(summary.firstDifference).not.toBeNull();
    expect(verdictsOf(lines).at(-1)).toMatchObject({ given: { result: 'fail' }, equal: 'no' });
  });

  it('refuses a file that wants traffic that there was not', async () => {
    await failingRollout(stage);
    const own = aSpec(MODEL);
    const steps = own.steps.slice(1);
    await expect(replayOf(stage, { spec: { ...own, steps } })).rejects.toMatchObject({ code: 'other-rollout-file' });
    const canary = { ...own.canary!, version: 'v9' };
    await expect(replayOf(stage, { spec: { ...own, canary } })).rejects.toThrow(
      /compared v2 with v1, the file says v9/,
    );
  });

  it('says that there is nothing, or no such rollout', async () => {
    await expect(replayOf(stage)).rejects.toMatchObject({ code: 'unknown-model' });
    await stage.decide(state(0));
    await expect(replayOf(stage)).rejects.toMatchObject({ code: 'nothing-to-replay' });
    await stage.run(2, { generation: 2, stable: 9, canary: 1 });
    await expect(replayOf(stage, { rollout: 'fraud-7' })).rejects.toThrow(
      /no verdicts of fraud-7; there are of fraud-1/,
    );
  });

  it('says which records retention has taken, and replays what is left', async () => {
    await stage.close();
    stage = await new RolloutStage(2_000).open();
    await failingRollout(stage);
    const { lines, summary } = await replayOf(stage);
    const gaps = gapsOf(lines).filter(({ topic }) => topic === TOPICS.outcome);
    expect(gaps.map(({ partition }) => partition)).toEqual([0, 1]);
    for (const gap of gaps) {
      expect(gap.from).toBeGreaterThan(0);
      expect(gap.fromMs).toBeGreaterThan(1_700_000_000_000);
      expect(gap.text).toMatch(/what came before is gone/);
    }
    expect(summary.verdicts).toBeGreaterThan(30);
    expect(summary.identical).toBeLessThan(summary.verdicts);
  });
});
