import { setTimeout as delay } from 'node:timers/promises';
import {
  type BatchResult,
  type BusBatch,
  type BusRecord,
  CanaryError,
  type Clock,
  type Logger,
  type MessageBus,
} from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import type { Missed } from '../domain/slot/missed-records.js';
import { type SlotId, type SlotImage, slotName, type SlotStore } from '../slot-store/slot-store.js';
import type { DeadLetters } from './dead-letters.js';
import type { SlotCheckpoints } from './slot-checkpoints.js';
import type { SlotMetrics } from './slot-metrics.js';
import { SlotWindows } from './slot-windows.js';

/** A slot's working state and what to do with a batch: OutcomeFolder or LabelFolder. */
export interface SlotFolder {
  readonly position: number;
  readonly logTimeMs: number;
  /** The fold; `waits` if it ended before a record that cannot be taken in yet. */
  fold(records: readonly BusRecord[], nextOffset: number): FoldedBatch & { readonly waits?: boolean };
  /** Records before the next ones were gone. */
  noteMissed(missed: Missed): void;
  /** Looks at what was folded and may refuse more records, before the position moves on. */
  review?(folded: FoldedBatch, records: readonly BusRecord[]): Promise<FoldedBatch['deadLetters']>;
}

export interface SlotKeeperDeps {
  readonly slot: SlotId;
  readonly topic: string;
  readonly bus: MessageBus;
  readonly store: SlotStore;
  readonly checkpoints: SlotCheckpoints;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SlotMetrics;
  /** Opens the working state of an image; null: the slot is new. */
  readonly open: (image: SlotImage | null) => SlotFolder;
}

/** A working state; `stored`: the slot exists in the store, at its position. */
interface Working {
  readonly folder: SlotFolder;
  readonly stored: boolean;
}

/** Pause before a batch with a record that has to wait is read again. */
const WAIT_MS = 100;

/**
 * Owner of one partition's slot. Whatever fails, and whoever else writes: the working state is thrown away and the slot
 * taken as it is found in the store, so an owner that is not the owner any more does no harm.
 */
export class SlotKeeper {
  private working: Working | null = null;
  private readonly windows: SlotWindows;
  /** Batches of one partition come one by one, but one of a former assignment may still be in flight. */
  private queue: Promise<unknown> = Promise.resolve();
  /** Only the first of several failures is told. */
  private failing = false;
  /** Records below it that were refused have been dead-lettered by this process. */
  private deadLetteredTo = 0;

  constructor(private readonly deps: SlotKeeperDeps) {
    this.windows = new SlotWindows(deps);
  }

  /** Where it stands, as far as this process knows. */
  get position(): number | undefined {
    return this.working?.stored ? this.working.folder.position : undefined;
  }

  get logTimeMs(): number {
    return this.working?.folder.logTimeMs ?? -1;
  }

  /**
   * Takes a batch into the slot. Rejects when the store is away: nothing is lost, the batch is to come again. Also rejects
   * with CanaryError `log-shorter-than-slot`.
   */
  handle(batch: BusBatch): Promise<BatchResult> {
    const result = this.queue.then(() => this.take(batch));
    this.queue = result.catch(() => undefined); // the caller has the error
    return result;
  }

  private async take(batch: BusBatch): Promise<BatchResult> {
    try {
      const working = (this.working ??= await this.open());
      const offset = await this.seekOffset(working, batch);
      if (offset !== null) return { kind: 'seek', offset };
      const result = await this.foldAndStore(working, batch);
      this.failing = false;
      if (result === 'done') return { kind: 'done' };
      if (result === 'waits') await delay(WAIT_MS);
      return { kind: 'seek', offset: result === 'waits' ? working.folder.position : await this.foundOffset() };
    } catch (error) {
      this.forget();
      this.report(error);
      throw error;
    }
  }

  private async foldAndStore({ folder, stored }: Working, batch: BusBatch): Promise<'done' | 'waits' | 'moved'> {
    const { store, slot, clock, metrics } = this.deps;
    const startedMs = clock.monotonicMs();
    const expectedPosition = stored ? folder.position : null;
    const folded = folder.fold(batch.records, batch.nextOffset);
    if (folded.position === expectedPosition) return folded.waits ? 'waits' : 'done';
    await this.deadLetter(folder, folded, batch);
    const windows = await this.windows.add(folded);
    if ((await store.apply(slot, { ...folded, ...windows, expectedPosition })) === 'moved') return 'moved';
    this.working = { folder, stored: true };
    metrics.batchFolded({
      slot,
      records: batch.records.length,
      summaries: [...folded.summaries.values()].reduce((sum, list) => sum + list.length, 0),
      counts: folded.counts,
      durationMs: clock.monotonicMs() - startedMs,
      lag: Math.max(0, batch.endOffset - folded.position),
    });
    return folded.waits ? 'waits' : 'done';
  }

  /** Before the position moves on: a crash in between writes them twice, under the same key, rather than never. */
  private async deadLetter(folder: SlotFolder, folded: FoldedBatch, batch: BusBatch): Promise<void> {
    const { deadLetters, slot, metrics } = this.deps;
    const more = (await folder.review?.(folded, batch.records)) ?? [];
    const all = [...folded.deadLetters, ...more].filter((refused) => refused.offset >= this.deadLetteredTo);
    if (all.length === 0) return;
    await deadLetters.write(batch, all, batch.records);
    for (const refused of all) {
      metrics.deadLettered(slot, refused.cause.code);
      this.deadLetteredTo = Math.max(this.deadLetteredTo, refused.offset + 1);
    }
  }

  /** The slot as the store has it, else as its last checkpoint has it, else a new one. */
  private async open(): Promise<Working> {
    const { slot, store, checkpoints, logger, metrics, open } = this.deps;
    const found = await store.load(slot);
    this.windows.open(found ? await store.readWaiting(slot) : []);
    if (found) return { folder: open(found), stored: true };
    const whole = await checkpoints.read(slot);
    if (whole) await store.restore(slot, whole);
    const restored = whole ? await store.load(slot) : null;
    const from = restored ? 'checkpoint' : 'beginning';
    const position = restored?.position ?? 0;
    // A store that takes no writes has no slot for as long.
    if (!this.failing) {
      metrics.slotRestored(slot, from);
      logger.info({ slot: slotName(slot), from, position }, 'the store has no such slot: made anew');
    }
    return { folder: open(restored), stored: restored !== null };
  }

  /** Where to read on instead of taking this batch; null: the batch is the next one. */
  private async seekOffset({ folder, stored }: Working, { fetchedOffset }: BusBatch): Promise<number | null> {
    const { slot, topic, bus } = this.deps;
    const position = stored ? folder.position : 0;
    if (stored && fetchedOffset === position) return null;
    const offsets = await bus.offsets(topic);
    const range = offsets.find(({ partition }) => partition === slot.partition);
    if (!range) throw new CanaryError('missing-partition', `${topic} has no partition ${slot.partition}`);
    if (position > range.end) throw shorterLog(topic, slot, position, range.end);
    const next = Math.max(position, range.low);
    // Retention may have moved on since the batch was fetched.
    if (fetchedOffset < next && fetchedOffset !== position) return next;
    if (fetchedOffset > next) return next;
    if (fetchedOffset > position) this.noteMissed(folder, { from: position, to: fetchedOffset, end: range.end });
    return null;
  }

  private noteMissed(folder: SlotFolder, missed: Missed): void {
    const { slot, topic, logger, metrics } = this.deps;
    metrics.recordsMissed(slot, missed.to - missed.from);
    logger.warn(
      { topic, partition: slot.partition, ...missed },
      'records were gone before they were read: open rollouts are held to their next phase',
    );
    folder.noteMissed(missed);
  }

  /** Somebody else has moved the slot on or back: take it as it is found and go there. */
  private async foundOffset(): Promise<number> {
    this.forget();
    this.deps.metrics.slotMoved(this.deps.slot);
    this.working = await this.open();
    return this.working.folder.position;
  }

  private forget(): void {
    this.working = null;
  }

  private report(error: unknown): void {
    const { slot, logger, metrics } = this.deps;
    metrics.batchFailed(slot);
    if (error instanceof CanaryError && error.code === 'log-shorter-than-slot') logger.error(error.message);
    else if (!this.failing)
      logger.warn({ err: error, slot: slotName(slot) }, 'a batch cannot be taken in: it comes again');
    this.failing = true;
  }
}

const shorterLog = (topic: string, { partition }: SlotId, position: number, end: number): CanaryError =>
  new CanaryError(
    'log-shorter-than-slot',
    `${topic}/${partition} ends at ${end}, but its slot stands at ${position}: was the topic made anew? ` +
      'Delete the slots in Redis and the topic evaluator-checkpoint too, then start again',
  );
