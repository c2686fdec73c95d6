import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OwnerMetrics } from './model-owner/owner-metrics.js';

/** Every metric of the evaluator. */
export class EvaluatorMetrics implements OwnerMetrics {
  readonly registry = new Registry();
  private readonly newestAsOfMs = new Map<number, number>();

  private readonly cuts = new Counter({
    name: 'model_canary_evaluator_cuts_total',
    help: 'Cuts published.',
    registers: [this.registry],
  });
  private readonly cutSeconds = new Histogram({
    name: 'model_canary_evaluator_cut_duration_seconds',
    help: 'From reading the slots to the commit of the cut.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  private readonly summaries = new Counter({
    name: 'model_canary_evaluator_summaries_folded_total',
    help: 'Summaries of buckets and labels folded into the evidence of models.',
    registers: [this.registry],
  });
  private readonly verdicts = new Counter({
    name: 'model_canary_evaluator_verdicts_total',
    help: 'Verdicts published.',
    registers: [this.registry],
  });
  private readonly checkpoints = new Counter({
    name: 'model_canary_evaluator_checkpoints_total',
    help: 'Checkpoints of model owners written.',
    registers: [this.registry],
  });
  private readonly checkpointBytes = new Counter({
    name: 'model_canary_evaluator_checkpoint_bytes_total',
    help: 'Bytes of the checkpoints of model owners.',
    registers: [this.registry],
  });
  private readonly takeovers = new Counter({
    name: 'model_canary_evaluator_takeovers_total',
    help: 'Partitions of models taken over. anew="true": without the evidence of before, open rollouts are held.',
    labelNames: ['anew'],
    registers: [this.registry],
  });
  private readonly takeoverSeconds = new Histogram({
    name: 'model_canary_evaluator_takeover_duration_seconds',
    help: 'From the fencing of the former owner to standing where it stood.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry],
  });
  private readonly divergences = new Counter({
    name: 'model_canary_evaluator_divergences_total',
    help: 'Rollouts held because folding again gave other verdicts than were published. A person must look.',
    registers: [this.registry],
  });
  private readonly engineFailures = new Counter({
    name: 'model_canary_evaluator_engine_failures_total',
    help: 'Models held because the verdict engine threw. A person must look.',
    registers: [this.registry],
  });
  private readonly ownershipsLost = new Counter({
    name: 'model_canary_evaluator_ownerships_lost_total',
    help: 'Terms of ownership ended by an error; they begin again by themselves.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  private readonly storeUnreadables = new Counter({
    name: 'model_canary_evaluator_store_unreadable_total',
    help: 'Cuts not made because the slot store could not be read.',
    registers: [this.registry],
  });

  /** @param nowMs wall-clock time, for the age of the newest cut. */
  constructor(nowMs: () => number) {
    const { newestAsOfMs } = this;
    new Gauge({
      name: 'model_canary_evaluator_cut_lag_seconds',
      help: 'Age of the newest log time in the newest cut, of the partition where it is oldest.',
      registers: [this.registry],
      collect() {
        const oldestMs = Math.min(...newestAsOfMs.values());
        this.set(Number.isFinite(oldestMs) ? Math.max(0, nowMs() - oldestMs) / 1000 : 0);
      },
    });
    new Gauge({
      name: 'model_canary_evaluator_owned_partitions',
      help: 'Partitions of models owned here for which cuts are made.',
      registers: [this.registry],
      collect() {
        this.set(newestAsOfMs.size);
      },
    });
  }

  cutPublished(cut: Parameters<OwnerMetrics['cutPublished']>[0]): void {
    this.cuts.inc();
    this.cutSeconds.observe(cut.durationMs / 1000);
    this.summaries.inc(cut.summaries);
    this.verdicts.inc(cut.verdicts);
    if (cut.asOfMs >= 0) this.newestAsOfMs.set(cut.owner, cut.asOfMs);
  }

  checkpointWritten({ bytes }: Parameters<OwnerMetrics['checkpointWritten']>[0]): void {
    this.checkpoints.inc();
    this.checkpointBytes.inc(bytes);
  }

  tookOver({ durationMs, anew }: Parameters<OwnerMetrics['tookOver']>[0]): void {
    this.takeovers.inc({ anew: String(anew) });
    this.takeoverSeconds.observe(durationMs / 1000);
  }

  diverged(): void {
    this.divergences.inc();
  }

  engineFailed(): void {
    this.engineFailures.inc();
  }

  ownershipLost(owner: number, code: string): void {
    this.newestAsOfMs.delete(owner);
    this.ownershipsLost.inc({ cause: code });
  }

  released(owner: number): void {
    this.newestAsOfMs.delete(owner);
  }

  storeUnreadable(): void {
    this.storeUnreadables.inc();
  }
}
