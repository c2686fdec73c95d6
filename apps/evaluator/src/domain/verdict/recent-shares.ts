import type { PackReader, PackWriter } from '@app/shared';

/** Seconds of routing time that are kept. */
const SECONDS = 10;
type Counts = readonly [n1: number, x1: number, n0: number, x0: number];

/** Both arms' predictions and errors in the last 10 s of routing time, second by second. */
export class RecentShares {
  /** Second number held by each cell; -1: none. */
  private readonly seconds = new Float64Array(SECONDS).fill(-1);
  private readonly counts = Array.from({ length: SECONDS }, () => new Float64Array(4));
  private newest = -1;

  /** Counts `now` at routing time `tMs`, in place of `before`. */
  add(tMs: number, now: Counts, before: Counts | null): void {
    const second = Math.floor(tMs / 1000);
    if (second <= this.newest - SECONDS) return;
    if (second > this.newest) this.newest = second;
    const cell = second % SECONDS;
    const kept = this.seconds[cell] === second;
    if (!kept) {
      this.seconds[cell] = second;
      this.counts[cell]!.fill(0);
    }
    for (let i = 0; i < 4; i++) this.counts[cell]![i]! += now[i]! - (kept && before ? before[i]! : 0);
  }

  /** Sums over the newest `seconds` seconds. */
  over(seconds: number): { readonly n1: number; readonly x1: number; readonly n0: number; readonly x0: number } {
    const sums = [0, 0, 0, 0];
    for (let cell = 0; cell < SECONDS; cell++) {
      const second = this.seconds[cell]!;
      if (second < 0 || second <= this.newest - seconds) continue;
      for (let i = 0; i < 4; i++) sums[i]! += this.counts[cell]![i]!;
    }
    const [n1, x1, n0, x0] = sums as [number, number, number, number];
    return { n1, x1, n0, x0 };
  }

  write(out: PackWriter): void {
    out.uintOrNone(this.newest);
    for (let cell = 0; cell < SECONDS; cell++) {
      out.uintOrNone(this.seconds[cell]!);
      if (this.seconds[cell]! >= 0) for (const count of this.counts[cell]!) out.uint(count);
    }
  }

  read(from: PackReader): void {
    this.newest = from.uintOrNone();
    for (let cell = 0; cell < SECONDS; cell++) {
      this.seconds[cell] = from.uintOrNone();
      if (this.seconds[cell]! >= 0) for (let i = 0; i < 4; i++) this.counts[cell]![i] = from.uint();
    }
  }
}
