import type { PackReader, PackWriter } from '@app/shared';
import type { PairedCounts } from '../summary.js';
import { lnShareEvidence, type ShareTest } from './ceiling.js';
import { FreshStarts } from './fresh-starts.js';
import { lnHalf } from './kernel.js';
import { PairedDispersion } from './paired-dispersion.js';

const step = new Float64Array(2);

/**
 * A share of pairs held against a fixed one, in both directions: `fail` that it is above, `pass` that it is below. A null
 * test says nothing. Divided by the sticky-user correction: one user's answers differ again and again.
 */
export class ShareWatch {
  n = 0;
  x = 0;
  private readonly dispersion = new PairedDispersion();
  private readonly starts = new FreshStarts(2);
  private lnFailNow = 0;
  private lnPassNow = 0;
  private dirty = false;

  constructor(private readonly tests: { readonly fail: ShareTest | null; readonly pass: ShareTest | null }) {}

  /** Adds pairs of which `groupWorse` are the ones watched, at routing time `tMs` since the rollout began. */
  fold(tMs: number, counts: PairedCounts): void {
    const { n, worse: x } = this.dispersion.add({ ...counts, groupBetter: [] });
    if (n === 0) return;
    this.n += n;
    this.x += x;
    step[0] = n;
    step[1] = x;
    this.starts.add(tMs, step);
    this.dirty = true;
  }

  evaluate(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const { fail, pass } = this.tests;
    const d = this.dispersion.update();
    const { sums } = this.starts;
    if (fail) {
      const cumulative = lnShareEvidence(fail, sums[0]! / d, sums[1]! / d);
      const fresh = this.starts.lnFresh(
        (all, from) => lnShareEvidence(fail, all[from]! / d, all[from + 1]! / d),
        cumulative,
      );
      this.lnFailNow = lnHalf(cumulative, fresh);
    }
    if (pass) this.lnPassNow = lnShareEvidence(pass, sums[0]! / d, sums[1]! / d);
  }

  lnFail(): number {
    return this.lnFailNow;
  }

  lnPass(): number {
    return this.lnPassNow;
  }

  /** Growth of ln E for PASS a pair at the present share; 0 without a test. */
  passGrowth(): number {
    const { pass } = this.tests;
    if (!pass || this.n === 0) return 0;
    const share = this.x / this.n;
    let best = 0;
    for (let k = 0; k < pass.lnBad.length; k++)
      best = Math.max(best, share * pass.lnBad[k]! + (1 - share) * pass.lnGood[k]!);
    return best / this.dispersion.d;
  }

  write(out: PackWriter): void {
    out.uint(this.n).uint(this.x);
    this.dispersion.write(out);
    this.starts.write(out);
    out
      .float(this.lnFailNow)
      .float(this.lnPassNow)
      .uint(this.dirty ? 1 : 0);
  }

  read(from: PackReader): void {
    this.n = from.uint();
    this.x = from.uint();
    this.dispersion.read(from);
    this.starts.read(from);
    this.lnFailNow = from.float();
    this.lnPassNow = from.float();
    this.dirty = from.uint() === 1;
  }
}
