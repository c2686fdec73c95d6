import { PackReader, type PackWriter } from '@app/shared';
import type { SummaryPlacer } from './folded-batch.js';

const FIELD = 'm|';

/** Offsets of records that were gone before this slot could read them. */
export interface Missed {
  readonly from: number;
  /** The first one that was there. */
  readonly to: number;
  /** End of the partition when that was noticed. */
  readonly end: number;
}

/**
 * What a slot does not know, and says: a `missed` summary to every owner of models, at the first record behind the gap and
 * once more where the partition ended then. An owner that has folded beyond the gap already, when the slot stood there
 * before, so meets the second one: what it folds from now on is made without the records of the gap too.
 */
export class MissedRecords {
  private missed: { readonly from: number; readonly to: number } | null = null;
  /** Offsets from which on it is to be told. */
  private due: number[] = [];
  private changed = false;
  private stored = false;

  constructor(fields: ReadonlyMap<string, Buffer>) {
    const packed = fields.get(FIELD);
    if (!packed) return;
    const reader = new PackReader(packed);
    this.missed = { from: reader.uint(), to: reader.uint() };
    for (let left = reader.uint(); left > 0; left--) this.due.push(reader.uint());
    this.stored = true;
  }

  note({ from, to, end }: Missed): void {
    this.missed = { from: Math.min(from, this.missed?.from ?? from), to };
    this.due = end > to ? [to, end] : [to];
    this.changed = true;
  }

  /** To be called with each record's offset before it is folded. */
  tell(offset: number, placer: SummaryPlacer): void {
    if (this.due.length === 0 || offset < this.due[0]! || !this.missed) return;
    placer.placeForAll(offset, { kind: 'missed', model: '', generation: 0, ...this.missed });
    this.due = this.due.filter((at) => at > offset);
    this.changed = true;
  }

  takeChange(set: Map<string, Buffer>, deleted: string[], writer: PackWriter): void {
    if (!this.changed) return;
    this.changed = false;
    if (this.due.length > 0 && this.missed) {
      writer.uint(this.missed.from).uint(this.missed.to).uint(this.due.length);
      for (const at of this.due) writer.uint(at);
      set.set(FIELD, writer.take());
      this.stored = true;
      return;
    }
    if (this.stored) deleted.push(FIELD);
    this.stored = false;
    this.missed = null;
  }
}
