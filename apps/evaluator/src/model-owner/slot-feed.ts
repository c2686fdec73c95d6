import type { BusBatch, BusFollower, MessageBus, PredictionIdSealer } from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { LabelSlot } from '../domain/slot/label-slot.js';
import { OutcomeSlot } from '../domain/slot/outcome-slot.js';
import type { PlacedSummary } from '../domain/summary.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { abortable } from './abortable.js';

export interface SlotFeedOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  readonly slot: SlotId;
  /** Where to begin, and the log time there: what is open in the partition then is left out. */
  readonly from: { readonly position: number; readonly logTimeMs: number };
  readonly owner: number;
  readonly controlPartitions: number;
  readonly sealer: PredictionIdSealer;
  /** Complete: what it does not know by now nobody will tell it. */
  readonly directory: GenerationDirectory;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

type Fold = (batch: BusBatch) => readonly FoldedBatch[];

/** Summaries of one owner, made anew from a partition's records; reads no further than somebody wants to know. */
export class SlotFeed {
  private readonly summaries: PlacedSummary[] = [];
  private readonly follower: BusFollower;
  private position: number;
  private wanted: number;
  private more: (() => void) | null = null;
  private reached: (() => void) | null = null;

  constructor(private readonly options: SlotFeedOptions) {
    const { bus, topic, slot, from, onError } = options;
    this.position = from.position;
    this.wanted = from.position;
    const fold = slot.kind === 'outcome' ? foldOutcomes(options) : foldLabels(options);
    this.follower = bus.follower({
      topics: [topic],
      partitions: [slot.partition],
      start: () => from.position,
      onBatch: (batch) => this.take(batch, fold),
      onError,
    });
  }

  /** The summaries below a position that were not handed out before, once everything below it has been read. */
  async below(position: number): Promise<readonly PlacedSummary[]> {
    this.wanted = position;
    if (this.position < position) {
      const reached = new Promise<void>((resolve) => (this.reached = resolve));
      this.more?.();
      await abortable(reached, this.options.signal);
    }
    const end = this.summaries.findIndex(({ offset }) => offset >= position);
    return this.summaries.splice(0, end === -1 ? this.summaries.length : end);
  }

  async close(): Promise<void> {
    this.wanted = Number.MAX_SAFE_INTEGER;
    this.more?.();
    await this.follower.close();
  }

  private async take(batch: BusBatch, fold: Fold): Promise<void> {
    for (const { summaries } of fold(batch)) this.summaries.push(...(summaries.get(this.options.owner) ?? []));
    this.position = batch.nextOffset;
    if (this.position >= this.wanted) this.reached?.();
    if (this.position >= this.wanted) await new Promise<void>((resolve) => (this.more = resolve));
    this.more = null;
  }
}

function foldOutcomes({ slot, from, controlPartitions }: SlotFeedOptions): Fold {
  const state = new OutcomeSlot(slot.partition, controlPartitions, { ...from, fields: new Map() });
  return ({ records, nextOffset }) => [state.foldBatch(records, nextOffset)];
}

function foldLabels({ from, controlPartitions, sealer, directory }: SlotFeedOptions): Fold {
  const state = new LabelSlot(sealer, controlPartitions, { ...from, fields: new Map() });
  const givenUp = new Set<string>();
  return ({ records, nextOffset }) => {
    const folds: FoldedBatch[] = [];
    for (let rest = records; ;) {
      const folded = state.foldBatch(rest, nextOffset, { directory, givenUp });
      folds.push(folded);
      if (folded.waitsFor === null) return folds;
      givenUp.add(folded.waitsFor);
      rest = rest.filter(({ offset }) => offset >= folded.position);
    }
  };
}
