import type { BusRecord, PredictionIdSealer } from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import type { Missed } from '../domain/slot/missed-records.js';
import { LabelSlot } from '../domain/slot/label-slot.js';
import type { SlotImage } from '../slot-store/slot-store.js';
import type { SlotFolder } from './slot-keeper.js';

export interface LabelFolderDeps {
  readonly sealer: PredictionIdSealer;
  readonly controlPartitions: number;
  readonly directory: GenerationDirectory;
  /** Resolves when the directory has read everything that is in rollout-state at the time of the call. */
  readonly directoryCaughtUp: () => Promise<void>;
  /** Models and generations that are not in rollout-state any more, as far as this process has found. */
  readonly givenUp: Set<string>;
}

const GIVEN_UP_MAX = 1_000;

/**
 * Folds labels; waits for generations that the directory has not read yet. The router has read of each from the same
 * topic before it made the prediction: what is not there when everything has been read is gone, for every reader to come.
 */
export class LabelFolder implements SlotFolder {
  private readonly slot: LabelSlot;
  private waiting: { readonly for: string; readAll: boolean } | null = null;

  constructor(
    private readonly deps: LabelFolderDeps,
    image: SlotImage | null,
  ) {
    this.slot = new LabelSlot(deps.sealer, deps.controlPartitions, image);
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

  fold(records: readonly BusRecord[], nextOffset: number): FoldedBatch & { readonly waits: boolean } {
    const { directory, givenUp } = this.deps;
    this.giveUp();
    const folded = this.slot.foldBatch(records, nextOffset, { directory, givenUp });
    this.note(folded.waitsFor);
    return { ...folded, waits: folded.waitsFor !== null };
  }

  private note(waitsFor: string | null): void {
    if (waitsFor === null) this.waiting = null;
    if (waitsFor === null || this.waiting?.for === waitsFor) return;
    const waiting = { for: waitsFor, readAll: false };
    this.waiting = waiting;
    this.deps.directoryCaughtUp().then(
      () => (waiting.readAll = true),
      () => undefined, // closing
    );
  }

  private giveUp(): void {
    const { givenUp } = this.deps;
    if (!this.waiting?.readAll) return;
    if (givenUp.size >= GIVEN_UP_MAX) givenUp.clear();
    givenUp.add(this.waiting.for);
  }
}
