import type {
  BusBatch,
  CanaryError,
  Clock,
  ConsumedOffset,
  GroupMember,
  Logger,
  MessageBus,
  OutRecord,
  TopicNames,
  TransactionalProducer,
} from '@app/shared';
import { isOpen } from '../domain/rollout/draft.js';
import type { ReadinessInput } from '../domain/rollout/inputs.js';
import type { ControllerMetrics } from '../metrics.js';
import { EvaluatorWatch } from './evaluator-watch.js';
import { PartitionStates } from './partition-states.js';
import { RecordHandler } from './record-handler.js';
import type { RefusedRecord } from './records.js';
import { Turn } from './turn.js';

export interface PartitionOwnerDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly transactionalIdPrefix: string;
  /** Partitions of every control topic. */
  readonly controlPartitions: number;
  /** The group membership this ownership rests on; null once it is lost. */
  readonly member: () => GroupMember | null;
  readonly onLost: (owner: PartitionOwner, cause: unknown) => void;
}

/** A rollout whose canary is to be asked whether it is ready. */
export interface AwaitedCanary {
  readonly model: string;
  readonly rollout: string;
  readonly url: string;
}

/** Offsets that nothing was written for wait so long for company. What is read again because of it changes nothing. */
const IDLE_COMMIT_MS = 5_000;

/**
 * Decides about all models of one control partition, alone: it fences whoever did so before, reads their states to the
 * end, and from then on writes decisions, states and consumed offsets in one transaction. The first transaction that
 * fails ends it: what it holds in memory may not be what the topic says.
 */
export class PartitionOwner {
  private readonly states: PartitionStates;
  private readonly records: RecordHandler;
  private readonly producer: TransactionalProducer;
  private readonly waitingOffsets = new Map<string, number>();
  private lastCommitMs: number;
  private watch: EvaluatorWatch;
  private queue: Promise<unknown> = Promise.resolve();
  private ended: Error | null = null;
  private readonly taken: Promise<void>;
  private ticking = false;

  constructor(
    readonly partition: number,
    private readonly deps: PartitionOwnerDeps,
  ) {
    this.states = new PartitionStates({ ...deps, topic: deps.topics.state, partition });
    this.records = new RecordHandler({ ...deps, partition, states: this.states });
    this.producer = deps.bus.transactionalProducer(`${deps.transactionalIdPrefix}-${partition}`);
    this.lastCommitMs = deps.clock.monotonicMs();
    this.watch = new EvaluatorWatch(deps.clock);
    this.taken = this.serially(() => this.take());
    this.taken.catch(() => undefined); // told through onLost; batches meet it again
  }

  /** Handles a batch of verdicts or commands. Rejects when this ownership is over: the batch is then somebody else's. */
  async handle(batch: BusBatch): Promise<void> {
    await this.taken;
    await this.serially(async () => {
      const turn = this.begin();
      this.records.handle(turn, batch, this.watch);
      this.waitingOffsets.set(batch.topic, batch.nextOffset);
      this.deps.metrics.readUpTo(batch);
      await this.commit(turn);
    });
  }

  /** Does what is due by the clock; nothing while the last tick still runs. Never rejects: a loss goes to onLost. */
  async tick(): Promise<void> {
    if (this.ticking || this.ended) return;
    this.ticking = true;
    try {
      await this.taken;
      await this.serially(() => this.commit(this.due()));
    } catch (error) {
      this.deps.logger.debug({ err: error, partition: this.partition }, 'tick of an ownership that is over');
    } finally {
      this.ticking = false;
    }
  }

  /** Hands in what a canary answered. Rejects when this ownership is over. */
  async answer(model: string, input: ReadinessInput): Promise<void> {
    await this.taken;
    await this.serially(async () => {
      const turn = this.begin();
      turn.move(model, input);
      await this.commit(turn);
    });
  }

  /** Writes a state that cannot be read to the dead letters. Rejects when this ownership is over. */
  async refuseState(refused: RefusedRecord): Promise<void> {
    await this.taken;
    await this.serially(() => this.commitRefused([refused]));
  }

  /** Canaries that nobody has been sent to yet. */
  awaited(): readonly AwaitedCanary[] {
    if (this.ended) return [];
    return [...this.states.models.values()].flatMap(({ model, rollout, versions }) => {
      if (rollout?.status !== 'waiting-ready') return [];
      const url = versions[rollout.canary]?.url;
      return url === undefined ? [] : [{ model, rollout: rollout.rollout, url }];
    });
  }

  /** Commits offsets that wait, if this ownership still stands. */
  async flush(): Promise<void> {
    if (!this.ended && this.waitingOffsets.size > 0) await this.serially(() => this.write([]));
  }

  /** Ends the ownership. What is under way is finished, or fails. */
  async close(): Promise<void> {
    this.ended ??= new Error(`partition ${this.partition} was given back`);
    this.deps.metrics.partitionLeft(this.partition);
    await this.states.close();
    await this.queue.catch(() => undefined);
    await this.producer.close();
  }

  /** Batches of two topics, ticks and answers come at any time; decisions are made one after the other. */
  private serially<T>(task: () => Promise<T>): Promise<T> {
    const run = this.queue.then(async () => {
      if (this.ended) throw this.ended;
      try {
        return await task();
      } catch (error) {
        this.lose(error as Error);
        throw error;
      }
    });
    this.queue = run.catch(() => undefined);
    return run;
  }

  private lose(error: Error): void {
    if (this.ended) return;
    this.ended = error;
    this.deps.metrics.ownershipsLost.inc({ cause: (error as CanaryError).code ?? 'error' });
    this.deps.onLost(this, error);
  }

  private async take(): Promise<void> {
    await this.producer.fence();
    if (this.ended) throw this.ended;
    await this.states.readToEnd();
    // Again at each takeover for as long as they stand: nothing else remembers which were told.
    await this.commitRefused(this.states.takeRefused());
    this.watch = new EvaluatorWatch(this.deps.clock);
    this.deps.logger.info({ partition: this.partition, models: this.states.models.size }, 'partition taken');
  }

  private async commitRefused(refused: readonly RefusedRecord[]): Promise<void> {
    const turn = this.begin();
    for (const one of refused) this.records.deadLetter(turn, one);
    const letters = turn.records(this.deps.topics);
    if (letters.length > 0) await this.producer.transaction(letters);
  }

  private begin(): Turn {
    return new Turn(this.states.models, this.deps.clock.nowMs());
  }

  private due(): Turn {
    const turn = this.begin();
    for (const state of this.states.models.values()) {
      if (!isOpen(state.rollout)) continue;
      turn.move(state.model, { kind: 'timer', silentForMs: this.watch.silentForMs(state) });
    }
    return turn;
  }

  private async commit(turn: Turn): Promise<void> {
    const { clock, topics, metrics, logger } = this.deps;
    const records = turn.records(topics);
    const waited = this.waitingOffsets.size > 0 && clock.monotonicMs() - this.lastCommitMs >= IDLE_COMMIT_MS;
    if (records.length > 0 || waited) await this.write(records);
    for (const [model, state] of turn.states) this.states.models.set(model, state);
    metrics.decided(turn.decisions);
    for (const { decisionId, action, reason, to } of turn.decisions) {
      logger.info({ decisionId, action, code: reason.code, to }, reason.text);
    }
  }

  private async write(records: readonly OutRecord[]): Promise<void> {
    const { clock, metrics, member } = this.deps;
    const { partition } = this;
    const startedMs = clock.monotonicMs();
    const group = member();
    if (!group) throw new Error('the membership of the group is gone');
    const offsets: ConsumedOffset[] = [...this.waitingOffsets].map(([topic, offset]) => ({ topic, partition, offset }));
    await this.producer.transaction(records, offsets.length > 0 ? { member: group, offsets } : undefined);
    this.waitingOffsets.clear();
    this.lastCommitMs = clock.monotonicMs();
    metrics.commitSeconds.set((this.lastCommitMs - startedMs) / 1000);
  }
}
