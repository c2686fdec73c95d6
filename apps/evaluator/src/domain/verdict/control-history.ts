import type { PackReader, PackWriter } from '@app/shared';
import type { ArmCounts, BucketSummary, LabelShare } from '../summary.js';
import { BaseRateWindow } from './base-rate.js';
import { ERROR, type LatencySource } from './checks-plan.js';
import { RecentLatencies } from './quantiles.js';
import { countBad } from './cell-digest.js';

/**
 * What is known of the stable version from all its recent traffic, also before a rollout: so that a rollout begins with
 * a baseline. Everything the comparison takes from it is fixed before the bucket it is used for.
 */
export class ControlHistory {
  /** Errors so far plus pending, at the age of the early look. */
  readonly early = new BaseRateWindow();
  readonly final = new BaseRateWindow();
  /** Wrong labels, of labelled predictions; and of all answered ones, missing labels taken for right. */
  readonly wrong = new BaseRateWindow();
  readonly wrongOfAnswered = new BaseRateWindow();
  private readonly latency = new RecentLatencies();
  private readonly firstByte = new RecentLatencies();

  constructor(readonly version: string) {}

  latencies(source: LatencySource): RecentLatencies {
    return source === 'latency' ? this.latency : this.firstByte;
  }

  /** Takes in one record of a bucket; `earlyAgeMs` is the age of its early look. */
  addBucket(bucket: BucketSummary, arm: ArmCounts, earlyAgeMs: number): void {
    if (arm.routed === 0) return;
    const early = bucket.previousAgeMs < earlyAgeMs && (bucket.ageMs >= earlyAgeMs || bucket.final);
    if (!early && !bucket.final) return;
    const bad = countBad(arm.cells, ERROR);
    if (early) this.early.add(bucket.routedFrom, arm.routed, bad + arm.pending);
    if (!bucket.final) return;
    this.final.add(bucket.routedFrom, arm.routed, bad);
    this.latency.add(arm.cells);
    this.firstByte.add(arm.firstByte);
  }

  /** Takes in labels of stable's predictions. */
  addLabels(share: Pick<LabelShare, 'stratum' | 'strataMs'>, n: number, wrong: number, answered: number): void {
    const atMs = share.stratum * share.strataMs;
    this.wrong.add(atMs, n, wrong);
    this.wrongOfAnswered.add(atMs, Math.max(n, answered), wrong);
  }

  write(out: PackWriter): void {
    for (const window of [this.early, this.final, this.wrong, this.wrongOfAnswered]) window.write(out);
    this.latency.write(out);
    this.firstByte.write(out);
  }

  read(from: PackReader): this {
    for (const window of [this.early, this.final, this.wrong, this.wrongOfAnswered]) window.read(from);
    this.latency.read(from);
    this.firstByte.read(from);
    return this;
  }
}
