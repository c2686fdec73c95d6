import {
  type BusBatch,
  type BusConsumer,
  type BatchResult,
  type Clock,
  type Logger,
  type MessageBus,
  type TopicNames,
  type TopicPartition,
} from '@app/shared';
import type { ControllerMetrics } from '../metrics.js';
import { type AwaitedCanary, PartitionOwner } from './partition-owner.js';
import type { RefusedRecord } from './records.js';
import type { ReadinessProbe } from './readiness-probe.js';

export interface OwnershipDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly readiness: ReadinessProbe;
  readonly groupId: string;
  readonly controlPartitions: number;
  readonly timing?: Partial<OwnershipTiming>;
}

export interface OwnershipTiming {
  /** How often what is due by the clock is looked at. Default 250 ms. */
  readonly tickEveryMs: number;
  /**
   * How long a new assignment is waited for after a loss, before the group is left. Default 1 s: mostly the loss comes
   * with a rebalance that is under way already.
   */
  readonly rejoinAfterMs: number;
}

const TIMING: OwnershipTiming = { tickEveryMs: 250, rejoinAfterMs: 1_000 };
const PROBE_AGAIN_MS = 2_000;

/**
 * The controllers share the partitions of verdicts and commands, partition i of both to one member. Each assignment
 * makes new owners, which fence the former ones; a lost ownership is not mended but begun again.
 */
export class Ownership {
  private owners = new Map<number, PartitionOwner>();
  private consumer: BusConsumer | null = null;
  private readonly probes = new Map<string, { readonly rollout: string; nextMs: number; asking: boolean }>();
  private readonly ticker: NodeJS.Timeout;
  private rejoining: NodeJS.Timeout | null = null;
  private closing = false;
  private readonly timing: OwnershipTiming;

  constructor(private readonly deps: OwnershipDeps) {
    this.timing = { ...TIMING, ...deps.timing };
    this.consumer = this.join();
    this.ticker = setInterval(() => this.tick(), this.timing.tickEveryMs);
  }

  /** A state that cannot be read becomes a dead letter, if its partition is ours. */
  refuseState(refused: RefusedRecord): void {
    const owner = this.owners.get(refused.partition);
    owner?.refuseState(refused).catch((error: unknown) => {
      this.deps.logger.debug({ err: error }, 'left to the next owner, which reads the state topic anew');
    });
  }

  /** Stops deciding: finishes what is under way, commits, leaves the group. */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.ticker);
    if (this.rejoining) clearTimeout(this.rejoining);
    const owners = [...this.owners.values()];
    await Promise.all(
      owners.map((owner) =>
        owner.flush().catch((error: unknown) => this.deps.logger.warn({ err: error }, 'offsets are not committed')),
      ),
    );
    await this.consumer?.close();
    await Promise.all(owners.map((owner) => owner.close()));
    this.owners.clear();
  }

  private join(): BusConsumer {
    const { bus, topics, groupId, logger } = this.deps;
    const consumer = bus.consumer({
      groupId,
      topics: [topics.verdict, topics.command],
      assignment: 'co-partitioned',
      start: 'committed',
      autoCommit: false,
      readCommitted: true,
      onAssigned: (partitions) => this.onAssigned(partitions),
      onRevoked: () => this.giveBack(),
      onOutOfRange: (tp, wanted, low, end) => this.onOutOfRange(tp, { wanted, low, end }),
      onBatch: (batch) => this.onBatch(batch),
      onError: (error) => logger.warn({ err: error }, 'consuming verdicts and commands failed, it goes on by itself'),
    });
    return consumer;
  }

  private onAssigned(partitions: readonly TopicPartition[]): void {
    this.giveBack();
    if (this.rejoining) clearTimeout(this.rejoining);
    this.rejoining = null;
    const { groupId, ...deps } = this.deps;
    for (const partition of new Set(partitions.map((tp) => tp.partition))) {
      const owner = new PartitionOwner(partition, {
        ...deps,
        transactionalIdPrefix: groupId,
        member: () => this.consumer?.groupMember() ?? null,
        onLost: (lost, cause) => this.onLost(lost, cause),
      });
      this.owners.set(partition, owner);
    }
    this.deps.metrics.ownedPartitions.set(this.owners.size);
  }

  private onOutOfRange(tp: TopicPartition, at: { wanted: number; low: number; end: number }): void {
    const { logger, metrics } = this.deps;
    if (at.wanted > at.end) return logger.warn({ ...tp, ...at }, 'a partition ends before what was read of it');
    metrics.recordsMissed(tp, at.wanted, at.low);
    const text = 'retention took records before they were read: commands among them have to be given again';
    logger.warn({ ...tp, ...at }, text);
  }

  private giveBack(): void {
    for (const owner of this.owners.values()) {
      owner.close().catch((error: unknown) => this.deps.logger.warn({ err: error }, 'a producer did not close'));
    }
    this.owners = new Map();
    this.probes.clear();
    this.deps.metrics.ownedPartitions.set(0);
  }

  private onLost(owner: PartitionOwner, cause: unknown): void {
    if (this.closing || this.owners.get(owner.partition) !== owner) return;
    this.deps.logger.warn({ err: cause, partition: owner.partition }, 'partition lost');
    this.rejoining ??= setTimeout(() => {
      this.rejoining = null;
      this.rejoin().catch((error: unknown) => this.deps.logger.error({ err: error }, 'could not join the group again'));
    }, this.timing.rejoinAfterMs);
  }

  private async rejoin(): Promise<void> {
    this.giveBack();
    await this.consumer?.close();
    this.consumer = this.closing ? null : this.join();
  }

  private async onBatch(batch: BusBatch): Promise<BatchResult> {
    const owner = this.owners.get(batch.partition);
    if (!owner) throw new Error(`partition ${batch.partition} is not owned`);
    await owner.handle(batch);
    this.askCanaries(owner);
    return { kind: 'done' };
  }

  private tick(): void {
    for (const owner of this.owners.values()) {
      void owner.tick().then(() => this.askCanaries(owner));
    }
  }

  private askCanaries(owner: PartitionOwner): void {
    for (const canary of owner.awaited()) {
      const known = this.probes.get(canary.model);
      if (known?.rollout === canary.rollout && (known.asking || known.nextMs > this.deps.clock.monotonicMs())) continue;
      this.probes.set(canary.model, { rollout: canary.rollout, nextMs: 0, asking: true });
      void this.ask(owner, canary);
    }
  }

  private async ask(owner: PartitionOwner, { model, rollout, url }: AwaitedCanary): Promise<void> {
    const answer = await this.deps.readiness.ask(url);
    try {
      await owner.answer(model, { kind: 'readiness', rollout, ...answer });
    } catch {
      // The partition went to another owner, who asks anew.
    }
    const probe = this.probes.get(model);
    if (probe?.rollout !== rollout) return;
    if (answer.ready) this.probes.delete(model);
    else this.probes.set(model, { rollout, asking: false, nextMs: this.deps.clock.monotonicMs() + PROBE_AGAIN_MS });
  }
}
