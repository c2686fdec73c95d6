import type { BusConsumer, TopicPartition } from '@app/shared';
import { ModelOwner } from './model-owner.js';
import type { OwnerDeps } from './owner-deps.js';

/** A cut whose transaction the broker does not answer; what became of it whoever comes next will see. */
const CLOSE_MS_MAX = 4_000;

export interface ModelOwnersOptions {
  /** Group in which the partitions of evaluator-checkpoint are shared out. */
  readonly groupId: string;
}

/**
 * The partitions of models that this process owns. A consumer group on evaluator-checkpoint shares them out; that is all
 * it is for, what a former owner left is read apart from it. While the group rebalances owners go on: should a partition
 * have gone to another process, its fencing ends the term here.
 */
export class ModelOwners {
  private readonly owners = new Map<number, ModelOwner>();
  private readonly leaving = new Set<Promise<void>>();
  private readonly consumer: BusConsumer;
  private closing = false;
  private readonly onRollout = (owner: number): void => this.owners.get(owner)?.rolloutGoesOn();

  constructor(
    private readonly deps: OwnerDeps,
    options: ModelOwnersOptions,
  ) {
    deps.plans.addRolloutListener(this.onRollout);
    this.consumer = deps.bus.consumer({
      groupId: options.groupId,
      topics: [deps.topics.checkpoint],
      assignment: 'balanced',
      readCommitted: true,
      start: () => Number.MAX_SAFE_INTEGER, // the end: the records are not what it is for
      onAssigned: (partitions) => this.assigned(partitions),
      onBatch: () => Promise.resolve({ kind: 'done' }),
      onError: (error) => deps.logger.warn({ err: error }, 'the group of model owners: heals by itself'),
    });
  }

  hasAssignment(): boolean {
    return this.consumer.assignment() !== null;
  }

  /** The owners of this process, by partition. */
  all(): readonly ModelOwner[] {
    return [...this.owners.values()].sort((a, b) => a.partition - b.partition);
  }

  /** Ends all terms after their cut in flight, which it waits for a little, then leaves the group. */
  async close(): Promise<void> {
    this.closing = true;
    this.deps.plans.removeRolloutListener(this.onRollout);
    for (const owner of this.owners.values()) this.letGo(owner);
    const left = new AbortController();
    const patience = this.deps.sleep(CLOSE_MS_MAX, left.signal).catch(() => undefined); // all have left: no need of it
    await Promise.race([Promise.all(this.leaving).finally(() => left.abort()), patience]);
    await this.consumer.close();
  }

  private assigned(partitions: readonly TopicPartition[]): void {
    if (this.closing) return;
    const wanted = new Set(partitions.map(({ partition }) => partition));
    for (const owner of [...this.owners.values()]) {
      if (wanted.has(owner.partition)) owner.assignedAgain();
      else this.letGo(owner);
    }
    for (const partition of wanted)
      if (!this.owners.has(partition)) this.owners.set(partition, new ModelOwner(this.deps, partition));
  }

  private letGo(owner: ModelOwner): void {
    this.owners.delete(owner.partition);
    const left = owner.close().finally(() => this.leaving.delete(left));
    this.leaving.add(left);
  }
}
