import type { BusBatch, BusConsumer, ConsumerOptions, GroupMember, TopicPartition } from '../message-bus.js';
import { positionInRange } from '../start-position.js';
import type { MemoryBroker } from './memory-broker.js';
import type { GroupParticipant, MemoryGroup } from './memory-group.js';
import { Ended, type MemoryLink, untilAnswered } from './memory-link.js';
import { MemoryReader } from './memory-reader.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;

export interface MemoryConsumerDeps {
  readonly broker: MemoryBroker;
  readonly link: MemoryLink;
  readonly options: ConsumerOptions;
  readonly memberId: string;
  /** How long a member that reaches nobody goes on with what it has. */
  readonly lossNoticedAfterMs: number;
  readonly closed: () => void;
}

/** A member of a group: one reader for each partition of the present assignment. */
export class MemoryConsumer implements BusConsumer, GroupParticipant {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly strategy: ConsumerOptions['assignment'];
  readonly link: MemoryLink;
  private readonly options: ConsumerOptions;
  private readonly group: MemoryGroup;
  private readonly unsubscribe: () => void;
  private readonly ended = new Ended();
  private readers: MemoryReader[] = [];
  private readonly ending = new Set<Promise<void>>();
  private current: { readonly partitions: readonly TopicPartition[]; readonly generationId: number } | null = null;
  /** Newest generation that this member knows of. */
  private generationId = 0;
  private joining = false;
  /** An assignment that is being begun is over when this has risen. */
  private revocations = 0;
  private losing: NodeJS.Timeout | undefined;
  private closing: Promise<void> | null = null;

  constructor(private readonly deps: MemoryConsumerDeps) {
    const { broker, options, link } = deps;
    // A topic that does not exist is told at once rather than waited for.
    for (const topic of options.topics) broker.logs(topic);
    this.options = options;
    this.memberId = deps.memberId;
    this.topics = options.topics;
    this.strategy = options.assignment;
    this.link = link;
    this.group = broker.group(options.groupId);
    this.unsubscribe = link.onChange(() => this.onLink());
    void this.join();
  }

  assignment(): readonly TopicPartition[] | null {
    return this.current?.partitions ?? null;
  }

  groupMember(): GroupMember | null {
    if (!this.current) return null;
    const { groupId } = this.options;
    return { groupId, memberId: this.memberId, generationId: this.current.generationId };
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  rebalance(generationId: number): void {
    if (!this.closing && generationId >= this.generationId) void this.join();
  }

  assigned(partitions: readonly TopicPartition[], generationId: number): void {
    if (this.closing || generationId <= this.generationId) return;
    this.generationId = generationId;
    void this.revoke();
    void this.begin(partitions, generationId);
  }

  /** Gives back what it has, and asks for a place. */
  private async join(): Promise<void> {
    void this.revoke();
    if (this.joining) return;
    this.joining = true;
    while (this.ending.size > 0) await Promise.all(this.ending);
    this.joining = false;
    if (this.closing) return;
    await untilAnswered(this.link, () => this.link.call('join', () => this.group.join(this)), this.ended);
  }

  private async begin(partitions: readonly TopicPartition[], generationId: number): Promise<void> {
    const { revocations } = this;
    const committed = await untilAnswered(
      this.link,
      () => this.link.call('committed', () => partitions.map((tp) => this.group.committedOffset(tp))),
      this.ended,
    );
    if (!committed || revocations !== this.revocations) return;
    const starts = partitions.map((tp, i) => ({ tp, position: this.startOf(tp, committed[i]) }));
    this.current = { partitions, generationId };
    this.tell(() => this.options.onAssigned?.(partitions));
    this.readers = starts.map(({ tp, position }) => this.reader(tp, position));
  }

  /** Resolves when the handlers in flight have ended. */
  private revoke(): Promise<void> {
    this.revocations += 1;
    for (const reader of this.readers) {
      const ended = reader.stop().finally(() => this.ending.delete(ended));
      this.ending.add(ended);
    }
    this.readers = [];
    if (this.current) {
      this.current = null;
      this.tell(() => this.options.onRevoked?.());
    }
    return Promise.all(this.ending).then(() => undefined);
  }

  private async leave(): Promise<void> {
    clearTimeout(this.losing);
    await this.revoke();
    this.ended.set();
    this.unsubscribe();
    // Out of reach, the group finds out by itself.
    if (this.link.up) await this.link.call('leave', () => this.group.leave(this.memberId)).catch(() => undefined);
    this.deps.closed();
  }

  /** Out of reach, it goes on for a while; back again, it asks whether it still is a member. */
  private onLink(): void {
    clearTimeout(this.losing);
    if (this.closing) return;
    if (!this.link.up) {
      const { lossNoticedAfterMs } = this.deps;
      if (lossNoticedAfterMs === 0) void this.revoke();
      else this.losing = setTimeout(() => void this.revoke(), lossNoticedAfterMs);
      return;
    }
    this.link.deliver('heartbeat', () => void this.beat());
  }

  private async beat(): Promise<void> {
    const current = this.current;
    const stands =
      current !== null &&
      (await untilAnswered(
        this.link,
        () => this.link.call('heartbeat', () => this.group.isCurrent(this.memberId, current.generationId)),
        this.ended,
      ));
    if (!stands && current === this.current && !this.closing) await this.join();
  }

  private reader(tp: TopicPartition, start: number): MemoryReader {
    return new MemoryReader({
      broker: this.deps.broker,
      link: this.link,
      tp,
      start,
      bytesMax: this.options.maxBytesPerPartition ?? BYTES_PER_PARTITION_MAX,
      committed: this.options.readCommitted ?? false,
      handle: (batch) => this.handle(tp, batch),
      onMoved: (position) => this.commit(tp, position),
      onError: (error) => this.options.onError?.(error),
    });
  }

  private async commit(tp: TopicPartition, position: number): Promise<void> {
    const { start, autoCommit } = this.options;
    const member = this.current;
    if (start !== 'committed' || autoCommit === false || !member) return;
    await this.link.call('commit', () => {
      if (this.group.isCurrent(this.memberId, member.generationId)) this.group.commit(tp, position);
    });
  }

  private async handle(tp: TopicPartition, batch: BusBatch): Promise<number | undefined> {
    const result = await this.options.onBatch(batch);
    return result.kind === 'seek' ? this.inRange(tp, result.offset) : undefined;
  }

  private startOf(tp: TopicPartition, committed: number | undefined): number {
    const { start } = this.options;
    if (start === 'committed') return this.inRange(tp, committed ?? 0);
    let wanted: number | undefined;
    this.tell(() => (wanted = start(tp)));
    return this.inRange(tp, wanted);
  }

  private inRange(tp: TopicPartition, wanted: number | undefined): number {
    const { low, end, stableEnd } = this.deps.broker.logs(tp.topic)[tp.partition]!;
    const range = { low, end: this.options.readCommitted ? stableEnd : end };
    return positionInRange(tp, wanted, range, this.options.onOutOfRange);
  }

  /** A callback that throws must not break the group. */
  private tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.onError?.(error);
    }
  }
}
