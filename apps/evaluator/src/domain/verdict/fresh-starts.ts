import type { PackReader, PackWriter } from '@app/shared';
import { lnSum } from './kernel.js';

/** Level v starts anew every 4^v seconds, v = 0..6. */
const LEVELS = 7;
const STARTS_KEPT = 2;
/** Row 0 is the sum since the rollout began, then two starts of each level. */
export const FRESH_ROWS = 1 + LEVELS * STARTS_KEPT;
/** Scratch of one evaluation. */
const terms = new Float64Array(FRESH_ROWS);
const PERIOD_MS = Array.from({ length: LEVELS }, (_, v) => 1000 * 4 ** v);

/**
 * Sums since the rollout began, and since each of the newest starts: evidence that a canary is good piles up and would
 * hide a late fault, so the same sums also begin anew every 1, 4, 16 ... 4096 s of routing time.
 *
 *   E_fresh = sum_v (1/7) sum_m E_{v,m} / ((m+1)(m+2)),   m the number of the period of level v
 *
 * has total weight at most 1. Each level keeps the starts of its newest two periods; those dropped, and those not begun
 * yet, count 0. A start begins with the first value folded of a period later than every one its level has begun; a value
 * belongs to every start not later than itself.
 */
export class FreshStarts {
  readonly sums: Float64Array;
  /** Period number of each row's start; -1: not begun. */
  private readonly periods = new Float64Array(FRESH_ROWS).fill(-1);
  /** Whether anything has been folded. */
  begun = false;

  constructor(private readonly width: number) {
    this.sums = new Float64Array(FRESH_ROWS * width);
  }

  /** Adds `step` (width numbers) at routing time `tMs` since the rollout began; negative times count as 0. */
  add(tMs: number, step: Float64Array): void {
    this.begun = true;
    this.addRow(0, step);
    for (let v = 0; v < LEVELS; v++) {
      const period = Math.max(0, Math.floor(tMs / PERIOD_MS[v]!));
      const first = 1 + v * STARTS_KEPT;
      this.beginPeriod(first, period);
      for (let row = first; row < first + STARTS_KEPT; row++) {
        const m = this.periods[row]!;
        if (m >= 0 && m <= period) this.addRow(row, step);
      }
    }
  }

  /** ln E_fresh, with `lnE` the evidence of the sums that begin at an index; -Infinity before the first value. */
  lnFresh(lnE: (sums: Float64Array, from: number) => number): number {
    terms[0] = -Infinity;
    for (let row = 1; row < FRESH_ROWS; row++) {
      const m = this.periods[row]!;
      terms[row] = m < 0 ? -Infinity : lnE(this.sums, row * this.width) - Math.log(LEVELS * (m + 1) * (m + 2));
    }
    return lnSum(terms, FRESH_ROWS);
  }

  /** Begins the start of a period later than all before; of the others only that of the period just before is kept. */
  private beginPeriod(first: number, period: number): void {
    const [even, odd] = [this.periods[first]!, this.periods[first + 1]!];
    if (period <= Math.max(even, odd)) return;
    for (let row = first; row < first + STARTS_KEPT; row++) {
      if (this.periods[row] === period - 1) continue;
      this.periods[row] = -1;
      this.sums.fill(0, row * this.width, (row + 1) * this.width);
    }
    this.periods[first + (period % STARTS_KEPT)] = period;
  }

  private addRow(row: number, step: Float64Array): void {
    const from = row * this.width;
    for (let i = 0; i < this.width; i++) this.sums[from + i]! += step[i]!;
  }

  write(out: PackWriter): void {
    out.uint(this.begun ? 1 : 0);
    if (!this.begun) return;
    for (let row = 0; row < FRESH_ROWS; row++) {
      out.uintOrNone(this.periods[row]!);
      if (row > 0 && this.periods[row]! < 0) continue;
      for (let i = row * this.width; i < (row + 1) * this.width; i++) out.float(this.sums[i]!);
    }
  }

  read(from: PackReader): this {
    this.begun = from.uint() === 1;
    if (!this.begun) return this;
    for (let row = 0; row < FRESH_ROWS; row++) {
      this.periods[row] = from.uintOrNone();
      if (row > 0 && this.periods[row]! < 0) continue;
      for (let i = row * this.width; i < (row + 1) * this.width; i++) this.sums[i] = from.float();
    }
    return this;
  }
}
