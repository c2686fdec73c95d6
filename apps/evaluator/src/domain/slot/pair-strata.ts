import type { Attribution, Label, Pair, PackWriter } from '@app/shared';
import type { SummaryPlacer } from './folded-batch.js';
import type { ModelEntry } from './generation-directory.js';
import { OpenPairs } from './open-pairs.js';

/** Fields of a label slot's image: counts and entries of open strata of pairs. */
const FIELD = { counts: 'p|', entries: 'q|' } as const;

/** The pairs of a label partition, by model, generation and stretch of routing time. */
export class PairStrata {
  private readonly strata = new Map<string, OpenPairs>();
  private readonly changed = new Set<OpenPairs>();
  private readonly deleted: string[] = [];
  /** When the next summary is due. */
  private nextCloseMs = Number.POSITIVE_INFINITY;

  /** Counts a pair of a shadow generation. */
  addPair(
    pair: Pair,
    of: Attribution,
    entry: ModelEntry,
    logTimeMs: number,
  ): 'counted' | 'duplicate' | 'late' | 'uncounted' {
    const open = this.stratumOf(of, entry);
    if (!open) return 'uncounted';
    if (open.answersCloseAtMs <= logTimeMs) return 'late';
    this.keep(open);
    if (!open.addPair(pair, of)) return 'duplicate';
    this.changed.add(open);
    return 'counted';
  }

  /** Takes the first label of a prediction, one of a shadow generation or not. */
  addLabel(label: Label, of: Attribution, entry: ModelEntry, logTimeMs: number): void {
    const open = this.stratumOf(of, entry);
    if (!open || open.labelsCloseAtMs <= logTimeMs) return;
    // No pair has come in time, and none will count.
    if (open.answersCloseAtMs <= logTimeMs && !this.strata.has(keyOf(open))) return;
    this.keep(open);
    open.addLabel(label.predictionId, label.label, of);
    this.changed.add(open);
  }

  /** Strata that log time has passed become shares, at the record that shows it. */
  advance(logTimeMs: number, offset: number, placer: SummaryPlacer): void {
    if (logTimeMs < this.nextCloseMs) return;
    const due = [...this.strata.values()].filter((open) => open.nextCloseMs <= logTimeMs).sort(byCloseThenName);
    for (const open of due) {
      if (!open.answersClosed) placer.place(offset, open.answersShare());
      open.answersClosed = true;
      this.changed.add(open);
      if (open.closesAtMs > logTimeMs) continue;
      if (open.of.labelsWithinMs !== null) placer.place(offset, open.accuracyShare());
      this.delete(open);
    }
    this.nextCloseMs = earliestClose(this.strata.values());
  }

  /** Adds to what a batch changes of the slot's image. */
  takeChange(set: Map<string, Buffer>, deleted: string[], writer: PackWriter): void {
    for (const open of this.changed) {
      const key = keyOf(open);
      open.stored = true;
      set.set(FIELD.counts + key, open.packCounts(writer));
      for (const { piece, packed } of open.takeNewPieces()) set.set(`${FIELD.entries}${key}|${piece}`, packed);
    }
    this.changed.clear();
    deleted.push(...this.deleted.splice(0));
  }

  unpack(fields: ReadonlyMap<string, Buffer>): void {
    for (const [field, packed] of fields) {
      if (!field.startsWith(FIELD.counts)) continue;
      const key = field.slice(FIELD.counts.length);
      const [modelHash, generation, stratum] = key.split('|').map(Number) as [number, number, number];
      const open = OpenPairs.unpack(modelHash, generation, stratum, packed);
      for (let piece = 0; ; piece++) {
        const entries = fields.get(`${FIELD.entries}${key}|${piece}`);
        if (!entries) break;
        open.unpackPiece(entries);
      }
      open.stored = true;
      this.strata.set(key, open);
    }
    this.nextCloseMs = earliestClose(this.strata.values());
  }

  private stratumOf(of: Attribution, entry: ModelEntry): OpenPairs | null {
    const shadow = of.counted ? (entry.shadow?.(of.generation) ?? null) : null;
    if (!shadow) return null;
    const stratum = Math.floor((of.routedAt - of.sinceBucketMs) / shadow.strataMs);
    const found = this.strata.get(`${of.modelHash}|${of.generation}|${stratum}`);
    return found ?? new OpenPairs(entry.model, of.modelHash, of.generation, stratum, shadow);
  }

  private keep(open: OpenPairs): void {
    this.strata.set(keyOf(open), open);
    this.nextCloseMs = Math.min(this.nextCloseMs, open.nextCloseMs);
  }

  private delete(open: OpenPairs): void {
    const key = keyOf(open);
    this.strata.delete(key);
    this.changed.delete(open);
    if (open.stored) this.deleted.push(FIELD.counts + key);
    for (let piece = 0; piece < open.storedPieces; piece++) this.deleted.push(`${FIELD.entries}${key}|${piece}`);
  }
}

const keyOf = (open: OpenPairs): string => `${open.modelHash}|${open.generation}|${open.stratum}`;

/** In an order of their own, not in that of their first records, which a reloaded slot does not know. */
function byCloseThenName(a: OpenPairs, b: OpenPairs): number {
  return (
    a.nextCloseMs - b.nextCloseMs || a.modelHash - b.modelHash || a.generation - b.generation || a.stratum - b.stratum
  );
}

function earliestClose(strata: Iterable<OpenPairs>): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const open of strata) earliest = Math.min(earliest, open.nextCloseMs);
  return earliest;
}
