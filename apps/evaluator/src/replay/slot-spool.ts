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
  /** Partition of models and model whose summaries are wanted. */
  readonly owner: number;
  readonly model: string;
  /** File to keep them in. */
  readonly path: string;
}

/** What one partition says of one model: its summaries, folded by the slot's own code, from the first record there is. */
export class SlotSpool {
  /** Everything below it is folded. */
  position = 0;
  /** Log time of the first record, ms; null before it. */
  firstTimeMs: number | null = null;
  /** Records that had gone when their turn came. */
  missed = 0;
  records = 0;
  private readonly spool: Spool;
  private readonly writer = new PackWriter();
  private reading: Generator<Buffer> | null = null;
  private next: PlacedSummary | null = null;

  private constructor(
    private readonly options: SlotSpoolOptions,
    private readonly fold: Fold,
  ) {
    this.spool = new Spool(options.path);
  }

  static ofOutcomes(options: SlotSpoolOptions): SlotSpool {
    const slot = new OutcomeSlot(options.partition, options.controlPartitions, null);
    return new SlotSpool(options, (records, nextOffset) => [slot.foldBatch(records, nextOffset)]);
  }

  /** @param directory complete: what it does not know by now nobody will tell it. */
  static ofLabels(options: SlotSpoolOptions, sealer: PredictionIdSealer, directory: GenerationDirectory): SlotSpool {
    const slot = new LabelSlot(sealer, options.controlPartitions, null);
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
    const { owner, model } = this.options;
    for (const folded of this.fold(records, nextOffset))
      for (const placed of folded.summaries.get(owner) ?? []) {
        if (placed.summary.model !== model) continue;
        writePlaced(this.writer, placed);
        this.spool.append(this.writer.take());
      }
    this.position = nextOffset;
  }

  /** The summaries below an offset that were not handed out before. */
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
