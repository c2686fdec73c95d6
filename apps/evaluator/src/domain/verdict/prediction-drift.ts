import { type DriftCheck, numberOfBin, type PackReader, type PackWriter } from '@app/shared';
import { predictionBinOf, predictionGroup, type PredictionCells } from '../arm-details.js';
import { type BucketCounts, FAIL_GRID, kernelStep, lnEvidence, lnMean } from './kernel.js';
import { NamedCounts } from './named-counts.js';
import { packFloats, unpackFloats } from './pack-counts.js';
import { GROUPS } from './cell-digest.js';
import { Stickiness } from './stickiness.js';

/** Classes that are looked at one by one; the others are one class more. */
const CLASSES_MAX = 32;
/** Scores are looked at above each of control's deciles. */
const DECILES = 10;
/** Control's predictions that classes and deciles are chosen from; they are left out of the comparison. */
const CHOOSE_FROM = 500;
const SIZE = FAIL_GRID.g.length;
/** Scratch: one arm's predictions by user group, in all and of each kind. */
const groupN = [new Float64Array(GROUPS), new Float64Array(GROUPS)] as const;
const groupX = [new Float64Array((CLASSES_MAX + 1) * GROUPS), new Float64Array((CLASSES_MAX + 1) * GROUPS)] as const;
const step = new Float64Array(SIZE);

/** One class against the rest, or the scores above a threshold against those below. */
class Kind {
  readonly stickiness = new Stickiness();
  n1 = 0;
  x1 = 0;
  n0 = 0;
  x0 = 0;
  private readonly more = new Float64Array(SIZE);
  private readonly fewer = new Float64Array(SIZE);

  constructor(
    /** Class: its bin, -1 for all others. Score: the bin that is the threshold. */
    readonly bin: number,
    readonly name: string,
  ) {}

  fold({ n1, x1, n0, x0 }: BucketCounts, line: number): void {
    this.n1 += n1;
    this.x1 += x1;
    this.n0 += n0;
    this.x0 += x0;
    accumulate(this.more, { n1, x1, n0, x0 }, line);
    accumulate(this.fewer, { n1: n0, x1: x0, n0: n1, x0: x1 }, line);
  }

  /** ln E that the canary says it more often, and that it says it less often, beyond the allowance. */
  lnE(): [number, number] {
    const { d } = this.stickiness;
    return [lnEvidence(this.more, 0, FAIL_GRID, d), lnEvidence(this.fewer, 0, FAIL_GRID, d)];
  }

  write(out: PackWriter): void {
    out.uintOrNone(this.bin).text(this.name);
    out.uint(this.n1).uint(this.x1).uint(this.n0).uint(this.x0);
    packFloats(out, this.more);
    packFloats(out, this.fewer);
    this.stickiness.write(out);
  }

  static read(from: PackReader): Kind {
    const kind = new Kind(from.uintOrNone(), from.text());
    kind.n1 = from.uint();
    kind.x1 = from.uint();
    kind.n0 = from.uint();
    kind.x0 = from.uint();
    unpackFloats(from, kind.more);
    unpackFloats(from, kind.fewer);
    kind.stickiness.read(from);
    return kind;
  }
}

/** The kind of prediction that has changed most, as far as the evidence goes. */
export interface DriftedKind extends BucketCounts {
  /** A class, `other`, or `above 0.52`. */
  readonly name: string;
}

/**
 * Do the predictions themselves change? One-versus-rest H-kernel for each predicted class (or for scores above each of
 * control's deciles), in both directions, averaged; a change of the odds by the allowance counts for nothing. A new model
 * is meant to differ, so this is a reason to look, never to roll back.
 */
export class PredictionDrift {
  private kinds: Kind[] | null = null;
  private readonly seen = new NamedCounts();
  private dirty = false;
  private lnNow = 0;

  constructor(
    private readonly check: DriftCheck,
    private readonly predictions: 'class' | 'number',
  ) {}

  get chosen(): boolean {
    return this.kinds !== null;
  }

  /** Takes note of control's predictions, until there are enough to choose what is looked at. */
  observe({ cells, names }: PredictionCells): void {
    if (this.kinds) return;
    for (let i = 0; i < cells.keys.length; i++) {
      const bin = predictionBinOf(cells.keys[i]!);
      this.seen.add(bin, cells.counts[i]!, names.get(bin) ?? '');
    }
  }

  /** Chooses, once; for the buckets that are folded from now on. */
  beginCut(): void {
    if (this.kinds || this.seen.total < CHOOSE_FROM) return;
    this.kinds = this.predictions === 'class' ? this.classes() : this.thresholds();
    this.seen.clear();
  }

  fold(canary: PredictionCells, control: PredictionCells): void {
    const { kinds } = this;
    if (!kinds) return;
    const n1 = this.countInto(1, canary, kinds);
    const n0 = this.countInto(0, control, kinds);
    if (n1 === 0 || n0 === 0) return;
    this.dirty = true;
    for (const [k, kind] of kinds.entries()) {
      const x1 = groupX[1].subarray(k * GROUPS, (k + 1) * GROUPS);
      const x0 = groupX[0].subarray(k * GROUPS, (k + 1) * GROUPS);
      kind.stickiness.addGroups(1, groupN[1], x1);
      kind.stickiness.addGroups(0, groupN[0], x0);
      kind.fold({ n1, x1: sum(x1), n0, x0: sum(x0) }, 1 + this.check.allowance);
    }
  }

  evaluate(): void {
    if (!this.dirty || !this.kinds) return;
    this.dirty = false;
    for (const { stickiness } of this.kinds) stickiness.update();
    this.lnNow = lnMean(this.kinds.flatMap((kind) => kind.lnE()));
  }

  /** ln of the mean E over kinds and directions. */
  lnE(): number {
    return this.lnNow;
  }

  /** Null until predictions of both arms have been compared. */
  worst(): DriftedKind | null {
    let worst: Kind | null = null;
    for (const kind of this.kinds ?? [])
      if (kind.n1 > 0 && (!worst || Math.max(...kind.lnE()) > Math.max(...worst.lnE()))) worst = kind;
    return worst;
  }

  private classes(): Kind[] {
    const largest = this.seen.largest(CLASSES_MAX);
    return [...largest.map(({ number, name }) => new Kind(number, name || `#${number}`)), new Kind(-1, 'other')];
  }

  /** Control's deciles; the same value may be several of them, and stands once. */
  private thresholds(): Kind[] {
    const bins = new Set<number>();
    const all = this.seen.rising();
    const last = all.at(-1)?.number;
    let upTo = 0;
    for (const { number, n } of all) {
      const before = Math.floor((upTo * DECILES) / this.seen.total);
      upTo += n;
      const crosses = Math.floor((upTo * DECILES) / this.seen.total) > before;
      // Nothing of control's lies above its greatest one.
      if (crosses && number !== last) bins.add(number);
    }
    return [...bins].map((bin) => new Kind(bin, `above ${Number(numberOfBin(bin).toPrecision(3))}`));
  }

  /** Counts one arm's predictions by kind and user group into the scratch; returns how many there are. */
  private countInto(arm: 0 | 1, { cells }: PredictionCells, kinds: readonly Kind[]): number {
    const [n, x] = [groupN[arm], groupX[arm]];
    n.fill(0);
    x.fill(0, 0, kinds.length * GROUPS);
    let total = 0;
    for (let i = 0; i < cells.keys.length; i++) {
      const [group, bin] = [predictionGroup(cells.keys[i]!), predictionBinOf(cells.keys[i]!)];
      const count = cells.counts[i]!;
      n[group]! += count;
      total += count;
      if (this.predictions === 'class') {
        let k = 0;
        while (k < kinds.length - 1 && kinds[k]!.bin !== bin) k++;
        x[k * GROUPS + group]! += count;
      } else for (let k = 0; k < kinds.length && kinds[k]!.bin < bin; k++) x[k * GROUPS + group]! += count;
    }
    return total;
  }

  write(out: PackWriter): void {
    this.seen.write(out);
    out.uint(this.kinds ? 1 : 0);
    if (this.kinds) out.uint(this.kinds.length);
    for (const kind of this.kinds ?? []) kind.write(out);
    out.uint(this.dirty ? 1 : 0).float(this.lnNow);
  }

  read(from: PackReader): this {
    this.seen.read(from);
    if (from.uint() === 1) this.kinds = Array.from({ length: from.uint() }, () => Kind.read(from));
    this.dirty = from.uint() === 1;
    this.lnNow = from.float();
    return this;
  }
}

function accumulate(acc: Float64Array, counts: BucketCounts, line: number): void {
  if (kernelStep(counts, line, FAIL_GRID, step)) for (let k = 0; k < SIZE; k++) acc[k]! += step[k]!;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
