import type { RolloutPlan } from '../plan.js';
import type { BucketSummary } from '../summary.js';
import type { Findings } from './judge.js';
import { RecentShares } from './recent-shares.js';

/** An error ceiling could decide soon: this many of the canary's predictions of the newest second have failed. */
const ERRORS_LEAST = 3;
const ERRORS_SHARE = 0.2;
/** A canary that hangs: so much of what it got is not answered when buckets are first told of, and of stable's less. */
const PENDING_SHARE = 0.9;
const STABLE_PENDING_SHARE = 0.6;
/** A check could decide soon: its evidence has come so far to FAIL (in logs). With the usual alpha a good canary's does in a tenth of all rollouts at most. */
const EVIDENCE_SHARE = 0.5;

/** Whether a FAIL may be near. Not a part of the evidence: it says only how soon the next cut is wanted. */
export class Haste {
  private readonly pending = new RecentShares();
  private leaning = false;

  /** Of a bucket only the first record counts. */
  see(bucket: BucketSummary, plan: Pick<RolloutPlan, 'canary' | 'stable'>): void {
    if (bucket.previousAgeMs !== 0) return;
    const canary = bucket.versions[plan.canary];
    const stable = bucket.versions[plan.stable];
    this.pending.add(
      bucket.routedFrom,
      [canary?.routed ?? 0, canary?.pending ?? 0, stable?.routed ?? 0, stable?.pending ?? 0],
      null,
    );
  }

  judged({ lnE, levels }: Findings): void {
    this.leaning = lnE >= EVIDENCE_SHARE * levels.lnFail;
  }

  isNear(errors: RecentShares): boolean {
    if (this.leaning) return true;
    const failed = errors.over(1);
    if (failed.x1 >= ERRORS_LEAST && failed.x1 > ERRORS_SHARE * failed.n1) return true;
    const { n1, x1, n0, x0 } = this.pending.over(1);
    return x1 >= ERRORS_LEAST && x1 > PENDING_SHARE * n1 && x0 < STABLE_PENDING_SHARE * n0;
  }
}
