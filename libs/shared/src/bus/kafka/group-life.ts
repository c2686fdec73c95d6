import type { Batch, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, InstrumentationEvent } from 'kafkajs';
import { CanaryError } from '../../errors.js';
import type { BatchResult, TopicPartition } from '../message-bus.js';
import { positionInRange } from '../start-position.js';
import { byTopic, groupConsumer, HEARTBEAT_MS } from './group-consumer.js';
import { GroupProgress } from './group-progress.js';
import { type KafkaClient, missingTopic, partitionKey, type Ranges } from './kafka-client.js';
import { type FetchedPartition, formerMember, onFetched, type ReaderHooks } from './kafkajs-internals.js';
import { toBusBatch } from './kafka-records.js';
import { type Place, Places } from './places.js';
import type { ReaderOptions } from './reader-options.js';
import { within } from './within.js';

const CONCURRENT_PARTITIONS = 64;
const ANSWER_MS_MAX = 5000;
const MISSING_LOOK_MS = 3000;
const REDELIVERY_PAUSE_MS = 100;
const STALL_CHECK_MS = 500;
const ABANDON_START_MS = 8000;
const DISCONNECT_MS = 5000;

/**
 * One life of a kafkajs consumer, from a new client to its end: a crash, a failed start, or no progress for 4 s though
 * there is something to read. kafkajs cannot be revived after some faults; its supervisor makes a new one.
 */
export class GroupLife {
  private readonly consumer: Consumer;
  private readonly ended = Promise.withResolvers<Error>();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private places = new Places([]);
  private ranges: Ranges = new Map();
  /** Those of the wanted ones that exist. */
  private topics: readonly string[] = [];
  private starting: Promise<void> = Promise.resolve();
  private stallCheck: NodeJS.Timeout | undefined;
  private joins = 0;
  private assigned = false;
  private readonly progress = new GroupProgress(performance.now());
  private closing = false;
  private over = false;

  constructor(
    private readonly client: KafkaClient,
    private readonly options: ReaderOptions,
    /** Member id of the life before, which the group may still count on. */
    private readonly former: string | null,
  ) {
    this.consumer = groupConsumer(client, options);
    this.listen();
  }

  /** Lives until it ends; resolves to why. */
  live(): Promise<Error> {
    this.starting = this.start();
    this.starting.catch((error: unknown) => this.end(error));
    this.stallCheck = setInterval(() => this.checkProgress(), STALL_CHECK_MS);
    return this.ended.promise;
  }

  /** Ends it after the handlers in flight, which still commit. */
  async finish(): Promise<void> {
    this.closing = true;
    await Promise.allSettled(this.inFlight);
    this.end(new CanaryError('reader-closed', 'the reader was closed'));
  }

  /** What is left to do after its end, so that no ghost of it stays in the group. */
  async bury(): Promise<void> {
    await Promise.allSettled(this.inFlight);
    // A start in flight is not stopped by disconnect: left alone, it would join the group later.
    await within(ABANDON_START_MS, this.starting).catch(() => undefined);
    await within(DISCONNECT_MS, this.consumer.disconnect()).catch(() => undefined);
  }

  /** Age of the oldest answer the broker gave for a partition of the assignment; Infinity without one. */
  fetchAgeMs(): number {
    if (!this.assigned) return Infinity;
    return this.places.fetchAgeMs();
  }

  private async start(): Promise<void> {
    this.topics = await this.presentTopics();
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
    const eachBatch: ReaderHooks & ((payload: EachBatchPayload) => Promise<void>) = (payload) => {
      const handled = this.eachBatch(payload).finally(() => this.inFlight.delete(handled));
      this.inFlight.add(handled);
      return handled;
    };
    eachBatch[onFetched] = (fetched) => this.onFetched(fetched);
    eachBatch[formerMember] = this.former;
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch,
    });
  }

  /** Those that exist: kafkajs would read none if one of them did not. A life ends when another one has come. */
  private async presentTopics(): Promise<readonly string[]> {
    const { ranges, missing } = await this.client.rangesOfPresent(this.options.topics);
    this.ranges = ranges;
    const [first] = missing;
    if (first === undefined) return this.options.topics;
    if (missing.length === this.options.topics.length) throw missingTopic(first);
    this.options.onMissing(missing);
    const look = setInterval(() => {
      const looking = this.client.rangesOfPresent(missing);
      const changed = (): void => this.end(new CanaryError('topics-changed', `there is ${missing.join(' or ')} now`));
      looking.then((found) => found.missing.length < missing.length && changed()).catch(() => undefined);
    }, MISSING_LOOK_MS);
    this.timers.add(look);
    return this.options.topics.filter((topic) => !missing.includes(topic));
  }

  private listen(): void {
    const { CRASH, GROUP_JOIN, REBALANCING, HEARTBEAT, END_BATCH_PROCESS } = this.consumer.events;
    this.consumer.on(CRASH, ({ payload }) => this.end(payload.error));
    this.consumer.on(GROUP_JOIN, (event) => this.onJoined(event));
    this.consumer.on(REBALANCING, () => {
      this.progress.joining(performance.now());
      this.lose();
    });
    this.consumer.on(HEARTBEAT, () => this.progress.beat(performance.now()));
    this.consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      // Records that are not handed out, markers and aborted ones, move the position all the same.
      if (payload.batchSize === 0) this.move(payload, Number(payload.lastOffset) + 1);
    });
  }

  /** kafkajs calls this before it fetches, so a seek in here, before any await, is in time. */
  private onJoined({ payload }: InstrumentationEvent<ConsumerGroupJoinEvent['payload']>): void {
    this.client.logger.debug({ memberId: payload.memberId, over: this.over }, 'joined the group');
    if (this.over) return;
    this.lose();
    this.joins += 1;
    this.progress.joined(performance.now());
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    this.places = new Places(partitions);
    const { start } = this.options;
    try {
      const wanted = start === 'committed' ? null : new Map(partitions.map((tp) => [partitionKey(tp), start(tp)]));
      if (wanted && this.allInRange(wanted)) this.place(partitions, wanted, payload.memberId);
      else void this.placeLater(partitions, wanted, payload.memberId);
    } catch (error) {
      this.end(error);
    }
  }

  private allInRange(wanted: ReadonlyMap<string, number | undefined>): boolean {
    return [...wanted].every(([key, offset]) => {
      const range = this.ranges.get(key);
      return range && (offset === undefined || (offset >= range.low && offset <= range.end));
    });
  }

  /** Nothing is fetched until it is known where the group stands, or how far the partitions go by now. */
  private async placeLater(
    partitions: readonly TopicPartition[],
    wanted: ReadonlyMap<string, number | undefined> | null,
    memberId: string,
  ): Promise<void> {
    const join = this.joins;
    const { topics } = this;
    const { groupId } = this.options;
    try {
      this.consumer.pause(byTopic(partitions));
      const offsets = wanted ?? (await this.client.committed(groupId, topics));
      this.ranges = (await this.client.rangesOfPresent(topics)).ranges;
      if (this.over || join !== this.joins || this.progress.isJoining) return;
      this.place(partitions, offsets, memberId);
    } catch (error) {
      this.end(error);
    }
  }

  private place(
    partitions: readonly TopicPartition[],
    wanted: ReadonlyMap<string, number | undefined>,
    memberId: string,
  ): void {
    const { start, onOutOfRange } = this.options;
    for (const tp of partitions) {
      const key = partitionKey(tp);
      const place = this.places.of(tp)!;
      place.range = this.ranges.get(key) ?? place.range;
      const offset = wanted.get(key) ?? (start === 'committed' ? 0 : undefined);
      this.seek(place, positionInRange(tp, offset, place.range, onOutOfRange));
    }
    this.consumer.resume(byTopic(partitions));
    this.assigned = true;
    this.options.onAssigned(partitions, memberId);
  }

  private seek(place: Place, position: number): void {
    this.consumer.seek({ ...place.tp, offset: String(position) });
    place.position = position;
    place.movedAtMs = performance.now();
    this.options.onMoved(place.tp, position);
  }

  private async eachBatch({
    batch,
    heartbeat,
    resolveOffset,
    commitOffsetsIfNecessary,
  }: EachBatchPayload): Promise<void> {
    const place = this.placeOf(batch);
    if (!place) return;
    // Throws when the group has moved on without us: then nobody wants this batch from us.
    await this.answered(heartbeat());
    if (this.placeOf(batch) !== place) return;
    let lost: unknown;
    const beat = setInterval(() => void heartbeat().catch((error: unknown) => (lost ??= error)), HEARTBEAT_MS);
    let result: BatchResult;
    try {
      result = await this.options.onBatch(toBusBatch(batch, place.position!));
    } catch (error) {
      this.options.onError(error);
      this.pauseForRedelivery(place);
      return;
    } finally {
      clearInterval(beat);
      this.progress.lastBusyMs = performance.now();
    }
    if (lost !== undefined) throw asError(lost);
    if (this.places.of(place.tp) !== place || this.over) return;
    if (result.kind === 'seek') await this.goTo(place, result.offset);
    else {
      const next = Number(batch.lastOffset()) + 1;
      resolveOffset(batch.lastOffset());
      this.move(place.tp, next);
    }
    if (!this.options.commits || place.position === null) return;
    const { topic, partition } = place.tp;
    const partitions = [{ partition, offset: String(place.position) }];
    await this.answered(commitOffsetsIfNecessary({ topics: [{ topic, partitions }] }));
  }

  /** A question of kafkajs's that may never be answered ends this life; while a batch is handled nobody else would notice. */
  private async answered(asking: Promise<void>): Promise<void> {
    const settled = asking.then(() => true as const);
    if (await within(ANSWER_MS_MAX, settled)) return;
    const error = stalled('a heartbeat or commit was not answered');
    this.end(error);
    throw error;
  }

  private onFetched(fetched: FetchedPartition): void {
    this.places.onFetched(fetched);
    const place = this.places.of(fetched);
    for (const records of fetched.rawMessages.unreadable ?? []) {
      if (!place || records.lastOffset < Math.max(place.position ?? Infinity, place.toldOffset)) continue;
      place.toldOffset = records.lastOffset + 1;
      this.options.onUnreadable(place.tp, records);
    }
  }

  /** The place a batch belongs to, if it is what the partition is to hand out next. */
  private placeOf(batch: Batch): Place | null {
    if (this.over || this.closing) return null;
    const place = this.places.of(batch);
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
    return place && place.position !== null && Number(fetchedOffset) === place.position ? place : null;
  }

  private async goTo(place: Place, wanted: number): Promise<void> {
    if (wanted < place.range.low || wanted > place.range.end) {
      this.ranges = (await this.client.rangesOfPresent(this.topics)).ranges;
      place.range = this.ranges.get(partitionKey(place.tp)) ?? place.range;
    }
    if (this.places.of(place.tp) !== place || this.over) return;
    this.seek(place, positionInRange(place.tp, wanted, place.range, this.options.onOutOfRange));
  }

  private move(tp: TopicPartition, position: number): void {
    const place = this.places.of(tp);
    if (!place || place.position === null || position <= place.position) return;
    place.position = position;
    place.movedAtMs = performance.now();
    this.options.onMoved(place.tp, position);
  }

  private pauseForRedelivery({ tp }: Place): void {
    if (this.over) return;
    this.consumer.pause(byTopic([tp]));
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.resume(tp);
    }, REDELIVERY_PAUSE_MS);
    this.timers.add(timer);
  }

  private resume(tp: TopicPartition): void {
    if (this.closing) return;
    try {
      this.consumer.resume(byTopic([tp]));
    } catch (error) {
      // kafkajs has crashed already and will say so when it has disconnected.
      this.end(error);
    }
  }

  private checkProgress(): void {
    const handles = this.inFlight.size > 0;
    const fetches = !handles && !this.progress.isJoining;
    const problem =
      this.progress.problem(performance.now(), handles) ??
      (fetches ? this.places.stalled(this.progress.lastBusyMs) : null);
    if (problem) this.end(stalled(problem));
  }

  private lose(): void {
    this.places = new Places([]);
    if (!this.assigned) return;
    this.assigned = false;
    this.options.onLost();
  }

  private end(reason: unknown): void {
    if (this.over) return;
    this.over = true;
    this.client.logger.debug({ err: reason, assigned: this.assigned }, 'a life of the reader ends');
    clearInterval(this.stallCheck);
    for (const timer of this.timers) clearTimeout(timer);
    this.lose();
    this.ended.resolve(asError(reason));
  }
}

const stalled = (what: string): CanaryError => new CanaryError('reader-stalled', what);
const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
