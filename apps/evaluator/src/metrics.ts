import { addProcessMetrics } from '@app/shared';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OwnerMetrics } from './model-owner/owner-metrics.js';
import type { SlotMetrics } from './slot-owner/slot-metrics.js';
import { type SlotId, slotName } from './slot-store/slot-store.js';

type BatchFolded = Parameters<SlotMetrics['batchFolded']>[0];

/** Every metric of the evaluator. */
export class EvaluatorMetrics implements OwnerMetrics, SlotMetrics {
  readonly registry = new Registry();
  private readonly newestAsOfMs = new Map<number, number>();
  private lastSealedMs: number | null = null;

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

  private readonly records = new Counter({
    name: 'model_canary_evaluator_records_total',
    help: 'Records taken into slots, by kind of topic: outcome, label.',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  private readonly folded = new Counter({
    name: 'model_canary_evaluator_folded_total',
    help: 'Outcomes or labels taken in, by kind of topic: evidence or not, each once.',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  private readonly notCounted = new Counter({
    name: 'model_canary_evaluator_not_counted_total',
    help: 'What is no evidence, by reason: duplicate records, late and uncounted labels.',
    labelNames: ['kind', 'reason'],
    registers: [this.registry],
  });
  private readonly bucketsLeftOut = new Counter({
    name: 'model_canary_evaluator_buckets_left_out_total',
    help: 'Buckets left out of the comparison, both arms: outcomes of it were lost, or it never became final (overdue).',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  private readonly slotSummaries = new Counter({
    name: 'model_canary_evaluator_summaries_written_total',
    help: 'Summaries put into slots for the owners of models.',
    registers: [this.registry],
  });
  private readonly batchSeconds = new Histogram({
    name: 'model_canary_evaluator_batch_duration_seconds',
    help: "From a batch's arrival to the slot's new position.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });
  private readonly slotLag = new Gauge({
    name: 'model_canary_evaluator_slot_lag_records',
    help: 'Records of a partition that are still to be read, by slot owned here.',
    labelNames: ['slot'],
    registers: [this.registry],
  });
  private readonly deadLetters = new Counter({
    name: 'model_canary_dead_letters_total',
    help: 'Records that could not be used, by cause.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  private readonly slotsMoved = new Counter({
    name: 'model_canary_evaluator_slots_moved_total',
    help: 'Slots found elsewhere than they were left: another owner was at work, or the store came back from a backup.',
    registers: [this.registry],
  });
  private readonly slotsRestored = new Counter({
    name: 'model_canary_evaluator_slots_restored_total',
    help: 'Slots made anew, from a checkpoint or from the beginning of their partition.',
    labelNames: ['from'],
    registers: [this.registry],
  });
  private readonly missed = new Counter({
    name: 'model_canary_evaluator_records_missed_total',
    help: 'Records that retention took before they were read. Their buckets are left out.',
    registers: [this.registry],
  });
  private readonly batchesFailed = new Counter({
    name: 'model_canary_evaluator_batches_failed_total',
    help: 'Batches that could not be taken in because the slot store or the broker was away; they come again.',
    registers: [this.registry],
  });
  private readonly ticks = new Counter({
    name: 'model_canary_evaluator_ticks_total',
    help: 'Ticks written to silent partitions.',
    registers: [this.registry],
  });
  private readonly slotCheckpoints = new Counter({
    name: 'model_canary_evaluator_slot_checkpoints_total',
    help: 'Checkpoints of slots written.',
    registers: [this.registry],
  });
  private readonly slotCheckpointBytes = new Counter({
    name: 'model_canary_evaluator_slot_checkpoint_bytes_total',
    help: 'Bytes of the checkpoints of slots.',
    registers: [this.registry],
  });

  /** @param nowMs wall-clock time, for the ages of the newest cut and of the newest sealed bucket. */
  constructor(private readonly nowMs: () => number) {
    const { newestAsOfMs } = this;
    const sealedMs = (): number | null => this.lastSealedMs;
    addProcessMetrics(this.registry, 'evaluator');
    new Gauge({
      name: 'model_canary_evaluator_sealed_bucket_age_seconds',
      help: 'Time since a bucket of outcomes was last sealed into a summary here; no sample before the first.',
      registers: [this.registry],
      collect() {
        const atMs = sealedMs();
        if (atMs === null) this.remove();
        else this.set(Math.max(0, nowMs() - atMs) / 1000);
      },
    });
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

  tookOver({ durationMs, how }: Parameters<OwnerMetrics['tookOver']>[0]): void {
    this.takeovers.inc({ anew: String(how === 'anew') });
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

  batchFolded({ slot, records, summaries, counts, durationMs, lag }: BatchFolded): void {
    const { kind } = slot;
    this.records.inc({ kind }, records);
    this.folded.inc({ kind }, counts.folded);
    this.slotSummaries.inc(summaries);
    if (kind === 'outcome' && summaries > 0) this.lastSealedMs = this.nowMs();
    this.batchSeconds.observe(durationMs / 1000);
    this.slotLag.set({ slot: slotName(slot) }, lag);
    if (counts.duplicates > 0) this.notCounted.inc({ kind, reason: 'duplicate' }, counts.duplicates);
    if (counts.late > 0) this.notCounted.inc({ kind, reason: 'late' }, counts.late);
    if (counts.uncounted > 0) this.notCounted.inc({ kind, reason: 'uncounted' }, counts.uncounted);
    if (counts.lost > 0) this.bucketsLeftOut.inc({ cause: 'lost' }, counts.lost);
    if (counts.overdue > 0) this.bucketsLeftOut.inc({ cause: 'overdue' }, counts.overdue);
  }

  deadLettered(_slot: SlotId, code: string): void {
    this.deadLetters.inc({ cause: code });
  }

  slotMoved(): void {
    this.slotsMoved.inc();
  }

  slotRestored(_slot: SlotId, from: 'checkpoint' | 'beginning'): void {
    this.slotsRestored.inc({ from });
  }

  recordsMissed(_slot: SlotId, records: number): void {
    this.missed.inc(records);
  }

  batchFailed(): void {
    this.batchesFailed.inc();
  }

  tickWritten(): void {
    this.ticks.inc();
  }

  slotCheckpointWritten({ bytes }: { readonly bytes: number }): void {
    this.slotCheckpoints.inc();
    this.slotCheckpointBytes.inc(bytes);
  }

  slotReleased(slot: SlotId): void {
    this.slotLag.remove({ slot: slotName(slot) });
  }
}
