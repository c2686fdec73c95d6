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
  /** Resolves when the directory has read everything that is in rollout-state at the time of the call. */
  readonly directoryCaughtUp: () => Promise<void>;
  readonly clock: Clock;
}

/** What was not in rollout-state is looked for again after this time: nobody's wrong records hold a partition up more often. */
const GIVEN_UP_MS = 10_000;
const KNOWN_MAX = 10_000;

/**
 * Folds outcomes. The slot itself asks nothing but the records; that a model or version has no rollout-state is looked at
 * beside it, and reported as a dead letter. The router has read of it from there before it used it, so what is not there
 * when everything has been read is wrong. (Such an outcome changes no evidence of a known model: buckets are of one
 * model, and a version that its bucket record does not name is a loss.)
 */
export class OutcomeFolder implements SlotFolder {
  private readonly slot: OutcomeSlot;
  /** Those of the slot's own objects, for it names a version by the same one each time. */
  private readonly known = new Set<ModelVersion>();
  /** When rollout-state had been read to the end without them, monotonic. */
  private readonly givenUp = new Map<ModelVersion, number>();

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
    const unknown = folded.versions.filter((version) => !this.isKnown(version));
    if (unknown.length === 0) return [];
    if (!unknown.every((version) => this.isGivenUp(version))) {
      await this.deps.directoryCaughtUp();
      for (const version of unknown) if (!this.isKnown(version)) this.giveUp(version);
    }
    return this.unknownOf(records);
  }

  private isGivenUp(version: ModelVersion): boolean {
    const sinceMs = this.givenUp.get(version) ?? Number.NEGATIVE_INFINITY;
    return this.deps.clock.monotonicMs() - sinceMs < GIVEN_UP_MS;
  }

  private giveUp(version: ModelVersion): void {
    if (this.givenUp.size >= KNOWN_MAX) this.givenUp.clear();
    this.givenUp.set(version, this.deps.clock.monotonicMs());
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
