import {
  type Attribution,
  type Label,
  labelDelayBin,
  modelHash,
  PackWriter,
  type Pair,
  type PredictionIdSealer,
} from '@app/shared';
import { NO_ROW, WindowDeltas } from '../window-deltas.js';
import {
  type Cause,
  type FoldCounts,
  type FoldedBatch,
  noCounts,
  type RefusedRecord,
  type SlotRecord,
  SummaryPlacer,
} from './folded-batch.js';
import { type GenerationDirectory, type ModelEntry, strataMsOf, stratumClosesAtMs } from './generation-directory.js';
import { type Missed, MissedRecords } from './missed-records.js';
import { type LabelSays, OpenStratum } from './open-stratum.js';
import { PairStrata } from './pair-strata.js';
import { judgeLabel, type LabelReading, readLabelRecord } from './read-label-record.js';
import type { SlotImage } from './slot-image.js';

const FIELD = { counts: 's|', tags: 't|' } as const;

export interface LabelFoldOptions {
  readonly directory: GenerationDirectory;
  /** What has been waited for long enough (`waitsFor` of earlier folds): taken as what does not exist. */
  readonly givenUp: ReadonlySet<string>;
}

/** As FoldedBatch, and what it has to wait for if it ended before a record that the directory cannot place yet. */
export interface FoldedLabels extends FoldedBatch {
  readonly waitsFor: string | null;
}

/**
 * The working state of one partition of prediction-label. As OutcomeSlot, with one input besides the records: the
 * directory of generations. That input does not make it less of a function of its partition: what the directory says of
 * a generation is fixed in the log by the decision that began it, and a label of a generation it has not read waits.
 * (The router learned of that generation from the same topic, so the wait is over in milliseconds. What is not there
 * once everything has been read is gone, and nobody will ever count its labels.)
 */
export class LabelSlot {
  position: number;
  logTimeMs: number;
  private readonly strata = new Map<string, OpenStratum>();
  /** The one that was found last: most labels are of it. */
  private last: OpenStratum | null = null;
  private readonly pairs = new PairStrata();
  private readonly missed: MissedRecords;
  private readonly changed = new Set<OpenStratum>();
  private readonly deleted: string[] = [];
  private readonly writer = new PackWriter();
  private placer: SummaryPlacer;
  private counts: FoldCounts = noCounts();
  private readonly windows = new WindowDeltas();
  private readonly modelHashes: ReadonlySet<number> | null;
  /** When the next stratum is to be closed. */
  private nextCloseMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly sealer: PredictionIdSealer,
    private readonly controlPartitions: number,
    image: SlotImage | null,
    /** Of other models' labels and pairs it takes the log time, and nothing else. Null: all. */
    models: ReadonlySet<string> | null = null,
  ) {
    this.modelHashes = models && new Set([...models].map(modelHash));
    this.position = image?.position ?? 0;
    this.logTimeMs = image?.logTimeMs ?? -1;
    this.placer = new SummaryPlacer(controlPartitions);
    this.missed = new MissedRecords(image?.fields ?? new Map());
    if (image) this.unpack(image.fields);
  }

  /** Records before the next ones were gone: the slot is made without them, and says so. */
  noteMissed(missed: Missed): void {
    this.missed.note(missed);
  }

  /** Takes records in, in order, up to one that has to wait. `nextOffset`: the position after all of them. */
  foldBatch(records: readonly SlotRecord[], nextOffset: number, options: LabelFoldOptions): FoldedLabels {
    const deadLetters: RefusedRecord[] = [];
    let position = nextOffset;
    let waitsFor: string | null = null;
    for (const record of records) {
      const reading = readLabelRecord(record.value, this.sealer, this.modelHashes);
      const entry = 'attribution' in reading ? options.directory.model(reading.attribution.modelHash) : null;
      const missing = missingIn(reading, entry);
      if (missing !== null && !options.givenUp.has(missing)) {
        position = record.offset;
        waitsFor = missing;
        break;
      }
      this.missed.tell(record.offset, this.placer);
      this.advance(record);
      const cause = this.fold(reading, entry);
      if (cause) deadLetters.push({ offset: record.offset, cause });
    }
    this.position = position;
    return { ...this.takeChange(deadLetters), waitsFor };
  }

  private fold(reading: LabelReading, entry: ModelEntry | null): Cause | null {
    switch (reading.kind) {
      case 'refused':
        return reading.cause;
      case 'tick':
      case 'unwanted':
        return null;
      case 'label':
        if (!entry) return { code: 'unknown-model', text: 'the prediction is of a model that has no rollout-state' };
        return this.foldLabel(reading.label, reading.attribution, entry);
      case 'pair':
        if (!entry) return { code: 'unknown-model', text: 'the prediction is of a model that has no rollout-state' };
        return this.foldPair(reading.pair, reading.attribution, entry);
    }
  }

  private foldPair(pair: Pair, attribution: Attribution, entry: ModelEntry): null {
    this.counts.folded++;
    const result = this.pairs.addPair(pair, attribution, entry, this.logTimeMs);
    if (result === 'duplicate') this.counts.duplicates++;
    if (result === 'late') this.counts.late++;
    if (result === 'uncounted') this.counts.uncounted++;
    return null;
  }

  private foldLabel(label: Label, attribution: Attribution, entry: ModelEntry): Cause | null {
    const version = entry.version(attribution.versionIndex);
    if (version === null)
      return {
        code: 'unknown-version',
        text: `${entry.model} has no version with index ${attribution.versionIndex}`,
      };
    const counted = attribution.counted ? entry.counted(attribution.generation) : null;
    const judged = judgeLabel(label.label, attribution, counted?.tolerance ?? entry.tolerance);
    if (typeof judged === 'object') return judged;
    this.counts.folded++;
    const values = counted?.values ? chosenValues(label.values, counted.values) : undefined;
    if (!counted || (judged === 'none' && !values)) this.counts.uncounted++;
    else {
      const says = { right: judged === 'none' ? null : judged === 'right', values };
      if (!this.count(label, attribution, says, entry.model, counted.labelsWithinMs)) return null;
      this.pairs.addLabel(label, attribution, entry, this.logTimeMs);
    }
    if (judged === 'none') return null;
    const row = this.windows.at(entry.model, version, attribution.routedAt, this.logTimeMs);
    if (row === NO_ROW) return null;
    // Clocks of two machines are compared here, which only people who look at windows may do.
    const delayBin = labelDelayBin(Math.max(0, this.logTimeMs - attribution.routedAt));
    this.windows.addLabel(row, judged === 'right', delayBin);
    return null;
  }

  /** Counts a label in its stratum; false if the prediction had one before. */
  private count(label: Label, of: Attribution, says: LabelSays, model: string, labelsWithinMs: number): boolean {
    const strataMs = strataMsOf(labelsWithinMs);
    // Whole buckets: the stratum of a prediction is that of its bucket's opening.
    const stratum = Math.floor((of.routedAt - of.sinceBucketMs) / strataMs);
    if (stratumClosesAtMs(stratum, strataMs, labelsWithinMs) <= this.logTimeMs) {
      this.counts.late++;
      return true;
    }
    const open = this.stratumOf(of, stratum) ?? this.openStratum(of, { model, stratum, strataMs, labelsWithinMs });
    if (!open.add(label.predictionId, of, says)) {
      this.counts.duplicates++;
      return false;
    }
    this.changed.add(open);
    return true;
  }

  private stratumOf({ modelHash, generation }: Attribution, stratum: number): OpenStratum | undefined {
    const { last } = this;
    if (last?.stratum === stratum && last.generation === generation && last.modelHash === modelHash) return last;
    const found = this.strata.get(`${modelHash}|${generation}|${stratum}`);
    if (found) this.last = found;
    return found;
  }

  private openStratum(
    { modelHash, generation }: Attribution,
    of: Pick<OpenStratum, 'model' | 'stratum' | 'strataMs' | 'labelsWithinMs'>,
  ): OpenStratum {
    const open = new OpenStratum(of.model, modelHash, generation, of.stratum, of.strataMs, of.labelsWithinMs);
    this.strata.set(keyOf(open), open);
    this.nextCloseMs = Math.min(this.nextCloseMs, open.closesAtMs);
    return open;
  }

  /** Moves log time on; strata that it passes become shares at the record that shows it. */
  private advance(record: SlotRecord): void {
    if (record.timestampMs > this.logTimeMs) this.logTimeMs = record.timestampMs;
    this.pairs.advance(this.logTimeMs, record.offset, this.placer);
    if (this.logTimeMs < this.nextCloseMs) return;
    const all = [...this.strata.values()];
    const due = all.filter((stratum) => stratum.closesAtMs <= this.logTimeMs).sort(byCloseThenName);
    if (due.length > 0) this.last = null;
    for (const stratum of due) {
      this.placer.place(record.offset, stratum.share());
      const key = keyOf(stratum);
      this.strata.delete(key);
      this.changed.delete(stratum);
      if (stratum.storedPieces > 0) this.deleted.push(FIELD.counts + key);
      for (let piece = 0; piece < stratum.storedPieces; piece++) this.deleted.push(`${FIELD.tags}${key}|${piece}`);
    }
    this.nextCloseMs = earliestClose(this.strata.values());
  }

  private takeChange(deadLetters: RefusedRecord[]): FoldedBatch {
    const set = new Map<string, Buffer>();
    for (const stratum of this.changed) {
      const key = keyOf(stratum);
      set.set(FIELD.counts + key, stratum.packCounts(this.writer));
      for (const { piece, packed } of stratum.takeNewPieces()) set.set(`${FIELD.tags}${key}|${piece}`, packed);
    }
    const deleted = this.deleted.splice(0);
    this.pairs.takeChange(set, deleted, this.writer);
    this.missed.takeChange(set, deleted, this.writer);
    const folded: FoldedBatch = {
      position: this.position,
      logTimeMs: this.logTimeMs,
      set,
      deleted,
      summaries: this.placer.summaries(),
      deadLetters,
      counts: this.counts,
      ...this.windows.take(),
    };
    this.changed.clear();
    this.placer = new SummaryPlacer(this.controlPartitions);
    this.counts = noCounts();
    return folded;
  }

  private unpack(fields: ReadonlyMap<string, Buffer>): void {
    for (const [field, packed] of fields) {
      if (!field.startsWith(FIELD.counts)) continue;
      const key = field.slice(FIELD.counts.length);
      const [modelHash, generation, stratum] = key.split('|').map(Number) as [number, number, number];
      const open = OpenStratum.unpack(modelHash, generation, stratum, packed);
      for (let piece = 0; ; piece++) {
        const tags = fields.get(`${FIELD.tags}${key}|${piece}`);
        if (!tags) break;
        open.unpackPiece(tags);
      }
      this.strata.set(key, open);
    }
    this.nextCloseMs = earliestClose(this.strata.values());
    this.pairs.unpack(fields);
  }
}

/** The numbers that are wanted; undefined if a label has none of them. */
function chosenValues(values: Label['values'], wanted: readonly string[]): LabelSays['values'] {
  let chosen: Record<string, number> | undefined;
  for (const name of wanted) {
    const value = values?.[name];
    if (value !== undefined) (chosen ??= {})[name] = value;
  }
  return chosen;
}

/** The model or the generation of a label that the directory has not read (yet); null if it has. */
function missingIn(reading: LabelReading, entry: ModelEntry | null): string | null {
  if (!('attribution' in reading)) return null;
  const { modelHash, generation } = reading.attribution;
  if (entry === null) return `${modelHash}`;
  return generation > entry.generation ? `${modelHash}|${generation}` : null;
}

const keyOf = (s: OpenStratum): string => `${s.modelHash}|${s.generation}|${s.stratum}`;

/** Strata close in an order of their own, not in that of their first labels, which a reloaded slot does not know. */
function byCloseThenName(a: OpenStratum, b: OpenStratum): number {
  return (
    a.closesAtMs - b.closesAtMs || a.modelHash - b.modelHash || a.generation - b.generation || a.stratum - b.stratum
  );
}

function earliestClose(strata: Iterable<OpenStratum>): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const stratum of strata) earliest = Math.min(earliest, stratum.closesAtMs);
  return earliest;
}
