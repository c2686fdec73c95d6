import { CanaryError } from '@app/shared';
import type { CutFront, SlotView } from '../domain/cut/slot-view.js';
import { type OwnerDeps, slotsInOrder } from './owner-deps.js';

const POLL_MS = 100;
/** How often waiting for the slots is told to the log. */
const WAITING_LOG_MS = 30_000;

/** Reads all slots for one owner. */
export class SlotReader {
  private readonly slots;
  private readonly beyondAll: readonly number[];

  constructor(
    private readonly deps: Pick<OwnerDeps, 'slotStore' | 'slotCounts' | 'sleep' | 'clock' | 'logger'>,
    private readonly owner: number,
  ) {
    this.slots = slotsInOrder(deps.slotCounts);
    this.beyondAll = this.slots.map(() => Number.MAX_SAFE_INTEGER);
  }

  /**
   * All slots in order, each with its summaries from the front on; null where a slot cannot be read or is behind the
   * front. Throws CanaryError `trimmed-beyond-cut` when summaries at the front are gone: another owner went on from here.
   */
  read(front: CutFront): Promise<readonly (SlotView | null)[]> {
    return this.readFrom(front, front.positions);
  }

  /** As read(), but waits until every slot has come to the target. */
  async readUpTo(front: CutFront, target: CutFront, signal: AbortSignal): Promise<readonly (SlotView | null)[]> {
    let toldMs = this.deps.clock.monotonicMs();
    for (;;) {
      // Summaries are read only when all of them are there: slots that are filled anew would give ever more of them each time.
      const reached = await this.readIfPossible(front, this.beyondAll);
      const views =
        reached && reaches(reached, front, target) ? await this.readIfPossible(front, front.positions) : null;
      if (views && reaches(views, front, target)) return views;
      if (this.deps.clock.monotonicMs() - toldMs >= WAITING_LOG_MS) {
        toldMs = this.deps.clock.monotonicMs();
        const { owner } = this;
        this.deps.logger.warn(
          { owner, behind: this.behind(reached, front, target) },
          'waiting for slots to come to a cut',
        );
      }
      await this.deps.sleep(POLL_MS, signal);
    }
  }

  private async readFrom(front: CutFront, from: readonly number[]): Promise<readonly (SlotView | null)[]> {
    const reads = this.slots.map((slot, i) => ({ slot, from: from[i]! }));
    const views = await this.deps.slotStore.readAllForOwner(this.owner, reads);
    views.forEach((view, i) => {
      if (!view || view.trimmedTo <= front.positions[i]!) return;
      const { kind, partition } = this.slots[i]!;
      throw new CanaryError(
        'trimmed-beyond-cut',
        `${kind} ${partition}: summaries of owner ${this.owner} below ${view.trimmedTo} are gone, its cut is at ${front.positions[i]}`,
      );
    });
    return views;
  }

  private async readIfPossible(front: CutFront, from: readonly number[]): Promise<readonly (SlotView | null)[] | null> {
    try {
      return await this.readFrom(front, from);
    } catch (error) {
      if (error instanceof CanaryError && error.code === 'trimmed-beyond-cut') throw error;
      this.deps.logger.debug({ err: error, owner: this.owner }, 'the slot store cannot be read: again');
      return null;
    }
  }

  private behind(views: readonly (SlotView | null)[] | null, front: CutFront, target: CutFront): readonly string[] {
    if (!views) return ['the store cannot be read'];
    return this.slots.flatMap((slot, i) => {
      const wanted = target.positions[i]!;
      const position = views[i]?.position ?? null;
      if (wanted === front.positions[i] || (position ?? -1) >= wanted) return [];
      return `${slot.kind} ${slot.partition}: ${position ?? 'missing'} of ${wanted}`;
    });
  }
}

/** Whether views read from a front hold everything up to a target. */
export function reaches(views: readonly (SlotView | null)[], front: CutFront, target: CutFront): boolean {
  return target.positions.every((wanted, i) => wanted <= front.positions[i]! || (views[i]?.position ?? -1) >= wanted);
}
