import { type Attribution, PackReader, type PackWriter } from '@app/shared';
import type { LabelledArm, LabelShare } from '../summary.js';
import { stratumClosesAtMs } from './generation-directory.js';

const FORMAT = 1;
const GROUPS = 64;
/** Characters of a prediction id that tell it from all others of its stratum: 72 bits of its seal. */
const TAG_FROM = 4;
const TAG_TO = 16;
const TAG_BYTES = 9;
/** Tags are stored in pieces, so that a batch writes the piece it adds to and not thousands. */
export const TAGS_PER_PIECE = 128;

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
  add(predictionId: string, { arm, unit }: Attribution, right: boolean): boolean {
    const tag = tagOf(predictionId);
    if (this.seen.has(tag)) return false;
    this.seen.add(tag);
    this.tags.push(tag);
    this[arm].add(unit, right);
    return true;
  }

  share(): LabelShare {
    const { model, generation, stratum, strataMs } = this;
    const [stable, canary] = [this.stable.labelled(), this.canary.labelled()];
    return { kind: 'label-share', model, generation, stratum, strataMs, stable, canary };
  }

  packCounts(writer: PackWriter): Buffer {
    writer.uint(FORMAT).text(this.model).uint(this.strataMs).uint(this.labelsWithinMs);
    this.stable.pack(writer);
    this.canary.pack(writer);
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
    reader.uint();
    const model = reader.text();
    const open = new OpenStratum(model, modelHash, generation, stratum, reader.uint(), reader.uint());
    open.stable.unpack(reader);
    open.canary.unpack(reader);
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
const tagOf = (predictionId: string): string =>
  predictionId.slice(TAG_FROM, TAG_TO).replaceAll('+', '-').replaceAll('/', '_');

const roundDown = (tags: number): number => Math.floor(tags / TAGS_PER_PIECE) * TAGS_PER_PIECE;

class ArmTally {
  private readonly groupN = new Uint32Array(GROUPS);
  private readonly groupWrong = new Uint32Array(GROUPS);

  add(group: number, right: boolean): void {
    this.groupN[group]!++;
    if (!right) this.groupWrong[group]!++;
  }

  labelled(): LabelledArm {
    const groupN = [...this.groupN];
    const groupWrong = [...this.groupWrong];
    const sum = (of: number[]): number => of.reduce((a, b) => a + b, 0);
    return { n: sum(groupN), wrong: sum(groupWrong), groupN, groupWrong };
  }

  pack(writer: PackWriter): void {
    for (let g = 0; g < GROUPS; g++) {
      const n = this.groupN[g]!;
      writer.uint(n);
      if (n > 0) writer.uint(this.groupWrong[g]!);
    }
  }

  unpack(reader: PackReader): void {
    for (let g = 0; g < GROUPS; g++) {
      this.groupN[g] = reader.uint();
      if (this.groupN[g]! > 0) this.groupWrong[g] = reader.uint();
    }
  }
}
