import { setTimeout as delay } from 'node:timers/promises';
import { type BusRecord, type Clock, modelHash } from '@app/shared';
import type { FoldedBatch, RefusedRecord } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import type { Missed } from '../domain/slot/missed-records.js';
import { OutcomeSlot } from '../domain/slot/outcome-slot.js';
import { readOutcomeRecord } from '../domain/slot/read-outcome-record.js';
import type { ModelVersion } from '../domain/window-deltas.js';
import type { SlotImage } from '../slot-store/slot-store.js';
import type { SlotFolder } from './slot-keeper.js';

export interface OutcomeFolderDeps {
  readonly partition: number;
  readonly controlPartitions: number;
  readonly directory: GenerationDirectory;
  readonly clock: Clock;
}

/** How long a model or version that is not known may still become known: it is read from another topic. */
const LEARN_MS = 1_000;
/** Nobody's wrong records may hold up a partition more often than this. */
const LEARN_EVERY_MS = 10_000;
const POLL_MS = 50;
const KNOWN_MAX = 10_000;

/**
 * Folds outcomes. The slot itself asks nothing but the records; that a model or version has no rollout-state is looked at
 * beside it, and reported as a dead letter. (Such an outcome changes no evidence of a known model: buckets are of one
 * model, and a version that its bucket record does not name is a loss.)
 */
export class OutcomeFolder implements SlotFolder {
  private readonly slot: OutcomeSlot;
  /** Those of the slot's own objects, for it names a version by the same one each time. */
  private readonly known = new Set<ModelVersion>();
  private learnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly deps: OutcomeFolderDeps,
    image: SlotImage | null,
  ) {
    this.slot = new OutcomeSlot(deps.partition, deps.controlPartitions, image);
  }

  get position(): number {
    return this.slot.position;
  }

  get logTimeMs(): number {
    return this.slot.logTimeMs;
  }

  noteMissed(missed: Missed): void {
    this.slot.noteMissed(missed);
  }

  fold(records: readonly BusRecord[], nextOffset: number): FoldedBatch {
    return this.slot.foldBatch(records, nextOffset);
  }

  async review(folded: FoldedBatch, records: readonly BusRecord[]): Promise<readonly RefusedRecord[]> {
    const named = folded.versions;
    if (named.every((version) => this.isKnown(version))) return [];
    const { clock } = this.deps;
    if (clock.monotonicMs() - this.learnedAtMs >= LEARN_EVERY_MS) {
      this.learnedAtMs = clock.monotonicMs();
      while (clock.monotonicMs() - this.learnedAtMs < LEARN_MS) {
        await delay(POLL_MS);
        if (named.every((version) => this.isKnown(version))) return [];
      }
    }
    return this.unknownOf(records);
  }

  private unknownOf(records: readonly BusRecord[]): RefusedRecord[] {
    return records.flatMap(({ offset, value }) => {
      const reading = readOutcomeRecord(value);
      if (reading.kind !== 'outcome') return [];
      const { model, version } = reading.outcome;
      if (this.isInDirectory(model, version)) return [];
      const cause = this.deps.directory.model(modelHash(model))
        ? { code: 'unknown-version', text: `${model} has no version ${version} in rollout-state` }
        : { code: 'unknown-model', text: `there is no model ${model} in rollout-state` };
      return [{ offset, cause }];
    });
  }

  private isKnown(named: ModelVersion): boolean {
    const { known } = this;
    if (known.has(named)) return true;
    if (!this.isInDirectory(named.model, named.version)) return false;
    if (known.size >= KNOWN_MAX) known.clear();
    known.add(named);
    return true;
  }

  private isInDirectory(model: string, version: string): boolean {
    return this.deps.directory.model(modelHash(model))?.hasVersion(version) ?? false;
  }
}
