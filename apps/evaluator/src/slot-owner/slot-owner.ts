import { setTimeout as delay } from 'node:timers/promises';
import {
  type BatchResult,
  type BatchSubscription,
  type BusBatch,
  type BusConsumer,
  type BusProducer,
  CanaryError,
  type Clock,
  type Logger,
  type MessageBus,
  type PredictionIdSealer,
  type TopicNames,
  type TopicPartition,
} from '@app/shared';
import type { SlotCounts } from '../domain/cut/slot-view.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { abortable } from '../model-owner/abortable.js';
import { type SlotId, type SlotImage, slotName, type SlotStore } from '../slot-store/slot-store.js';
import { DeadLetters } from './dead-letters.js';
import { LabelFolder } from './label-folder.js';
import { OutcomeFolder } from './outcome-folder.js';
import { SlotCheckpoints } from './slot-checkpoints.js';
import { type SlotFolder, SlotKeeper } from './slot-keeper.js';
import type { SlotMetrics } from './slot-metrics.js';
import { Ticker } from './ticker.js';

export interface SlotOwnerOptions {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly store: SlotStore;
  /** What it does not know is waited for. */
  readonly directory: GenerationDirectory;
  /** Resolves when the directory has read everything that is in rollout-state at the time of the call. */
  readonly directoryCaughtUp: () => Promise<void>;
  readonly sealer: PredictionIdSealer;
  /** Partitions of prediction-outcome and prediction-label. */
  readonly slotCounts: SlotCounts;
  /** Partitions of evaluator-checkpoint. */
  readonly controlPartitions: number;
  /** Evaluators with the same group share the partitions. */
  readonly groupId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SlotMetrics;
  /** Default 30 s. */
  readonly checkpointEveryMs?: number;
}

const CHECKPOINT_EVERY_MS = 30_000;
const TICKER_EVERY_MS = 100;
const HOUSEKEEPING_EVERY_MS = 1_000;
const POSITIONS_EVERY_MS = 5_000;
/** Of one partition at once, while catching up: the more, the more is added up before it is written. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
const CLOSE_GRACE_MS = 3_000;
const CLOSE_FLUSH_MS = 2_000;

/**
 * Owner of partitions of prediction-outcome and prediction-label: folds their records into slots, writes ticks to silent
 * ones and checkpoints them. `subscription` and `handle` are for a batch strategy; startSlotOwner() makes its own consumer.
 */
export class SlotOwner {
  private readonly keepers = new Map<string, SlotKeeper>();
  private readonly checkpoints: SlotCheckpoints;
  private readonly deadLetters: DeadLetters;
  private readonly ticker: Ticker;
  private readonly producers: readonly BusProducer[];
  /** Where slots stood when they were last looked at: a good guess of where to begin. */
  private readonly knownPositions = new Map<string, number>();
  private readonly checkpointedMs = new Map<string, number>();
  private readonly givenUp = new Set<string>();
  private readonly closing = new AbortController();
  private readonly ticking: NodeJS.Timeout;
  private hurrying: NodeJS.Timeout | undefined;
  private housekeeping: Promise<void> = Promise.resolve();
  private readonly slots: readonly SlotId[];
  private positionsReadMs = Number.NEGATIVE_INFINITY;

  private constructor(private readonly options: SlotOwnerOptions) {
    const { bus, topics, clock, metrics, logger, controlPartitions, slotCounts } = options;
    this.slots = [...slotsOf('outcome', slotCounts.outcome), ...slotsOf('label', slotCounts.label)];
    const [small, large] = [bus.producer(), bus.producer()];
    this.producers = [small, large];
    const { signal } = this.closing;
    this.checkpoints = new SlotCheckpoints({
      bus,
      producer: large,
      topic: topics.checkpoint,
      controlPartitions,
      logger,
      signal,
    });
    this.deadLetters = new DeadLetters({ producer: small, topic: topics.deadLetter, clock, signal });
    this.ticker = new Ticker({ producer: small, clock, onTick: (tp) => metrics.tickWritten(this.slotOf(tp)) });
    this.ticking = setInterval(() => this.ticker.run(), TICKER_EVERY_MS);
  }

  /** Gets ready to be given batches, whether the broker and the store are there or not. */
  static async open(options: SlotOwnerOptions): Promise<SlotOwner> {
    const owner = new SlotOwner(options);
    await owner.readPositions();
    owner.housekeeping = owner.keepHouse();
    return owner;
  }

  /** How the batches are to be consumed. */
  get subscription(): BatchSubscription {
    const { topics, groupId, logger } = this.options;
    return {
      groupId,
      topics: [topics.outcome, topics.label],
      readCommitted: true,
      maxBytesPerPartition: BATCH_BYTES_MAX,
      assignment: 'balanced',
      start: (tp) => this.startOf(tp),
      onAssigned: (partitions) => this.assign(partitions),
      onRevoked: () => this.assign([]),
      onOutOfRange: (tp, wanted, low, end) =>
        logger.warn({ ...tp, wanted, low, end }, 'a partition does not reach to where its slot stands'),
      onError: (error) => logger.debug({ err: error }, 'consumer of the slot owner: again'),
    };
  }

  /** Takes a batch of either topic into its slot. Rejects when it has to come again. */
  handle(batch: BusBatch): Promise<BatchResult> {
    this.ticker.hear(batch);
    return this.keeperOf(batch).handle(batch);
  }

  /** Slots owned here with how far they have come. */
  positions(): ReadonlyMap<string, { readonly position: number; readonly logTimeMs: number }> {
    const known = [...this.keepers].flatMap(([name, keeper]) =>
      keeper.position === undefined
        ? []
        : [[name, { position: keeper.position, logTimeMs: keeper.logTimeMs }] as const],
    );
    return new Map(known);
  }

  /**
   * Batches in flight may wait for the broker; from now on for at most this long. To be called before the consumer is
   * closed, which waits for them.
   */
  hurry(graceMs = CLOSE_GRACE_MS): void {
    this.hurrying ??= setTimeout(() => this.closing.abort(), graceMs);
  }

  /** Ends ticks and checkpoints. The consumer is to be closed before. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.hurrying);
    clearInterval(this.ticking);
    this.closing.abort();
    await this.housekeeping;
    await Promise.all(this.producers.map((producer) => producer.close({ flushMs: CLOSE_FLUSH_MS })));
  }

  /** Writes checkpoints of all own slots that have moved. Rejects when the store or the broker is away. */
  async checkpointAll(): Promise<void> {
    for (const name of this.keepers.keys()) await this.checkpoint(name);
  }

  private assign(partitions: readonly TopicPartition[]): void {
    this.ticker.own(partitions);
    const names = new Set(partitions.map((tp) => slotName(this.slotOf(tp))));
    for (const name of this.keepers.keys()) {
      if (names.has(name)) continue;
      this.keepers.delete(name);
      this.checkpointedMs.delete(name);
      this.options.metrics.slotReleased(slotOfName(name));
    }
  }

  private startOf(tp: TopicPartition): number | undefined {
    const name = slotName(this.slotOf(tp));
    return this.keepers.get(name)?.position ?? this.knownPositions.get(name);
  }

  private keeperOf(tp: TopicPartition): SlotKeeper {
    const slot = this.slotOf(tp);
    const name = slotName(slot);
    const found = this.keepers.get(name);
    if (found) return found;
    const { bus, store, clock, logger, metrics } = this.options;
    const { checkpoints, deadLetters } = this;
    const keeper = new SlotKeeper({
      slot,
      topic: tp.topic,
      bus,
      store,
      checkpoints,
      deadLetters,
      clock,
      logger,
      metrics,
      open: (image) => this.openFolder(slot, image),
    });
    this.keepers.set(name, keeper);
    this.checkpointedMs.set(name, clock.monotonicMs());
    return keeper;
  }

  private openFolder(slot: SlotId, image: SlotImage | null): SlotFolder {
    const { controlPartitions, directory, clock, sealer } = this.options;
    const { signal } = this.closing;
    const directoryCaughtUp = (): Promise<void> => abortable(this.options.directoryCaughtUp(), signal);
    return slot.kind === 'outcome'
      ? new OutcomeFolder({ partition: slot.partition, controlPartitions, directory, directoryCaughtUp, clock }, image)
      : new LabelFolder({ sealer, controlPartitions, directory, directoryCaughtUp, givenUp: this.givenUp }, image);
  }

  private slotOf({ topic, partition }: TopicPartition): SlotId {
    const { outcome, label } = this.options.topics;
    if (topic === outcome) return { kind: 'outcome', partition };
    if (topic === label) return { kind: 'label', partition };
    throw new CanaryError('foreign-topic', `the slot owner reads ${outcome} and ${label}, not ${topic}`);
  }

  private async keepHouse(): Promise<void> {
    const { signal } = this.closing;
    const { clock, logger, checkpointEveryMs = CHECKPOINT_EVERY_MS } = this.options;
    while (!signal.aborted) {
      await delay(HOUSEKEEPING_EVERY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
      for (const [name, atMs] of this.checkpointedMs) {
        if (signal.aborted) return;
        if (clock.monotonicMs() - atMs < checkpointEveryMs) continue;
        await this.checkpoint(name).catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error, slot: name }, 'a slot could not be checkpointed: later');
        });
      }
      if (clock.monotonicMs() - this.positionsReadMs >= POSITIONS_EVERY_MS) await this.readPositions();
    }
  }

  private async checkpoint(name: string): Promise<void> {
    const { store, metrics, clock } = this.options;
    this.checkpointedMs.set(name, clock.monotonicMs());
    const slot = slotOfName(name);
    const whole = await store.loadWhole(slot);
    if (!whole) return;
    const bytes = await this.checkpoints.write(slot, whole);
    metrics.slotCheckpointWritten({ slot, bytes });
  }

  /** Where all slots stand, owned or not: what is taken over later begins there. */
  private async readPositions(): Promise<void> {
    this.positionsReadMs = this.options.clock.monotonicMs();
    const reads = this.slots.map((slot) => ({ slot, from: Number.MAX_SAFE_INTEGER }));
    try {
      const views = await this.options.store.readAllForOwner(0, reads);
      for (const [i, view] of views.entries()) {
        const name = slotName(this.slots[i]!);
        if (view) this.knownPositions.set(name, view.position);
        else this.knownPositions.delete(name);
      }
    } catch (error) {
      // The first batch of a partition finds out; a guess that is missing costs one fetch.
      this.options.logger.debug({ err: error }, 'the positions of slots are not known');
    }
  }
}

const slotsOf = (kind: SlotId['kind'], count: number): SlotId[] =>
  Array.from({ length: count }, (_, partition) => ({ kind, partition }));

/** Opens a slot owner and consumes for it. */
export async function startSlotOwner(options: SlotOwnerOptions): Promise<RunningSlotOwner> {
  const owner = await SlotOwner.open(options);
  const consumer = options.bus.consumer({ ...owner.subscription, onBatch: (batch) => owner.handle(batch) });
  return new RunningSlotOwner(owner, consumer);
}

/** A slot owner with its consumer. */
export class RunningSlotOwner {
  constructor(
    readonly owner: SlotOwner,
    private readonly consumer: BusConsumer,
  ) {}

  /** False while there is no assignment: starting, rebalancing, broker away. */
  isAssigned(): boolean {
    return this.consumer.assignment() !== null;
  }

  positions(): ReturnType<SlotOwner['positions']> {
    return this.owner.positions();
  }

  /** Finishes the batches in flight, leaves the group, ends ticks and checkpoints. */
  async close(): Promise<void> {
    this.owner.hurry();
    await this.consumer.close();
    await this.owner.close();
  }
}

function slotOfName(name: string): SlotId {
  const [kind, partition] = name.split('-') as [SlotId['kind'], string];
  return { kind, partition: Number(partition) };
}
