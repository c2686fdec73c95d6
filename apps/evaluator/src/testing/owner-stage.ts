import { setTimeout as delay } from 'node:timers/promises';
import {
  type BusRecord,
  createTopicsFor,
  type Cut,
  cutCodec,
  ManualClock,
  MemoryBus,
  PredictionIdSealer,
  type RolloutState,
  rolloutStateCodec,
  silentLogger,
  topicNames,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import type { EngineFactory } from '../domain/cut/engine-factory.js';
import type { PlacedSummary } from '../domain/summary.js';
import type { OwnerDeps } from '../model-owner/owner-deps.js';
import { OwnerSession } from '../model-owner/owner-session.js';
import { PlanBook } from '../model-owner/plan-book.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { recordingEngines } from './recording-engine.js';

export const SLOT_COUNTS = { outcome: 2, label: 1 };
export const CONTROL_PARTITIONS = 2;
const TOPICS = topicNames();
const SEALER = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 7) }]);

/** Counts what owners report, by name. */
export class CountingMetrics {
  readonly counts: Record<string, number> = {};
  cutPublished = (): void => this.count('cuts');
  checkpointWritten = (): void => this.count('checkpoints');
  tookOver = ({ how }: { how: string }): void => this.count(how === 'anew' ? 'begunAnew' : 'takenOver');
  diverged = (): void => this.count('diverged');
  engineFailed = (): void => this.count('engineFailed');
  ownershipLost = (_owner: number, code: string): void => this.count(code);
  released = (): void => this.count('released');
  storeUnreadable = (): void => this.count('unreadable');

  private count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(2);
}

/** Topics, slots and plans in memory, with hands of its own in place of routers, slot owners and the controller. */
export class OwnerStage {
  readonly clock = new ManualClock(1_000_000);
  readonly metrics = new CountingMetrics();
  private opened: (() => Promise<void>)[] = [];

  private constructor(
    readonly bus: MemoryBus,
    public slotStore: MemorySlotStore,
    readonly plans: PlanBook,
  ) {}

  static async open(): Promise<OwnerStage> {
    const bus = new MemoryBus();
    await createTopicsFor(bus, TOPICS, { dataPartitions: 2, controlPartitions: CONTROL_PARTITIONS });
    const plans = new PlanBook({
      bus,
      stateTopic: TOPICS.state,
      controlPartitions: CONTROL_PARTITIONS,
      logger: silentLogger,
    });
    return new OwnerStage(bus, new MemorySlotStore(), plans);
  }

  async close(): Promise<void> {
    for (const close of this.opened) await close();
    await this.plans.close();
    await this.bus.close();
  }

  deps(change: { engines?: EngineFactory } = {}): OwnerDeps {
    return {
      bus: this.bus,
      topics: TOPICS,
      slotStore: this.slotStore,
      slotCounts: SLOT_COUNTS,
      controlPartitions: CONTROL_PARTITIONS,
      sealer: SEALER,
      engines: recordingEngines,
      plans: this.plans,
      clock: this.clock,
      sleep: (ms, signal) => delay(Math.min(ms, 5), undefined, { signal }),
      logger: silentLogger,
      metrics: this.metrics,
      transactionalIdBase: 'evaluator',
      ...change,
    };
  }

  async begin(
    owner: number,
    change: { engines?: EngineFactory; trimmedForGood?: boolean; signal?: AbortSignal } = {},
  ): Promise<OwnerSession> {
    const { trimmedForGood = false, signal = new AbortController().signal, ...deps } = change;
    const session = await OwnerSession.begin(this.deps(deps), owner, { trimmedForGood, signal });
    this.opened.push(() => session.close());
    return session;
  }

  /** The controller says what is to be, and the plan book has read it. */
  async decide(state: RolloutState): Promise<void> {
    const producer = this.bus.producer();
    await producer.send([{ topic: TOPICS.state, key: state.model, value: rolloutStateCodec.encode(state) }]);
    await producer.close();
    await this.plans.caughtUp();
  }

  /** A slot owner brings its slot to a position. */
  async slot(
    slot: SlotId,
    to: { position: number; logTimeMs: number; owner?: number; summaries?: readonly PlacedSummary[] },
  ): Promise<void> {
    const found = await this.slotStore.load(slot);
    const applied = await this.slotStore.apply(slot, {
      expectedPosition: found?.position ?? null,
      position: to.position,
      logTimeMs: to.logTimeMs,
      set: new Map(),
      deleted: [],
      summaries: new Map([[to.owner ?? 0, to.summaries ?? []]]),
    });
    if (applied !== 'applied') throw new Error(`the slot ${slot.kind} ${slot.partition} has moved`);
  }

  /** Everything that owners have published, in order. */
  async published(owner: number): Promise<{ cuts: Cut[]; verdicts: Verdict[]; bytes: Map<string, string> }> {
    const cuts: Cut[] = [];
    const verdicts: Verdict[] = [];
    const bytes = new Map<string, string>();
    for (const { value } of await this.records(TOPICS.verdict, owner)) {
      const cut = cutCodec.decode(value);
      const verdict = verdictCodec.decode(value);
      if (cut.ok) cuts.push(cut.value);
      if (!verdict.ok) continue;
      verdicts.push(verdict.value);
      bytes.set(verdict.value.verdictId, value!.toString());
    }
    return { cuts, verdicts, bytes };
  }

  async records(topic: string, partition: number): Promise<readonly BusRecord[]> {
    const records: BusRecord[] = [];
    const follower = this.bus.follower({
      topics: [topic],
      partitions: [partition],
      onBatch: (batch) => void records.push(...batch.records),
    });
    await follower.caughtUp();
    await follower.close();
    return records;
  }
}
