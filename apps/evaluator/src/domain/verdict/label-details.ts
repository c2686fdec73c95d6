import type { PackReader, PackWriter } from '@app/shared';
import { labelGroup, labelSegment, labelWrong, type ValueSums } from '../arm-details.js';
import { packValues, unpackValues } from '../slot/detail-codec.js';
import { stratumClosesAtMs, strataMsOf } from '../slot/generation-directory.js';
import { ValueTallies } from '../slot/value-tally.js';
import type { LabelledArm, LabelShare } from '../summary.js';
import { packCounts, unpackCounts } from './pack-counts.js';
import type { GroupedLabels } from './segment-looks.js';
import { GROUPS } from './cell-digest.js';

/** Strata that wait for label partitions; more than this only if one of them stands still. */
const OPEN_STRATA_MAX = 5_000;

/** Labels of one arm in one stratum, put together from the label partitions. */
export class ArmLabelDetails {
  private readonly groupN = new Float64Array(GROUPS);
  private readonly groupWrong = new Float64Array(GROUPS);
  private readonly bySegment = new Map<number, number>();
  private values = new ValueTallies();

  add({ groupN, groupWrong, segments, values }: LabelledArm): void {
    for (let g = 0; g < GROUPS; g++) {
      this.groupN[g]! += groupN[g] ?? 0;
      this.groupWrong[g]! += groupWrong[g] ?? 0;
    }
    if (segments)
      for (let i = 0; i < segments.keys.length; i++) {
        const key = segments.keys[i]!;
        this.bySegment.set(key, (this.bySegment.get(key) ?? 0) + segments.counts[i]!);
      }
    if (values) this.values.addSums(values);
  }

  sums(): readonly ValueSums[] {
    return this.values.sums();
  }

  /** Labels in one segment; for a negative number, in none of the chosen ones. */
  labelsIn(number: number, chosen: readonly number[]): GroupedLabels {
    const rest = number < 0;
    const groupN = rest ? this.groupN.slice() : new Float64Array(GROUPS);
    const groupWrong = rest ? this.groupWrong.slice() : new Float64Array(GROUPS);
    const sign = rest ? -1 : 1;
    for (const [key, count] of this.bySegment) {
      const segment = labelSegment(key);
      if (rest ? !chosen.includes(segment) : segment !== number) continue;
      groupN[labelGroup(key)]! += sign * count;
      if (labelWrong(key)) groupWrong[labelGroup(key)]! += sign * count;
    }
    return { groupN, groupWrong };
  }

  write(out: PackWriter): void {
    packCounts(out, this.groupN);
    packCounts(out, this.groupWrong);
    out.uint(this.bySegment.size);
    for (const [key, count] of this.bySegment) out.uint(key).uint(count);
    packValues(out, this.values.sums());
  }

  read(from: PackReader): this {
    unpackCounts(from, this.groupN);
    unpackCounts(from, this.groupWrong);
    for (let left = from.uint(); left > 0; left--) this.bySegment.set(from.uint(), from.uint());
    this.values = ValueTallies.of(unpackValues(from));
    return this;
  }
}

/** A stratum of labels that every label partition has passed. */
export interface ClosedStratum {
  readonly generation: number;
  /** Beginning, routing time, ms. */
  readonly fromMs: number;
  /** Control first. */
  readonly arms: readonly [ArmLabelDetails, ArmLabelDetails];
}

interface OpenStratum {
  readonly generation: number;
  readonly stratum: number;
  readonly arms: readonly [ArmLabelDetails, ArmLabelDetails];
}

/** Strata of labels by segment and of the numbers in labels, beside those of accuracy itself (accuracy.ts). */
export class LabelDetails {
  private readonly strataMs: number;
  private readonly open = new Map<string, OpenStratum>();
  /** No open stratum is earlier. */
  private earliest = Infinity;

  constructor(private readonly labelsWithinMs: number) {
    this.strataMs = strataMsOf(labelsWithinMs);
  }

  add({ generation, stratum, strataMs, stable, canary }: LabelShare): void {
    if (strataMs !== this.strataMs) return;
    const key = `${generation} ${stratum}`;
    let open = this.open.get(key);
    if (!open) {
      if (this.open.size >= OPEN_STRATA_MAX) return;
      open = { generation, stratum, arms: [new ArmLabelDetails(), new ArmLabelDetails()] };
      this.put(open);
    }
    open.arms[0].add(stable);
    open.arms[1].add(canary);
  }

  /** Takes out, oldest first, every stratum that all label partitions have passed. */
  close(passedMs: number): readonly ClosedStratum[] {
    const closed = (stratum: number): boolean =>
      stratumClosesAtMs(stratum, this.strataMs, this.labelsWithinMs) <= passedMs;
    if (!closed(this.earliest)) return [];
    const due = [...this.open.values()].filter(({ stratum }) => closed(stratum));
    due.sort((a, b) => a.generation - b.generation || a.stratum - b.stratum);
    for (const { generation, stratum } of due) this.open.delete(`${generation} ${stratum}`);
    this.earliest = Infinity;
    for (const { stratum } of this.open.values()) this.earliest = Math.min(this.earliest, stratum);
    return due.map(({ generation, stratum, arms }) => ({ generation, fromMs: stratum * this.strataMs, arms }));
  }

  private put(stratum: OpenStratum): void {
    this.open.set(`${stratum.generation} ${stratum.stratum}`, stratum);
    this.earliest = Math.min(this.earliest, stratum.stratum);
  }

  write(out: PackWriter): void {
    out.uint(this.open.size);
    for (const { generation, stratum, arms } of this.open.values()) {
      out.uint(generation).uint(stratum);
      for (const arm of arms) arm.write(out);
    }
  }

  read(from: PackReader): this {
    for (let left = from.uint(); left > 0; left--) {
      const generation = from.uint();
      const stratum = from.uint();
      const arms = [new ArmLabelDetails().read(from), new ArmLabelDetails().read(from)] as const;
      this.put({ generation, stratum, arms });
    }
    return this;
  }
}
