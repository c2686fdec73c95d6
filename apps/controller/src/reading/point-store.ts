/** Points of rollouts by slot, as text, for people to look at; nothing rests on them. Two adapters: Redis and memory. */
export interface PointStore {
  /** Puts points in their slots, in place of what was there. Rejects when the store is away. */
  put(rollout: string, points: ReadonlyMap<string, string>): Promise<void>;
  /** In no order; empty of a rollout that is not known (any more). Rejects when the store is away. */
  read(rollout: string): Promise<ReadonlyMap<string, string>>;
}

/** Of so many rollouts points are kept, those that were put last; some 200 KiB each after an hour. */
export const ROLLOUTS_KEPT = 400;
