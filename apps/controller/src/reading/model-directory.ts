import type { BusBatch, BusFollower, BusRecord, Logger, MessageBus, RolloutState, TopicNames } from '@app/shared';
import type { ControllerMetrics } from '../metrics.js';
import { readStateRecord } from '../ownership/read-record.js';
import type { RefusedRecord } from '../ownership/records.js';
import type { EventLog } from './event-log.js';
import { placeOf } from './log-positions.js';

export interface ModelDirectoryDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  readonly events: EventLog;
}

type Watcher = (state: RolloutState) => void;

/** All models as rollout-state has them, whoever decides about them: what the API answers from. */
export class ModelDirectory {
  private readonly models = new Map<string, RolloutState>();
  private readonly watchers = new Map<string, Set<Watcher>>();
  private readonly follower: BusFollower;
  private complete = false;
  /** Resolves once everything that stood in the topic at the start is known; closing ends it too. */
  readonly caughtUp: Promise<void>;
  private onUnreadable: (refused: RefusedRecord) => void = () => undefined;

  constructor(private readonly deps: ModelDirectoryDeps) {
    this.follower = deps.bus.follower({
      topics: [deps.topics.state],
      readCommitted: true,
      onBatch: (batch) => this.read(batch),
      onError: (error) => deps.logger.warn({ err: error }, 'following rollout-state failed, it goes on by itself'),
    });
    this.caughtUp = this.follower.caughtUp().then(
      () => void (this.complete = true),
      () => undefined, // closed before it was
    );
  }

  /** Why answers may be wrong now, or null. */
  unready(): string | null {
    if (!this.complete) return 'rollout-state has not been read to its end yet';
    return this.follower.isCurrent() ? null : 'rollout-state cannot be followed: Kafka is away';
  }

  /** Told of records that come from now on and cannot be read; of those before, owners of partitions know. */
  watchUnreadable(onUnreadable: (refused: RefusedRecord) => void): void {
    this.onUnreadable = onUnreadable;
  }

  find(model: string): RolloutState | undefined {
    return this.models.get(model);
  }

  /** By name. */
  all(): RolloutState[] {
    return [...this.models.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
  }

  /** Resolves with the first state of the model that fits, now or later; null when none has come within timeoutMs. */
  waitFor(model: string, fits: (state: RolloutState) => boolean, timeoutMs: number): Promise<RolloutState | null> {
    const known = this.models.get(model);
    if (known && fits(known)) return Promise.resolve(known);
    return new Promise((resolve) => {
      const watchers = this.watchers.get(model) ?? new Set<Watcher>();
      this.watchers.set(model, watchers);
      const end = (state: RolloutState | null): void => {
        clearTimeout(timer);
        watchers.delete(watch);
        if (watchers.size === 0) this.watchers.delete(model);
        resolve(state);
      };
      const watch: Watcher = (state) => {
        if (fits(state)) end(state);
      };
      const timer = setTimeout(() => end(null), timeoutMs);
      watchers.add(watch);
    });
  }

  async close(): Promise<void> {
    await this.follower.close();
  }

  private read(batch: BusBatch): void {
    for (const record of batch.records) this.readRecord(record, batch);
    this.deps.events.passed(placeOf('state', batch.partition), batch.nextOffset);
  }

  private readRecord(record: BusRecord, { topic, partition }: BusBatch): void {
    const model = record.key?.toString('utf8') ?? '';
    const before = this.models.get(model);
    const read = readStateRecord(record);
    if (read.kind === 'tombstone') {
      this.models.delete(model);
      this.deps.metrics.weightsRead(before, undefined);
      this.tell(model, null, { partition, offset: record.offset });
      return;
    }
    if (read.kind === 'unusable') {
      const { cause } = read;
      this.deps.logger.warn({ topic, partition, offset: record.offset, cause }, 'a state cannot be read');
      if (this.complete) this.onUnreadable({ topic, partition, record, cause });
      return; // the last readable one stays
    }
    this.models.set(model, read.state);
    this.deps.metrics.weightsRead(before, read.state);
    this.tell(model, read.state, { partition, offset: record.offset });
    for (const watch of [...(this.watchers.get(model) ?? [])]) watch(read.state);
  }

  private tell(model: string, state: RolloutState | null, at: { partition: number; offset: number }): void {
    const data = state && { ...state, decisions: [], commands: [] };
    const place = placeOf('state', at.partition);
    this.deps.events.add({ place, offset: at.offset, event: { kind: 'state', model, data } });
  }
}
