import { CanaryError, type Cut, type OutRecord, type TransactionalProducer } from '@app/shared';
import { encodeCheckpoint } from '../domain/cut/checkpoint.js';
import { nextFront, NO_STOPS, type Stops, summariesBetween } from '../domain/cut/next-front.js';
import { type CutFront, cutFields, type SlotView } from '../domain/cut/slot-view.js';
import { cutRecord, verdictRecord } from '../domain/cut/verdict-envelope.js';
import { CUT_INTERVAL_MS } from '../domain/engine.js';
import type { PlacedSummary } from '../domain/summary.js';
import { type OwnerDeps, slotsInOrder } from './owner-deps.js';
import { OwnerLog } from './owner-log.js';
import { SlotReader } from './slot-reader.js';
import { type Standing, takeOver } from './takeover.js';

export const CHECKPOINT_INTERVAL_MS = 10_000;

export type CutResult =
  | { readonly kind: 'published'; readonly cut: Cut; readonly verdicts: number; readonly checkpoint: boolean }
  /** Nothing moved, or there is nobody to cut for. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'unreadable'; readonly error: unknown };

/**
 * One term of ownership of a partition of evaluator-checkpoint: from fencing to the first error that ends it. What it
 * holds in memory is right only as long as every cut was published, so after a rejected cut() it is thrown away.
 */
export class OwnerSession {
  private readonly reader: SlotReader;
  private readonly log: OwnerLog;
  private stops: Stops = NO_STOPS;
  private checkpointedMs: number | null = null;

  private constructor(
    private readonly deps: OwnerDeps,
    private readonly owner: number,
    private readonly producer: TransactionalProducer,
    private standing: Standing,
  ) {
    this.reader = new SlotReader(deps, owner);
    this.log = new OwnerLog(deps.bus, deps.topics, deps.logger);
  }

  /** Fences the former owner, then takes over; see takeOver(). */
  static async begin(
    deps: OwnerDeps,
    owner: number,
    options: { readonly trimmedForGood: boolean; readonly signal: AbortSignal },
  ): Promise<OwnerSession> {
    const producer = deps.bus.transactionalProducer(`${deps.transactionalIdBase}-${owner}`);
    try {
      await producer.fence();
      return new OwnerSession(deps, owner, producer, await takeOver(deps, owner, options));
    } catch (error) {
      await producer.close();
      throw error;
    }
  }

  /** The newest cut and how far it reaches. */
  stands(): { readonly number: number; readonly front: CutFront } {
    return this.standing;
  }

  /** From one cut to the next, as things stand. */
  intervalMs(): number {
    const { models } = this.standing;
    if (!models.hasOpenRollouts() && !this.beginsRollout()) return CUT_INTERVAL_MS.idle;
    return models.urgent() ? CUT_INTERVAL_MS.urgent : CUT_INTERVAL_MS.open;
  }

  /** Whether a model of its has a rollout that none of its cuts knows of yet. */
  private beginsRollout(): boolean {
    const { plans } = this.deps;
    const { models } = this.standing;
    for (const model of plans.modelsOf(this.owner))
      if (plans.hasNewRollout(model, models.get(model)?.sequence ?? -1)) return true;
    return false;
  }

  /**
   * Makes and publishes the next cut. Rejects with CanaryError `fenced`, `unclear` or `trimmed-beyond-cut` when this term
   * is over; the caller begins again.
   */
  async cut(): Promise<CutResult> {
    const startedMs = this.deps.clock.monotonicMs();
    let views: readonly (SlotView | null)[];
    try {
      views = await this.reader.read(this.standing.front);
    } catch (error) {
      if (error instanceof CanaryError && error.code === 'trimmed-beyond-cut') throw error;
      this.deps.metrics.storeUnreadable();
      return { kind: 'unreadable', error };
    }
    const next = this.nextCut(views);
    if (!next) return { kind: 'idle' };

    const verdictsFrom = await this.verdictsFromIfCheckpointIsDue();
    const { models } = this.standing;
    const folded = models.foldCut(next.cut, next.summaries, (model, sequence) => this.deps.plans.at(model, sequence));
    this.standing = { number: next.cut.number, front: next.front, models };
    for (const { model, error } of folded.failures) {
      this.deps.metrics.engineFailed(model);
      this.deps.logger.error(
        { err: error, model, cut: next.cut.number },
        'the verdict engine threw: the model is held',
      );
    }
    const { verdict: verdictTopic } = this.deps.topics;
    const checkpoint = verdictsFrom === null ? [] : this.checkpointRecords(next.cut, verdictsFrom);
    await this.producer.transaction([
      cutRecord(next.cut, verdictTopic),
      ...folded.verdicts.map((verdict) => verdictRecord(verdict, verdictTopic, this.owner)),
      ...checkpoint,
    ]);
    this.report({ startedMs, cut: next.cut, summaries: next.summaries.length, verdicts: folded.verdicts.length });
    if (checkpoint.length > 0) await this.afterCheckpoint(next.front);
    return { kind: 'published', cut: next.cut, verdicts: folded.verdicts.length, checkpoint: checkpoint.length > 0 };
  }

  async close(): Promise<void> {
    await this.producer.close();
  }

  /** Null when there is nothing to cut. */
  private nextCut(
    views: readonly (SlotView | null)[],
  ): { readonly cut: Cut; readonly front: CutFront; readonly summaries: readonly PlacedSummary[] } | null {
    const { plans, slotCounts } = this.deps;
    const { number, front: from, models } = this.standing;
    const known: Record<string, number> = {};
    for (const model of [...plans.modelsOf(this.owner)].sort()) {
      const newest = plans.newest(model);
      if (newest && newest.sequence > (models.get(model)?.sequence ?? -1)) known[model] = newest.sequence;
    }
    const { front, stops, moved } = nextFront({
      front: from,
      views,
      stops: this.stops,
      knownGeneration: (model) => plans.newest(model)?.plan.generation ?? -1,
    });
    this.stops = stops;
    const summaries = [...summariesBetween(from, front, views)];
    const news = Object.keys(known).length > 0;
    const nobody = models.all().length === 0 && !news && summaries.length === 0;
    if (nobody || (!moved && !news)) return null;
    const cut: Cut = {
      kind: 'cut',
      schemaVersion: 1,
      owner: this.owner,
      number: number + 1,
      ...cutFields(front, slotCounts),
      known,
    };
    return { cut, front, summaries };
  }

  /**
   * Where the verdict partition ends now, if a checkpoint is due: in a term's first cut, so that nobody ever folds across
   * two terms, and every 10 s. Null when it is not due, or cannot be had: the next cut tries again.
   */
  private async verdictsFromIfCheckpointIsDue(): Promise<number | null> {
    const nowMs = this.deps.clock.monotonicMs();
    if (this.checkpointedMs !== null && nowMs - this.checkpointedMs < CHECKPOINT_INTERVAL_MS) return null;
    try {
      return await this.log.verdictsEnd(this.owner);
    } catch (error) {
      this.deps.logger.warn(
        { err: error, owner: this.owner },
        'no checkpoint in this cut: the end of the verdicts is not known',
      );
      return null;
    }
  }

  private checkpointRecords(cut: Cut, verdictsFrom: number): readonly OutRecord[] {
    const { owner, number, positions, logTimes } = cut;
    const records = encodeCheckpoint({ owner, number, positions, logTimes, verdictsFrom }, this.standing.models);
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    this.deps.metrics.checkpointWritten({ owner, bytes });
    return records.map(({ key, value }) => ({ topic: this.deps.topics.checkpoint, partition: owner, key, value }));
  }

  /**
   * Summaries are trimmed up to the checkpoint that was just committed, not to the cut: whoever takes over begins at the
   * newest checkpoint and needs the summaries of all cuts after it. A trim that fails is made up for by the next one.
   */
  private async afterCheckpoint({ positions }: CutFront): Promise<void> {
    this.checkpointedMs = this.deps.clock.monotonicMs();
    const slots = slotsInOrder(this.deps.slotCounts);
    const trims = await Promise.allSettled(
      slots.map((slot, i) => this.deps.slotStore.trim(slot, this.owner, positions[i]!)),
    );
    const failed = trims.find((trim) => trim.status === 'rejected');
    if (failed)
      this.deps.logger.warn({ err: failed.reason as unknown, owner: this.owner }, 'summaries could not be trimmed');
  }

  private report(cut: { startedMs: number; cut: Cut; summaries: number; verdicts: number }): void {
    this.deps.metrics.cutPublished({
      owner: this.owner,
      durationMs: this.deps.clock.monotonicMs() - cut.startedMs,
      asOfMs: cut.cut.asOf,
      summaries: cut.summaries,
      verdicts: cut.verdicts,
    });
  }
}
