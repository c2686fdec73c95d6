import type {
  BatchResult,
  BusBatch,
  BusConsumer,
  BusFollower,
  BusProducer,
  ConsumedOffset,
  ConsumerOptions,
  FollowerOptions,
  GroupMember,
  MessageBus,
  OutRecord,
  PartitionOffsets,
  ProducerOptions,
  TopicDescription,
  TopicSpec,
  TransactionalProducer,
} from '../../bus/message-bus.js';
import { cloudEventData } from '../../contracts/cloud-event.js';
import { decisionCodec } from '../../contracts/rollout-decision.js';
import type { TopicNames } from '../../contracts/topics.js';
import type { PredictionContexts } from './prediction-contexts.js';
import {
  type Attributes,
  type Context,
  fail,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type Spans,
  trace,
} from './spans.js';

/** A span has room for so many. */
const LINKS_MAX = 128;

/**
 * Any bus, with spans for what goes over it: of sending, where something is under way or a record carries a context; of
 * processing, where a record does. A batch is linked to what its records come from, and belongs to it when that is one.
 * Decisions always have a span. What has no context costs a look at the headers.
 */
export class TracedBus implements MessageBus {
  constructor(
    private readonly inner: MessageBus,
    private readonly topics: TopicNames,
    private readonly spans: Spans,
    private readonly predictions: PredictionContexts,
  ) {}

  createTopics(topics: readonly TopicSpec[]): Promise<void> {
    return this.inner.createTopics(topics);
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    return this.inner.describeTopics(topics);
  }

  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.inner.offsets(topic);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  producer(options?: ProducerOptions): BusProducer {
    const inner = this.inner.producer(options);
    return {
      offer: (records) => {
        const sending = this.sending(records);
        if (!sending) return inner.offer(records);
        const sent = inner.offer(sending.records);
        if (sent) return sending.end(sent);
        sending.refused();
        return null;
      },
      send: (records) => {
        const sending = this.sending(records);
        return sending ? sending.end(inner.send(sending.records)) : inner.send(records);
      },
      pendingBytes: () => inner.pendingBytes(),
      close: (closing) => inner.close(closing),
    };
  }

  transactionalProducer(transactionalId: string): TransactionalProducer {
    const inner = this.inner.transactionalProducer(transactionalId);
    return {
      fence: () => inner.fence(),
      close: () => inner.close(),
      transaction: (records, offsets) => this.transaction(inner, records, offsets),
    };
  }

  consumer(options: ConsumerOptions): BusConsumer {
    const { onBatch, groupId } = options;
    return this.inner.consumer({
      ...options,
      onBatch: (batch) => this.processing(batch, groupId, () => onBatch(batch)),
    });
  }

  follower(options: FollowerOptions): BusFollower {
    const { onBatch } = options;
    return this.inner.follower({
      ...options,
      onBatch: (batch) => this.processing(batch, undefined, async () => onBatch(batch)),
    });
  }

  private transaction(
    inner: TransactionalProducer,
    records: readonly OutRecord[],
    offsets?: { readonly member: GroupMember; readonly offsets: readonly ConsumedOffset[] },
  ): Promise<void> {
    const decided = records.map((record) => this.decisionOf(record));
    const last = decided.findLast((decision) => decision !== null);
    // A state is what the last decision made of a model, so it carries that one's context.
    const context = last?.context ?? this.spans.active();
    const carrying = records.map((record, i) => this.carrying(record, decided[i]?.context ?? context));
    const sending = this.spans.run(context, () => this.sending(carrying));
    const done = inner.transaction(sending?.records ?? carrying, offsets);
    for (const decision of decided) if (decision) void this.spans.ending(decision.span, done).catch(() => undefined);
    return sending ? sending.end(done) : done;
  }

  /** A span for a decision that is about to be written. */
  private decisionOf(record: OutRecord) {
    if (record.topic !== this.topics.decision) return null;
    const value = typeof record.value === 'string' ? Buffer.from(record.value) : record.value;
    const read = decisionCodec.decode(cloudEventData(value, record.headers ?? {}));
    if (!read.ok) return null;
    const { model, action, decisionId, reason, generation, actor } = read.value;
    return this.spans.start(`decision ${action}`, {
      kind: SpanKind.INTERNAL,
      attributes: {
        'model_canary.model': model,
        'model_canary.decision.id': decisionId,
        'model_canary.decision.action': action,
        'model_canary.decision.reason': reason.code,
        'model_canary.decision.actor': actor,
        'model_canary.generation': generation,
      },
    });
  }

  private carrying(record: OutRecord, context: Context): OutRecord {
    if (record.headers?.['traceparent'] !== undefined || !trace.getSpanContext(context)) return record;
    return { ...record, headers: { ...record.headers, ...this.spans.headersOf(context) } };
  }

  /** Null: nothing here belongs to a trace. */
  private sending(records: readonly OutRecord[]) {
    const { spans } = this;
    const active = spans.active();
    const underWay = trace.getSpanContext(active) !== undefined;
    const own = records.map((record) => this.contextOf(record));
    if (!underWay && own.every((context) => context === null)) return null;
    const topic = records[0]!.topic;
    const { span, context } = spans.start(`send ${topic}`, {
      kind: SpanKind.PRODUCER,
      parent: active,
      links: linksOf(own),
      attributes: { ...messaging('send', topic), 'messaging.batch.message_count': records.length },
    });
    const out = records.map((record, i) => {
      const from = own[i] ?? (underWay && record.topic !== this.topics.outcome ? context : null);
      return from ? this.carrying(record, from) : record;
    });
    return {
      records: out,
      end: <T>(sent: Promise<T>): Promise<T> => spans.ending(span, sent),
      refused: () => fail(span, new Error('not admitted')),
    };
  }

  private contextOf(record: OutRecord): Context | null {
    const carried = this.spans.contextIn(record.headers);
    if (carried || record.topic !== this.topics.outcome) return carried;
    return typeof record.key === 'string' ? this.predictions.take(record.key) : null;
  }

  private processing<T extends BatchResult | void>(
    batch: BusBatch,
    groupId: string | undefined,
    handle: () => Promise<T>,
  ): Promise<T> {
    const { topic, partition, records } = batch;
    const links = linksOf(records.map(({ headers }) => (headers ? this.spans.contextIn(headers) : null)));
    if (links.length === 0) return handle();
    const { span, context } = this.spans.start(`process ${topic}`, {
      kind: SpanKind.CONSUMER,
      parent: links.length === 1 ? trace.setSpanContext(ROOT_CONTEXT, links[0]!) : ROOT_CONTEXT,
      links,
      attributes: {
        ...messaging('process', topic),
        'messaging.batch.message_count': records.length,
        'messaging.destination.partition.id': String(partition),
        ...(groupId === undefined ? {} : { 'messaging.consumer.group.name': groupId }),
      },
    });
    return this.spans.ending(span, this.spans.run(context, handle));
  }
}

const messaging = (operation: 'send' | 'process', topic: string): Attributes => ({
  'messaging.system': 'kafka',
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
  'messaging.destination.name': topic,
});

/** Each of the contexts once. */
function linksOf(contexts: readonly (Context | null)[]): SpanContext[] {
  const bySpan = new Map<string, SpanContext>();
  for (const context of contexts) {
    const spanContext = context && trace.getSpanContext(context);
    if (spanContext && bySpan.size < LINKS_MAX) bySpan.set(spanContext.spanId, spanContext);
  }
  return [...bySpan.values()];
}
