import type { AccuracyCheck, PackReader, PackWriter } from '@app/shared';
import { stratumClosesAtMs, strataMsOf } from '../slot/generation-directory.js';
import type { LabelledArm, LabelShare } from '../summary.js';
import type { ControlHistory } from './control-history.js';
import { LabelCoverage } from './label-coverage.js';
import type { Lines } from './lines.js';
import { Look } from './look.js';
import { packCounts, unpackCounts } from './pack-counts.js';
import { GROUPS } from './stickiness.js';

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
  /** Predictions routed in it, of buckets that count. */
  routed1: number;
  routed0: number;
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
  /** PASS with n = routed and the canary's missing labels taken for wrong; decides once coverage is not the same. */
  readonly pessimistic: Look;
  readonly coverage = new LabelCoverage();
  private readonly strataMs: number;
  private readonly open = new Map<string, Stratum>();

  constructor(private readonly check: AccuracyCheck) {
    this.strataMs = strataMsOf(check.labelsWithinMs);
    this.look = new Look({ fail: true, pass: true, floorLimit: check.maxDrop });
    this.pessimistic = new Look({ fail: false, pass: true, floorLimit: check.maxDrop });
  }

  /** Remembers how many predictions a countable bucket had, for the share that is labelled. */
  addRouted(generation: number, routedFromMs: number, routed1: number, routed0: number): void {
    const stratum = this.stratumOf(generation, Math.floor(routedFromMs / this.strataMs));
    if (!stratum) return;
    stratum.routed1 += routed1;
    stratum.routed0 += routed0;
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
    const due = [...this.open.values()].filter(
      ({ stratum }) => stratumClosesAtMs(stratum, this.strataMs, this.check.labelsWithinMs) <= passedMs,
    );
    due.sort((a, b) => a.generation - b.generation || a.stratum - b.stratum);
    for (const stratum of due) {
      this.open.delete(keyOf(stratum.generation, stratum.stratum));
      const at = place(stratum.generation, stratum.stratum * this.strataMs);
      if (at) this.fold(stratum, at, lines);
      const control = stratum.labels?.[0];
      if (control)
        history.addLabels({ ...stratum, strataMs: this.strataMs }, control.n, control.wrong, stratum.routed0);
    }
    return due.length > 0;
  }

  /** ln E for PASS, since the rollout began. */
  lnPass(): number {
    return this.coverage.differs ? this.pessimistic.lnPassOfAll() : this.look.lnPassOfAll();
  }

  evaluate(): void {
    this.look.evaluate();
    this.pessimistic.evaluate();
    this.coverage.evaluate();
  }

  private fold({ labels, routed1, routed0 }: Stratum, { tMs, step }: StratumPlace, lines: Lines): void {
    const [control, canary] = labels ?? NO_LABELS;
    this.coverage.add({ labelled: canary, routed: routed1 }, { labelled: control, routed: routed0 });
    if (canary.n > 0 && control.n > 0 && (lines.accuracy.fail !== null || lines.accuracy.pass !== null)) {
      this.look.stickiness.addGroups(1, canary.groupN, canary.groupWrong);
      this.look.stickiness.addGroups(0, control.groupN, control.groupWrong);
      const counts = { n1: canary.n, x1: canary.wrong, n0: control.n, x0: control.wrong };
      this.look.fold({ tMs, step, ...counts, failLine: lines.accuracy.fail, passLine: lines.accuracy.pass });
    }
    const n1 = Math.max(routed1, canary.n);
    const n0 = Math.max(routed0, control.n);
    if (n1 === 0 || n0 === 0) return;
    this.pessimistic.stickiness.addGroups(1, canary.groupN, canary.groupWrong);
    this.pessimistic.stickiness.addGroups(0, control.groupN, control.groupWrong);
    const counts = { n1, x1: canary.wrong + n1 - canary.n, n0, x0: control.wrong };
    this.pessimistic.fold({ tMs, step, ...counts, failLine: null, passLine: lines.accuracyOfRouted.pass });
  }

  private stratumOf(generation: number, stratum: number): Stratum | null {
    const key = keyOf(generation, stratum);
    const found = this.open.get(key);
    if (found) return found;
    if (!Number.isSafeInteger(stratum) || stratum < 0 || this.open.size >= OPEN_STRATA_MAX) return null;
    const made: Stratum = { generation, stratum, routed1: 0, routed0: 0, labels: null };
    this.open.set(key, made);
    return made;
  }

  write(out: PackWriter): void {
    this.look.write(out);
    this.pessimistic.write(out);
    this.coverage.write(out);
    out.uint(this.open.size);
    for (const { generation, stratum, routed1, routed0, labels } of this.open.values()) {
      out.uint(generation).uint(stratum).uint(routed1).uint(routed0);
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
    for (let left = from.uint(); left > 0; left--) {
      const generation = from.uint();
      const stratum = from.uint();
      const routed1 = from.uint();
      const routed0 = from.uint();
      const labels = from.uint() === 1 ? ([readArm(from), readArm(from)] as const) : null;
      this.open.set(keyOf(generation, stratum), { generation, stratum, routed1, routed0, labels });
    }
    return this;
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
