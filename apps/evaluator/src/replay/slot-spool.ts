import { type BusRecord, PackReader, PackWriter, type PredictionIdSealer } from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { LabelSlot } from '../domain/slot/label-slot.js';
import { OutcomeSlot } from '../domain/slot/outcome-slot.js';
import { readPlaced, writePlaced } from '../domain/slot/summary-codec.js';
import type { PlacedSummary } from '../domain/summary.js';
import type { SourceBatch } from './record-source.js';
import { Spool } from './spool.js';

/** Folds records up to a position; may take several turns. */
type Fold = (records: readonly BusRecord[], nextOffset: number) => readonly FoldedBatch[];

export interface SlotSpoolOptions {
  readonly partition: number;
  readonly controlPartitions: number;
  /** The models whose summaries are wanted. */
  readonly models: readonly string[];
  /** File to keep them in, of each model with its number behind. */
  readonly path: string;
}

/** What one partition says of some models: their summaries, folded by the slot's own code, from the first record there is. */
export class SlotSpool {
  /** Everything below it is folded. */
  position = 0;
  /** Log time of the first record, ms; null before it. */
  firstTimeMs: number | null = null;
  /** Records that had gone when their turn came. */
  missed = 0;
  records = 0;
  private readonly byModel: ReadonlyMap<string, SummarySpool>;
  private readonly writer = new PackWriter();

  private constructor(
    { models, path }: SlotSpoolOptions,
    private readonly fold: Fold,
  ) {
    this.byModel = new Map(models.map((model, i) => [model, new SummarySpool(`${path}-${i}`)]));
  }

  static ofOutcomes(options: SlotSpoolOptions): SlotSpool {
    const slot = new OutcomeSlot(options.partition, options.controlPartitions, null, new Set(options.models));
    return new SlotSpool(options, (records, nextOffset) => [slot.foldBatch(records, nextOffset)]);
  }

  /** @param directory complete: what it does not know by now nobody will tell it. */
  static ofLabels(options: SlotSpoolOptions, sealer: PredictionIdSealer, directory: GenerationDirectory): SlotSpool {
    const slot = new LabelSlot(sealer, options.controlPartitions, null, new Set(options.models));
    const givenUp = new Set<string>();
    return new SlotSpool(options, (records, nextOffset) => {
      const folds: FoldedBatch[] = [];
      for (let rest = records; ;) {
        const folded = slot.foldBatch(rest, nextOffset, { directory, givenUp });
        folds.push(folded);
        if (folded.waitsFor === null) return folds;
        givenUp.add(folded.waitsFor);
        rest = rest.filter(({ offset }) => offset >= folded.position);
      }
    });
  }

  take({ records, fetchedOffset, nextOffset }: SourceBatch): void {
    if (this.records > 0) this.missed += Math.max(0, fetchedOffset - this.position);
    this.firstTimeMs ??= records[0]?.timestampMs ?? null;
    this.records += records.length;
    for (const { summaries } of this.fold(records, nextOffset))
      for (const placed of [...summaries.values()].flat()) this.keep(placed);
    this.position = nextOffset;
  }

  /** The summaries of a model below an offset that were not handed out before. */
  below(offset: number, model: string): Generator<PlacedSummary> {
    return this.byModel.get(model)!.below(offset);
  }

  close(): void {
    for (const spool of this.byModel.values()) spool.close();
  }

  private keep(placed: PlacedSummary): void {
    const spool = this.byModel.get(placed.summary.model);
    if (!spool) return;
    writePlaced(this.writer, placed);
    spool.append(this.writer.take());
  }
}

/** Packed summaries of one model. */
class SummarySpool {
  private readonly spool: Spool;
  private reading: Generator<Buffer> | null = null;
  private next: PlacedSummary | null = null;

  constructor(path: string) {
    this.spool = new Spool(path);
  }

  append(packed: Buffer): void {
    this.spool.append(packed);
  }

  *below(offset: number): Generator<PlacedSummary> {
    this.reading ??= this.spool.entries();
    for (;;) {
      this.next ??= unpacked(this.reading.next());
      if (!this.next || this.next.offset >= offset) return;
      const { next } = this;
      this.next = null;
      yield next;
    }
  }

  close(): void {
    this.spool.close();
  }
}

function unpacked({ done, value }: IteratorResult<Buffer, void>): PlacedSummary | null {
  if (done || !value) return null;
  return readPlaced(new PackReader(value));
}
