import type { PackReader, PackWriter } from '@app/shared';
import { lnSum } from './kernel.js';

/** Level v starts anew every 4^v seconds, v = 0..6. */
const LEVELS = 7;
const STARTS_KEPT = 2;
/** Row 0 is the sum since the rollout began, then two starts of each level. */
export const FRESH_ROWS = 1 + LEVELS * STARTS_KEPT;
/** Scratch of one evaluation. */
const terms = new Float64Array(FRESH_ROWS);
const lnRows = new Float64Array(FRESH_ROWS);
const PERIOD_RATIO = 4;
const PERIOD_MS = Array.from({ length: LEVELS }, (_, v) => 1000 * PERIOD_RATIO ** v);

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
  /** ln of 7 (m+1)(m+2), by which a start is divided, of each row that has begun. */
  private readonly lnWeights = new Float64Array(FRESH_ROWS);
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

  /**
   * ln E_fresh, with `lnE` the evidence of the sums that begin at an index, and `lnCumulative` that of those since the
   * rollout began; -Infinity before the first value.
   */
  lnFresh(lnE: (sums: Float64Array, from: number) => number, lnCumulative = lnE(this.sums, 0)): number {
    terms[0] = -Infinity;
    lnRows[0] = lnCumulative;
    for (let row = 1; row < FRESH_ROWS; row++) {
      if (this.periods[row]! < 0) terms[row] = -Infinity;
      else {
        const same = this.sameRow(row);
        lnRows[row] = same < 0 ? lnE(this.sums, row * this.width) : lnRows[same]!;
        terms[row] = lnRows[row]! - this.lnWeights[row]!;
      }
    }
    return lnSum(terms, FRESH_ROWS);
  }

  /**
   * An earlier row with the same sums; -1: none. Starts of the same time hold the same: each began with the first value
   * not earlier than it, for a later period that had come before would have kept it from beginning.
   */
  private sameRow(row: number): number {
    const m = this.periods[row]!;
    if (m === 0) return 0;
    const finer = m * PERIOD_RATIO;
    const before = row - STARTS_KEPT - ((row - 1) % STARTS_KEPT);
    for (let other = Math.max(1, before); other < before + STARTS_KEPT; other++)
      if (this.periods[other] === finer) return other;
    return -1;
  }

  /** Begins the start of a period later than all before; of the others only that of the period just before is kept. */
  private beginPeriod(first: number, period: number): void {
    if (period <= this.periods[first]! || period <= this.periods[first + 1]!) return;
    for (let row = first; row < first + STARTS_KEPT; row++) {
      if (this.periods[row] === period - 1) continue;
      this.periods[row] = -1;
      this.sums.fill(0, row * this.width, (row + 1) * this.width);
    }
    this.setPeriod(first + (period % STARTS_KEPT), period);
  }

  private setPeriod(row: number, m: number): void {
    this.periods[row] = m;
    if (m >= 0) this.lnWeights[row] = Math.log(LEVELS * (m + 1) * (m + 2));
  }

  private addRow(row: number, step: Float64Array): void {
    const { sums, width } = this;
    const from = row * width;
    for (let i = 0; i < width; i++) sums[from + i]! += step[i]!;
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
      this.setPeriod(row, from.uintOrNone());
      if (row > 0 && this.periods[row]! < 0) continue;
      for (let i = row * this.width; i < (row + 1) * this.width; i++) this.sums[i] = from.float();
    }
    return this;
  }
}
