import {
  createTopicsFor,
  ManualClock,
  MemoryBus,
  partitionOf,
  PredictionIdSealer,
  type RolloutState,
  rolloutStateCodec,
  silentLogger,
  topicNames,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { type EngineFactory, verdictEngines } from '../domain/cut/engine-factory.js';
import { OwnerSession } from '../model-owner/owner-session.js';
import { PlanBook } from '../model-owner/plan-book.js';
import { type RunningSlotOwner, startSlotOwner } from '../slot-owner/slot-owner.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { aState } from './builders.js';
import { CountingMetrics, until } from './owner-stage.js';
import { RolloutTraffic, type Second } from './rollout-traffic.js';

export const TOPICS = topicNames();
export const MODEL = 'fraud';
const PARTITIONS = { dataPartitions: 2, controlPartitions: 2 };
export const OWNER = partitionOf(MODEL, PARTITIONS.controlPartitions);
export const LABELS_WITHIN_MS = 3_000;
export const SLOTS: readonly SlotId[] = (['outcome', 'label'] as const).flatMap((kind) =>
  [0, 1].map((partition) => ({ kind, partition })),
);
export const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 3) }]);
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
export class RolloutStage {
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly bus: MemoryBus;
  readonly metrics = new CountingMetrics();
  readonly store = new MemorySlotStore();
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
      directoryCaughtUp: () => this.plans.caughtUp(),
      slotCounts: { outcome: PARTITIONS.dataPartitions, label: PARTITIONS.dataPartitions },
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
  async takeOver(change: { engines?: EngineFactory; trimmedForGood?: boolean } = {}): Promise<void> {
    const { engines = verdictEngines, trimmedForGood = false } = change;
    const { bus, store, plans, clock, metrics } = this;
    const { controlPartitions } = PARTITIONS;
    const parts = { bus, plans, clock, metrics, logger: silentLogger, topics: TOPICS, slotStore: store };
    const deps = { ...parts, controlPartitions, sealer };
    const { signal } = new AbortController();
    const rest = { slotCounts: { outcome: 2, label: 2 }, engines, transactionalIdBase: 'evaluator' };
    const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.session = await OwnerSession.begin({ ...deps, ...rest, sleep }, OWNER, { trimmedForGood, signal });
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

  /** Every verdict that was published, in order. */
  async verdicts(): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = [];
    const follower = this.bus.follower({
      topics: [TOPICS.verdict],
      readCommitted: true,
      onBatch: ({ records }) => {
        for (const { value } of records) {
          const verdict = verdictCodec.decode(value);
          if (verdict.ok) verdicts.push(verdict.value);
        }
      },
    });
    await follower.caughtUp();
    await follower.close();
    return verdicts;
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

export const state = (step: number, ended = false): RolloutState =>
  aState(MODEL, step, { ended, labelsWithinMs: LABELS_WITHIN_MS });

/** 10 %, 50 %, then the canary fails and is rolled back. */
export async function failingRollout(
  stage: RolloutStage,
  between: () => Promise<void> = async () => undefined,
): Promise<void> {
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
