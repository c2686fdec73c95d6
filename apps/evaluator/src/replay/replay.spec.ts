import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTopicsFor,
  ManualClock,
  MemoryBus,
  partitionOf,
  PredictionIdSealer,
  type ReplayLine,
  type ReplaySummary,
  type ReplayVerdict,
  type RolloutSpec,
  type RolloutState,
  rolloutStateCodec,
  silentLogger,
  topicNames,
} from '@app/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verdictEngines } from '../domain/cut/engine-factory.js';
import { OwnerSession } from '../model-owner/owner-session.js';
import { PlanBook } from '../model-owner/plan-book.js';
import { type RunningSlotOwner, startSlotOwner } from '../slot-owner/slot-owner.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { aSpec, aState } from '../testing/builders.js';
import { CountingMetrics, until } from '../testing/owner-stage.js';
import { RolloutTraffic, type Second } from '../testing/rollout-traffic.js';
import { BusSource } from './bus-source.js';
import { replay } from './replay.js';

const TOPICS = topicNames();
const MODEL = 'fraud';
const PARTITIONS = { dataPartitions: 2, controlPartitions: 2 };
const OWNER = partitionOf(MODEL, PARTITIONS.controlPartitions);
const LABELS_WITHIN_MS = 3_000;
const SLOTS: readonly SlotId[] = (['outcome', 'label'] as const).flatMap((kind) =>
  [0, 1].map((partition) => ({ kind, partition })),
);
const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 3) }]);
const silent = (): void => undefined;
const slotMetrics = {
  batchFolded: silent,
  deadLettered: silent,
  slotMoved: silent,
  slotRestored: silent,
  recordsMissed: silent,
  batchFailed: silent,
  tickWritten: silent,
  slotCheckpointWritten: silent,
  slotReleased: silent,
};

/** The real owners of slots and models on a bus in memory, traffic and decisions by hand. */
class Stage {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly bus: MemoryBus;
  readonly metrics = new CountingMetrics();
  private readonly store = new MemorySlotStore();
  private readonly traffic: RolloutTraffic;
  private plans!: PlanBook;
  private slots!: RunningSlotOwner;
  private session: OwnerSession | null = null;

  constructor(retentionRecordsMax?: number) {
    this.bus = new MemoryBus({ clock: this.clock, ...(retentionRecordsMax ? { retentionRecordsMax } : {}) });
    const producer = this.bus.producer();
    const { clock } = this;
    this.traffic = new RolloutTraffic({ producer, topics: TOPICS, sealer, clock, model: MODEL, partitions: 2 });
  }

  async open(): Promise<this> {
    const { bus, clock, store } = this;
    const { controlPartitions } = PARTITIONS;
    await createTopicsFor(bus, TOPICS, PARTITIONS);
    this.plans = new PlanBook({ bus, stateTopic: TOPICS.state, controlPartitions, logger: silentLogger });
    this.slots = await startSlotOwner({
      ...{ bus, topics: TOPICS, store, sealer, controlPartitions, clock, logger: silentLogger, metrics: slotMetrics },
      directory: this.plans.directory,
      groupId: 'slots',
    });
    await this.takeOver();
    return this;
  }

  async close(): Promise<void> {
    await this.session?.close();
    await this.slots.close();
    await this.plans.close();
    await this.bus.close();
  }

  /** A new owner of the model, wherever the former one is. */
  async takeOver(): Promise<void> {
    const { bus, store, plans, clock, metrics } = this;
    const deps = { bus, plans, clock, metrics, logger: silentLogger, topics: TOPICS, slotStore: store };
    const { signal } = new AbortController();
    const rest = { slotCounts: { outcome: 2, label: 2 }, engines: verdictEngines, transactionalIdBase: 'evaluator' };
    const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.session = await OwnerSession.begin({ ...deps, ...rest, sleep }, OWNER, { trimmedForGood: false, signal });
  }

  async decide(state: RolloutState): Promise<void> {
    const producer = this.bus.producer();
    const value = rolloutStateCodec.encode({ ...state, updatedAt: this.clock.nowMs() });
    await producer.send([{ topic: TOPICS.state, key: MODEL, value }]);
    await producer.close();
    await this.plans.caughtUp();
  }

  /** Seconds of traffic, each followed by a cut somewhere in it and one at its end. */
  async run(seconds: number, second: Second): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await this.traffic.second(second);
      await this.session!.cut();
      await until(() => this.slotsAreThere());
      await this.session!.cut();
    }
  }

  async replay(
    change: { spec?: RolloutSpec; rollout?: string } = {},
  ): Promise<{ lines: ReplayLine[]; summary: ReplaySummary }> {
    const lines: ReplayLine[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'model-canary-replay-'));
    try {
      const source = await BusSource.open(this.bus, TOPICS);
      const emit = (line: ReplayLine): void => void lines.push(line);
      const summary = await replay({ source, model: MODEL, sealer, folder, clock: this.clock, emit, ...change });
      return { lines, summary };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  private async slotsAreThere(): Promise<boolean> {
    for (const slot of SLOTS) {
      const [range] = (await this.bus.offsets(TOPICS[slot.kind])).filter(
        ({ partition }) => partition === slot.partition,
      );
      const view = await this.store.readForOwner(slot, OWNER, 0);
      if ((view?.position ?? 0) < range!.end) return false;
    }
    return true;
  }
}

const verdictsOf = (lines: readonly ReplayLine[]): ReplayVerdict[] => lines.filter((line) => line.kind === 'verdict');
const gapsOf = (lines: readonly ReplayLine[]) => lines.filter((line) => line.kind === 'gap');
const state = (step: number, ended = false) => aState(MODEL, step, { ended, labelsWithinMs: LABELS_WITHIN_MS });

/** 10 %, 50 %, then the canary fails and is rolled back. */
async function failingRollout(stage: Stage, between: () => Promise<void> = async () => undefined): Promise<void> {
  await stage.decide(state(0));
  await stage.run(12, { generation: 2, stable: 27, canary: 3 });
  await between();
  await stage.decide(state(1));
  await stage.run(6, { generation: 3, stable: 10, canary: 10 });
  await between();
  await stage.run(4, { generation: 3, stable: 10, canary: 10, canaryErrorShare: 0.4 });
  await stage.decide(state(1, true));
  await stage.run(2, { generation: 4, stable: 20, canary: 0 });
}

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().open();
});
afterEach(() => stage.close());

describe('a replay', () => {
  it('gives every verdict again, byte for byte', async () => {
    await failingRollout(stage);
    const { lines, summary } = await stage.replay();
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

  it('does so across takeovers', async () => {
    await failingRollout(stage, () => stage.takeOver());
    expect(stage.metrics.counts).toMatchObject({ takenOver: 3 });
    expect(stage.metrics.counts).not.toHaveProperty('diverged');
    const { summary } = await stage.replay();
    expect(summary.identical).toBe(summary.verdicts);
  });

  it('with another limit says what would have happened', async () => {
    await failingRollout(stage);
    const own = aSpec(MODEL, LABELS_WITHIN_MS);
    const errorRate = { maxIncrease: 0.9, max: 1, strict: false };
    const { lines, summary } = await stage.replay({ spec: { ...own, checks: { ...own.checks, errorRate } } });
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
    await expect(stage.replay({ spec: { ...own, steps } })).rejects.toMatchObject({ code: 'other-rollout-file' });
    const canary = { ...own.canary!, version: 'v9' };
    await expect(stage.replay({ spec: { ...own, canary } })).rejects.toThrow(/compared v2 with v1, the file says v9/);
  });

  it('says that there is nothing, or no such rollout', async () => {
    await expect(stage.replay()).rejects.toMatchObject({ code: 'unknown-model' });
    await stage.decide(state(0));
    await expect(stage.replay()).rejects.toMatchObject({ code: 'nothing-to-replay' });
    await stage.run(2, { generation: 2, stable: 9, canary: 1 });
    await expect(stage.replay({ rollout: 'fraud-7' })).rejects.toThrow(/no verdicts of fraud-7; there are of fraud-1/);
  });

  it('says which records retention has taken, and replays what is left', async () => {
    await stage.close();
    stage = await new Stage(2_000).open();
    await failingRollout(stage);
    const { lines, summary } = await stage.replay();
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
