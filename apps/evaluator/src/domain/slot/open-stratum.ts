import { type Attribution, PackReader, type PackWriter } from '@app/shared';
import { labelKey } from '../arm-details.js';
import type { LabelledArm, LabelShare } from '../summary.js';
import { CellCounter, packCells, unpackCells } from './cell-counter.js';
import { packValues, unpackValues } from './detail-codec.js';
import { stratumClosesAtMs } from './generation-directory.js';
import { ValueTallies } from './value-tally.js';

const FORMAT = 1;
/** As FORMAT, and after each arm what only some rollouts need. */
const DETAILED_FORMAT = 2;
const GROUPS = 64;
/** Characters of a prediction id that tell it from all others of its stratum: 72 bits of its seal. */
const TAG_FROM = 4;
const TAG_TO = 16;
export const TAG_BYTES = 9;
/** Tags are stored in pieces, so that a batch writes the piece it adds to and not thousands. */
export const TAGS_PER_PIECE = 128;

/** What a label says of its prediction. */
export interface LabelSays {
  /** Null if nobody can tell. */
  readonly right: boolean | null;
  /** Numbers that custom checks compare. */
  readonly values?: Readonly<Record<string, number>>;
}

/** Labels that came so far for the predictions of one generation that were routed in one stretch of time. */
export class OpenStratum {
  changed = false;
  /** Tags that the store has, and pieces of them. */
  private storedTags = 0;
  private readonly tags: string[] = [];
  private readonly seen = new Set<string>();
  private readonly stable = new ArmTally();
  private readonly canary = new ArmTally();

  constructor(
    readonly model: string,
    readonly modelHash: number,
    readonly generation: number,
    readonly stratum: number,
    readonly strataMs: number,
    readonly labelsWithinMs: number,
  ) {}

  /** Log time from which on its labels are late. */
  get closesAtMs(): number {
    return stratumClosesAtMs(this.stratum, this.strataMs, this.labelsWithinMs);
  }

  /** Counts a label, unless one of the same prediction came before (false). */
  add(predictionId: string, { arm, unit, segment }: Attribution, { right, values }: LabelSays): boolean {
    const tag = tagOf(predictionId);
    if (this.seen.has(tag)) return false;
    this.seen.add(tag);
    this.tags.push(tag);
    if (right !== null) this[arm].add(unit, right, segment);
    if (values) this[arm].addValues(unit, values);
    return true;
  }

  share(): LabelShare {
    const { model, generation, stratum, strataMs } = this;
    const [stable, canary] = [this.stable.labelled(), this.canary.labelled()];
    return { kind: 'label-share', model, generation, stratum, strataMs, stable, canary };
  }

  packCounts(writer: PackWriter): Buffer {
    const detailed = this.stable.detailed || this.canary.detailed;
    writer.uint(detailed ? DETAILED_FORMAT : FORMAT);
    writer.text(this.model).uint(this.strataMs).uint(this.labelsWithinMs);
    for (const arm of [this.stable, this.canary]) {
      arm.pack(writer);
      if (detailed) arm.packDetails(writer);
    }
    return writer.take();
  }

  /** Pieces of tags that the store does not have yet, or not complete. */
  takeNewPieces(): { readonly piece: number; readonly packed: Buffer }[] {
    const pieces: { piece: number; packed: Buffer }[] = [];
    for (let from = roundDown(this.storedTags); from < this.tags.length; from += TAGS_PER_PIECE) {
      const tags = this.tags.slice(from, from + TAGS_PER_PIECE).join('');
      pieces.push({ piece: from / TAGS_PER_PIECE, packed: Buffer.from(tags, 'base64url') });
    }
    this.storedTags = this.tags.length;
    return pieces;
  }

  /** How many pieces the store has. */
  get storedPieces(): number {
    return Math.ceil(this.storedTags / TAGS_PER_PIECE);
  }

  static unpack(modelHash: number, generation: number, stratum: number, packed: Buffer): OpenStratum {
    const reader = new PackReader(packed);
    const detailed = reader.uint() === DETAILED_FORMAT;
    const model = reader.text();
    const open = new OpenStratum(model, modelHash, generation, stratum, reader.uint(), reader.uint());
    for (const arm of [open.stable, open.canary]) {
      arm.unpack(reader);
      if (detailed) arm.unpackDetails(reader);
    }
    return open;
  }

  /** Takes back a stored piece. Pieces are to come in order. */
  unpackPiece(packed: Buffer): void {
    for (let at = 0; at < packed.length; at += TAG_BYTES) {
      const tag = packed.toString('base64url', at, at + TAG_BYTES);
      this.tags.push(tag);
      this.seen.add(tag);
    }
    this.storedTags = this.tags.length;
  }
}

/** base64 and base64url are both accepted in ids, and must be the same prediction. */
export function tagOf(predictionId: string): string {
  const tag = predictionId.slice(TAG_FROM, TAG_TO);
  return tag.includes('+') || tag.includes('/') ? tag.replaceAll('+', '-').replaceAll('/', '_') : tag;
}

const roundDown = (tags: number): number => Math.floor(tags / TAGS_PER_PIECE) * TAGS_PER_PIECE;

class ArmTally {
  private readonly groupN = new Uint32Array(GROUPS);
  private readonly groupWrong = new Uint32Array(GROUPS);

  /** Null until a label of a segment, or with values, has come. */
  private segments: CellCounter | null = null;
  private values: ValueTallies | null = null;

  add(group: number, right: boolean, segment: number): void {
    this.groupN[group]!++;
    if (!right) this.groupWrong[group]!++;
    if (segment > 0) (this.segments ??= new CellCounter()).add(labelKey(segment, group, !right));
  }

  addValues(group: number, values: Readonly<Record<string, number>>): void {
    (this.values ??= new ValueTallies()).add(values, group);
  }

  get detailed(): boolean {
    return this.segments !== null || this.values !== null;
  }

  labelled(): LabelledArm {
    const groupN = [...this.groupN];
    const groupWrong = [...this.groupWrong];
    const sum = (of: number[]): number => of.reduce((a, b) => a + b, 0);
    return {
      n: sum(groupN),
      wrong: sum(groupWrong),
      groupN,
      groupWrong,
      ...(this.segments ? { segments: this.segments.cells() } : {}),
      ...(this.values ? { values: this.values.sums() } : {}),
    };
  }

  pack(writer: PackWriter): void {
    for (let g = 0; g < GROUPS; g++) {
      const n = this.groupN[g]!;
      writer.uint(n);
      if (n > 0) writer.uint(this.groupWrong[g]!);
    }
  }

  packDetails(writer: PackWriter): void {
    writer.uint((this.segments ? 1 : 0) | (this.values ? 2 : 0));
    if (this.segments) packCells(writer, this.segments.cells());
    if (this.values) packValues(writer, this.values.sums());
  }

  unpackDetails(reader: PackReader): void {
    const flags = reader.uint();
    if ((flags & 1) !== 0) this.segments = CellCounter.of(unpackCells(reader));
    if ((flags & 2) !== 0) this.values = ValueTallies.of(unpackValues(reader));
  }

  unpack(reader: PackReader): void {
    for (let g = 0; g < GROUPS; g++) {
      this.groupN[g] = reader.uint();
      if (this.groupN[g]! > 0) this.groupWrong[g] = reader.uint();
    }
  }
}
