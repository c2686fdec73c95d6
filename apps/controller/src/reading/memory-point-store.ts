import { type PointStore, ROLLOUTS_KEPT } from './point-store.js';

export class MemoryPointStore implements PointStore {
  private readonly rollouts = new Map<string, Map<string, string>>();

  constructor(private readonly rolloutsKept = ROLLOUTS_KEPT) {}

  put(rollout: string, points: ReadonlyMap<string, string>): Promise<void> {
    const slots = this.rollouts.get(rollout) ?? new Map<string, string>();
    // Set anew, it is the last in the order in which they are forgotten.
    this.rollouts.delete(rollout);
    this.rollouts.set(rollout, slots);
    for (const [slot, point] of points) slots.set(slot, point);
    for (const oldest of this.rollouts.keys()) {
      if (this.rollouts.size <= this.rolloutsKept) break;
      this.rollouts.delete(oldest);
    }
    return Promise.resolve();
  }

  read(rollout: string): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.rollouts.get(rollout)));
  }
}
