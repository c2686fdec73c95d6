import { type Attribution, classHash, type Label, type Pair, PackReader, type PackWriter } from '@app/shared';
import type { PairShare } from '../summary.js';
import { type ShadowGeneration, stratumClosesAtMs } from './generation-directory.js';
import { TAG_BYTES, tagOf } from './open-stratum.js';
import { PairedTally } from './paired-tally.js';
import { judgeLabel } from './read-label-record.js';

const FORMAT = 1;
/** What waits in one stratum at most; pairs and labels beyond it are not compared. */
const ENTRIES_MAX = 5_000;
/** Entries are stored in pieces, so that a batch writes the piece it adds to and not thousands. */
export const ENTRIES_PER_PIECE = 64;
const ENTRY_BYTES = TAG_BYTES + 1 + 8;
const ENTRY = { pair: 1, pairWithValue: 2, truth: 3 } as const;
type EntryKind = (typeof ENTRY)[keyof typeof ENTRY];

/** A pair or a label, by its prediction's tag: what the canary said, or the truth; a number, or the hash of a class. */
interface Entry {
  readonly tag: string;
  readonly kind: EntryKind;
  readonly value: number;
}

/**
 * Pairs of the predictions of one shadow generation that were routed in one stretch of time. What both versions made of
 * them is told once the copies' deadlines are over, and which was right once the labels' horizon is: pairs and labels
 * wait here for each other, in either order.
 */
export class OpenPairs {
  /** The answers have become a summary. */
  answersClosed = false;
  /** The store has fields of it. */
  stored = false;
  private readonly errors = new PairedTally();
  private readonly agreement = new PairedTally();
  private readonly accuracy = new PairedTally();
  private readonly entries: Entry[] = [];
  private readonly pairs = new Map<string, Entry>();
  private readonly truths = new Map<string, number>();
  private storedEntries = 0;

  constructor(
    readonly model: string,
    readonly modelHash: number,
    readonly generation: number,
    readonly stratum: number,
    readonly of: ShadowGeneration,
  ) {}

  /** Log time from which on its pairs are late. */
  get answersCloseAtMs(): number {
    return stratumClosesAtMs(this.stratum, this.of.strataMs, this.of.answersWithinMs);
  }

  /** Log time from which on its labels are late; -1 if none are compared. */
  get labelsCloseAtMs(): number {
    const { strataMs, labelsWithinMs } = this.of;
    return labelsWithinMs === null ? -1 : stratumClosesAtMs(this.stratum, strataMs, labelsWithinMs);
  }

  /** Log time at which everything is known of it. */
  get closesAtMs(): number {
    return Math.max(this.answersCloseAtMs, this.labelsCloseAtMs);
  }

  get nextCloseMs(): number {
    return this.answersClosed ? this.closesAtMs : this.answersCloseAtMs;
  }

  /** Counts a pair, unless it came before, or there are too many (false). */
  addPair(pair: Pair, { unit, valueKind, value: stableValue }: Attribution): boolean {
    const tag = tagOf(pair.predictionId);
    if (this.pairs.has(tag) || this.entries.length >= ENTRIES_MAX) return false;
    const { stable, canary } = pair.status;
    this.errors.add(unit, stable !== 'ok', canary !== 'ok');
    if (pair.agree !== undefined) this.agreement.add(unit, false, !pair.agree);
    const value = pair.agree === undefined ? null : canaryValue(pair, valueKind);
    const entry: Entry = { tag, kind: value === null ? ENTRY.pair : ENTRY.pairWithValue, value: value ?? 0 };
    this.enter(entry);
    const truth = this.truths.get(tag);
    if (truth !== undefined) this.compare(entry, truth, { unit, valueKind, value: stableValue });
    return true;
  }

  /** Takes the first label of a prediction: of a pair that is here already, or may still come. */
  addLabel(predictionId: string, label: Label['label'], attribution: Attribution): void {
    const truth = truthOf(label, attribution.valueKind);
    if (truth === null) return;
    const tag = tagOf(predictionId);
    const pair = this.pairs.get(tag);
    if (pair) return this.compare(pair, truth, attribution);
    if (!this.answersClosed && this.entries.length < ENTRIES_MAX) this.enter({ tag, kind: ENTRY.truth, value: truth });
  }

  answersShare(): PairShare {
    const answers = { errors: this.errors.counts(), agreement: this.agreement.counts() };
    return { ...this.place(), answers, accuracy: null };
  }

  accuracyShare(): PairShare {
    return { ...this.place(), answers: null, accuracy: this.accuracy.counts() };
  }

  packCounts(writer: PackWriter): Buffer {
    const { strataMs, answersWithinMs, labelsWithinMs, tolerance } = this.of;
    writer.uint(FORMAT).text(this.model).uint(strataMs).uint(answersWithinMs);
    writer.uintOrNone(labelsWithinMs ?? -1).float(tolerance);
    writer.uint(this.answersClosed ? 1 : 0);
    for (const tally of [this.errors, this.agreement, this.accuracy]) tally.pack(writer);
    return writer.take();
  }

  static unpack(modelHash: number, generation: number, stratum: number, packed: Buffer): OpenPairs {
    const reader = new PackReader(packed);
    reader.uint();
    const model = reader.text();
    const [strataMs, answersWithinMs, labelsWithin] = [reader.uint(), reader.uint(), reader.uintOrNone()];
    const labelsWithinMs = labelsWithin < 0 ? null : labelsWithin;
    const of = { strataMs, answersWithinMs, labelsWithinMs, tolerance: reader.float() };
    const open = new OpenPairs(model, modelHash, generation, stratum, of);
    open.answersClosed = reader.uint() === 1;
    for (const tally of [open.errors, open.agreement, open.accuracy]) tally.unpack(reader);
    return open;
  }

  /** Pieces of entries that the store does not have yet, or not complete. */
  takeNewPieces(): { readonly piece: number; readonly packed: Buffer }[] {
    const pieces: { piece: number; packed: Buffer }[] = [];
    if (this.storedEntries === this.entries.length) return pieces;
    const first = Math.floor(this.storedEntries / ENTRIES_PER_PIECE);
    for (let from = first * ENTRIES_PER_PIECE; from < this.entries.length; from += ENTRIES_PER_PIECE) {
      const packed = Buffer.concat(this.entries.slice(from, from + ENTRIES_PER_PIECE).map(packEntry));
      pieces.push({ piece: from / ENTRIES_PER_PIECE, packed });
    }
    this.storedEntries = this.entries.length;
    return pieces;
  }

  /** How many pieces the store has. */
  get storedPieces(): number {
    return Math.ceil(this.storedEntries / ENTRIES_PER_PIECE);
  }

  /** Takes back a stored piece. Pieces are to come in order. */
  unpackPiece(packed: Buffer): void {
    for (let at = 0; at < packed.length; at += ENTRY_BYTES) {
      const tag = packed.toString('base64url', at, at + TAG_BYTES);
      this.enter({
        tag,
        kind: packed[at + TAG_BYTES] as EntryKind,
        value: packed.readDoubleLE(at + TAG_BYTES + 1),
      });
    }
    this.storedEntries = this.entries.length;
  }

  private enter(entry: Entry): void {
    this.entries.push(entry);
    if (entry.kind === ENTRY.truth) this.truths.set(entry.tag, entry.value);
    else this.pairs.set(entry.tag, entry);
  }

  /** Which of the two was right. A pair without the canary's answer says nothing here: its errors are counted. */
  private compare(pair: Entry, truth: number, stable: Pick<Attribution, 'unit' | 'valueKind' | 'value'>): void {
    if (pair.kind !== ENTRY.pairWithValue) return;
    const wrong = (value: number): boolean => !isRight(value, truth, stable.valueKind, this.of.tolerance);
    this.accuracy.add(stable.unit, wrong(stable.value), wrong(pair.value));
  }

  private place(): Pick<PairShare, 'kind' | 'model' | 'generation' | 'stratum' | 'strataMs'> {
    const { model, generation, stratum } = this;
    return { kind: 'pair-share', model, generation, stratum, strataMs: this.of.strataMs };
  }
}

/** As a prediction id holds a prediction; null: not known. */
function canaryValue({ canary }: Pair, kind: Attribution['valueKind']): number | null {
  if (canary === null || kind === 'none') return null;
  if (kind === 'class') return classHash(canary);
  return typeof canary === 'number' && Number.isFinite(canary) ? canary : null;
}

function truthOf(label: Label['label'], kind: Attribution['valueKind']): number | null {
  if (kind === 'none') return null;
  if (kind === 'class') return classHash(label);
  const truth = typeof label === 'string' && label.trim() === '' ? NaN : Number(label);
  return Number.isFinite(truth) ? truth : null;
}

function isRight(value: number, truth: number, kind: Attribution['valueKind'], tolerance: number): boolean {
  if (kind === 'class') return value === truth;
  return judgeLabel(truth, { valueKind: 'number', value } as Attribution, tolerance) === 'right';
}

function packEntry({ tag, kind, value }: Entry): Buffer {
  const packed = Buffer.alloc(ENTRY_BYTES);
  packed.write(tag, 'base64url');
  packed[TAG_BYTES] = kind;
  packed.writeDoubleLE(value, TAG_BYTES + 1);
  return packed;
}
