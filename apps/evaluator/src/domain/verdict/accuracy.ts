import type { AccuracyCheck, PackReader, PackWriter } from '@app/shared';
import { stratumClosesAtMs, strataMsOf } from '../slot/generation-directory.js';
import { type ArmCounts, CELL_CLASS, type LabelledArm, type LabelShare } from '../summary.js';
import type { ControlHistory } from './control-history.js';
import { LabelCoverage } from './label-coverage.js';
import type { Lines } from './lines.js';
import { Look } from './look.js';
import { packCounts, unpackCounts } from './pack-counts.js';
import { type Badness, countBad, GROUPS, NO_BIN } from './cell-digest.js';

/** Only what was answered can be labelled. */
const ANSWERED: Badness = { classes: 1 << CELL_CLASS.ok, aboveBin: NO_BIN };

/** Strata that wait for label partitions; more than this only if one of them stands still. */
const OPEN_STRATA_MAX = 5_000;

/** Labels of one arm, put together from the label partitions. */
interface ArmLabels {
  n: number;
  wrong: number;
  readonly groupN: Float64Array;
  readonly groupWrong: Float64Array;
}

interface Stratum {
  readonly generation: number;
  readonly stratum: number;
  /** Predictions that were answered, of buckets that count, control first. */
  readonly answered: [number, number];
  /** By arm, control first; null until the first share has come. */
  labels: readonly [ArmLabels, ArmLabels] | null;
}

/** What is known of the generation that routed a stratum. */
export interface StratumPlace {
  /** Of the stratum's beginning, since the rollout began. */
  readonly tMs: number;
  readonly step: number;
}

/**
 * Accuracy, from labels that come late, out of order and not all. A stratum of routing time counts once it is older
 * than the label horizon in every label partition: counting labels as they come gives 15 % false rollbacks at a level of
 * 5 % when the canary's wrong labels are twice as fast.
 */
export class AccuracyEvidence {
  readonly look: Look;
  /** PASS with n = answered and the canary's missing labels taken for wrong; decides once coverage is not the same. */
  readonly pessimistic: Look;
  readonly coverage = new LabelCoverage();
  private readonly strataMs: number;
  private readonly open = new Map<string, Stratum>();
  /** No open stratum is earlier. */
  private earliest = Infinity;
  /** What all label partitions have passed, ms of log time; strata closed by it are over. */
  private passedMs = -1;

  constructor(private readonly check: AccuracyCheck) {
    this.strataMs = strataMsOf(check.labelsWithinMs);
    this.look = new Look({ fail: true, pass: true, floorLimit: check.maxDrop });
    this.pessimistic = new Look({ fail: false, pass: true, floorLimit: check.maxDrop });
  }

  /** Beginning of the stratum that a bucket belongs to, ms of routing time. */
  stratumFromMs(routedFromMs: number): number {
    return Math.floor(routedFromMs / this.strataMs) * this.strataMs;
  }

  /** Remembers how many answers a final, countable bucket had, for the share of them that is labelled. */
  addAnswers(generation: number, routedFromMs: number, canary: ArmCounts | null, control: ArmCounts | null): void {
    const number = Math.floor(routedFromMs / this.strataMs);
    const stratum = this.stratumOf(generation, number);
    if (!stratum) return;
    if (control) stratum.answered[0] += countBad(control.cells, ANSWERED);
    if (canary) stratum.answered[1] += countBad(canary.cells, ANSWERED);
    if (control || canary) this.coverage.addAnswers(generation, number, control, canary);
  }

  addShare(share: LabelShare): void {
    if (share.strataMs !== this.strataMs) return;
    const stratum = this.stratumOf(share.generation, share.stratum);
    if (!stratum) return;
    stratum.labels ??= [emptyArm(), emptyArm()];
    addLabels(stratum.labels[0], share.stable);
    addLabels(stratum.labels[1], share.canary);
  }

  /**
   * Folds, oldest first, every stratum that all label partitions have passed.
   *
   * @param passedMs least log time of the label partitions.
   * @param place where a generation's stratum counts; null: in its warm-up, or not at all.
   * @returns whether any was folded.
   */
  close(
    passedMs: number,
    place: (generation: number, fromMs: number) => StratumPlace | null,
    lines: Lines,
    history: ControlHistory,
  ): boolean {
    this.passedMs = Math.max(this.passedMs, Math.floor(passedMs));
    if (!this.closed(this.earliest)) return false;
    const due: Stratum[] = [];
    this.earliest = Infinity;
    for (const stratum of this.open.values())
      if (this.closed(stratum.stratum)) due.push(stratum);
      else this.earliest = Math.min(this.earliest, stratum.stratum);
    due.sort((a, b) => a.generation - b.generation || a.stratum - b.stratum);
    for (const stratum of due) {
      this.open.delete(keyOf(stratum.generation, stratum.stratum));
      const at = place(stratum.generation, stratum.stratum * this.strataMs);
      if (at) this.fold(stratum, at, lines);
      const control = stratum.labels?.[0];
      if (control)
        history.addLabels({ ...stratum, strataMs: this.strataMs }, control.n, control.wrong, stratum.answered[0]);
    }
    this.coverage.closeChunks((stratum) => this.closed(stratum));
    return true;
  }

  /** ln E for PASS, since the rollout began. */
  lnPass(): number {
    return this.coverage.differs ? this.pessimistic.lnPassOfAll() : this.look.lnPassOfAll();
  }

  evaluate(): void {
    this.look.evaluate();
    this.pessimistic.evaluate();
  }

  private fold({ generation, stratum, labels, answered }: Stratum, at: StratumPlace, lines: Lines): void {
    const { tMs, step } = at;
    const [control, canary] = labels ?? NO_LABELS;
    this.coverage.addStratum(
      generation,
      stratum,
      { labelled: canary, answered: answered[1] },
      { labelled: control, answered: answered[0] },
    );
    if (canary.n > 0 && control.n > 0 && (lines.accuracy.fail !== null || lines.accuracy.pass !== null)) {
      this.look.stickiness.addGroups(1, canary.groupN, canary.groupWrong);
      this.look.stickiness.addGroups(0, control.groupN, control.groupWrong);
      const counts = { n1: canary.n, x1: canary.wrong, n0: control.n, x0: control.wrong };
      this.look.fold({ tMs, step, ...counts, failLine: lines.accuracy.fail, passLine: lines.accuracy.pass });
    }
    const n1 = Math.max(answered[1], canary.n);
    const n0 = Math.max(answered[0], control.n);
    if (n1 === 0 || n0 === 0) return;
    this.pessimistic.stickiness.addGroups(1, canary.groupN, canary.groupWrong);
    this.pessimistic.stickiness.addGroups(0, control.groupN, control.groupWrong);
    const counts = { n1, x1: canary.wrong + n1 - canary.n, n0, x0: control.wrong };
    this.pessimistic.fold({ tMs, step, ...counts, failLine: null, passLine: lines.accuracyOfAnswered.pass });
  }

  private closed(stratum: number): boolean {
    return stratumClosesAtMs(stratum, this.strataMs, this.check.labelsWithinMs) <= this.passedMs;
  }

  /** Null for one that is closed already, or no number. */
  private stratumOf(generation: number, stratum: number): Stratum | null {
    const key = keyOf(generation, stratum);
    const found = this.open.get(key);
    if (found) return found;
    if (!Number.isSafeInteger(stratum) || stratum < 0 || this.closed(stratum)) return null;
    if (this.open.size >= OPEN_STRATA_MAX) return null;
    const made: Stratum = { generation, stratum, answered: [0, 0], labels: null };
    this.add(made);
    return made;
  }

  write(out: PackWriter): void {
    this.look.write(out);
    this.pessimistic.write(out);
    this.coverage.write(out);
    out.uintOrNone(this.passedMs);
    out.uint(this.open.size);
    for (const { generation, stratum, answered, labels } of this.open.values()) {
      out.uint(generation).uint(stratum).uint(answered[0]).uint(answered[1]);
      out.uint(labels ? 1 : 0);
      for (const arm of labels ?? []) {
        out.uint(arm.n).uint(arm.wrong);
        packCounts(out, arm.groupN);
        packCounts(out, arm.groupWrong);
      }
    }
  }

  read(from: PackReader): this {
    this.look.read(from);
    this.pessimistic.read(from);
    this.coverage.read(from);
    this.passedMs = from.uintOrNone();
    for (let left = from.uint(); left > 0; left--) {
      const generation = from.uint();
      const stratum = from.uint();
      const answered: [number, number] = [from.uint(), from.uint()];
      const labels = from.uint() === 1 ? ([readArm(from), readArm(from)] as const) : null;
      this.add({ generation, stratum, answered, labels });
    }
    return this;
  }

  private add(stratum: Stratum): void {
    this.open.set(keyOf(stratum.generation, stratum.stratum), stratum);
    this.earliest = Math.min(this.earliest, stratum.stratum);
  }
}

const keyOf = (generation: number, stratum: number): string => `${generation} ${stratum}`;

function emptyArm(): ArmLabels {
  return { n: 0, wrong: 0, groupN: new Float64Array(GROUPS), groupWrong: new Float64Array(GROUPS) };
}
const NO_LABELS = [emptyArm(), emptyArm()] as const;

function addLabels(into: ArmLabels, share: LabelledArm): void {
  into.n += share.n;
  into.wrong += share.wrong;
  for (let g = 0; g < GROUPS; g++) {
    into.groupN[g]! += share.groupN[g] ?? 0;
    into.groupWrong[g]! += share.groupWrong[g] ?? 0;
  }
}

function readArm(from: PackReader): ArmLabels {
  const arm = emptyArm();
  arm.n = from.uint();
  arm.wrong = from.uint();
  unpackCounts(from, arm.groupN);
  unpackCounts(from, arm.groupWrong);
  return arm;
}
