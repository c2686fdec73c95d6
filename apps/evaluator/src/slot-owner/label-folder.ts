import type { BusRecord, Clock, PredictionIdSealer } from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { LabelSlot } from '../domain/slot/label-slot.js';
import type { SlotImage } from '../slot-store/slot-store.js';
import type { SlotFolder } from './slot-keeper.js';

export interface LabelFolderDeps {
  readonly sealer: PredictionIdSealer;
  readonly controlPartitions: number;
  readonly directory: GenerationDirectory;
  readonly clock: Clock;
  /** Models and generations that were waited for in vain, by this process. */
  readonly givenUp: Set<string>;
}

/** Labels are put to the log as they come, so the log's time runs as the clock does. */
const WAIT_MS_MAX = 10_000;
const GIVEN_UP_MAX = 1_000;

/** Folds labels; waits for generations that the directory has not read yet, for at most 10 s each. */
export class LabelFolder implements SlotFolder {
  private readonly slot: LabelSlot;
  private waiting: { readonly for: string; readonly sinceMs: number } | null = null;

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

  fold(records: readonly BusRecord[], nextOffset: number): FoldedBatch & { readonly waits: boolean } {
    const { directory, givenUp } = this.deps;
    this.giveUp();
    const folded = this.slot.foldBatch(records, nextOffset, { directory, givenUp });
    this.note(folded.waitsFor);
    return { ...folded, waits: folded.waitsFor !== null };
  }

  private note(waitsFor: string | null): void {
    if (waitsFor === null) this.waiting = null;
    else if (this.waiting?.for !== waitsFor) this.waiting = { for: waitsFor, sinceMs: this.deps.clock.monotonicMs() };
  }

  private giveUp(): void {
    const { clock, givenUp } = this.deps;
    if (!this.waiting || clock.monotonicMs() - this.waiting.sinceMs < WAIT_MS_MAX) return;
    if (givenUp.size >= GIVEN_UP_MAX) givenUp.clear();
    givenUp.add(this.waiting.for);
  }
}
