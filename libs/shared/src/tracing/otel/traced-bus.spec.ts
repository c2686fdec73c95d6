import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BusBatch, MessageBus, OutRecord } from '../../bus/message-bus.js';
import { MemoryBus } from '../../bus/memory/memory-bus.js';
import { type Decision, decisionCodec } from '../../contracts/rollout-decision.js';
import { topicNames } from '../../contracts/topics.js';
import type { Tracing } from '../tracing.js';
import { otelTracing } from './otel-tracing.js';

const topics = topicNames();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const parent = (span: string) => `00-${TRACE}-${span}-01`;
const decision: Decision = {
  schemaVersion: 1,
  decisionId: 'digits/3',
  sequence: 3,
  model: 'digits',
  action: 'rolled-back',
  from: { v1: 0.9, v2: 0.1 },
  to: { v1: 1, v2: 0 },
  generation: 4,
  reason: { code: 'errors-too-many', text: 'x' },
  cause: { kind: 'timer', timer: 'tick' },
  actor: 'system',
  at: 1,
  safeToRemove: [],
};
const recordOf = (topic: string, headers?: Record<string, string>): OutRecord => ({
  topic,
  key: 'k',
  value: Buffer.from('{}'),
  headers,
});

let exporter: InMemorySpanExporter;
let tracing: Tracing;
let memory: MemoryBus;
let bus: MessageBus;
beforeEach(async () => {
  exporter = new InMemorySpanExporter();
  const processor = new SimpleSpanProcessor({ exporter });
  tracing = otelTracing({ service: 'test', instance: 'i', ratio: 0 }, processor);
  memory = new MemoryBus();
  bus = tracing.bus(memory, topics);
  await bus.createTopics(
    [topics.command, topics.decision, topics.state, topics.outcome].map((topic) => ({ topic, partitions: 1 })),
  );
});
afterEach(async () => {
  await bus.close();
  await tracing.close();
});

const spanNamed = (name: string): ReadableSpan => {
  const found = exporter.getFinishedSpans().find((span) => span.name === name);
  if (!found)
    throw new Error(
      `no span ${name} among ${exporter
        .getFinishedSpans()
        .map((span) => span.name)
        .join(', ')}`,
    );
  return found;
};

/** What stands in a topic, read without tracing. */
async function headersIn(topic: string): Promise<(Record<string, string> | undefined)[]> {
  const headers: (Record<string, string> | undefined)[] = [];
  const follower = memory.follower({
    topics: [topic],
    onBatch: ({ records }) => records.forEach((r) => headers.push(r.headers && { ...r.headers })),
  });
  await follower.caughtUp();
  await follower.close();
  return headers;
}

async function send(...records: OutRecord[]): Promise<void> {
  const producer = bus.producer();
  await producer.send(records);
  await producer.close();
}

describe('a traced bus', () => {
  test('makes no span of what belongs to no trace, and adds no header', async () => {
    await send(recordOf(topics.command), recordOf(topics.outcome));
    const follower = bus.follower({ topics: [topics.command], onBatch: () => undefined });
    await follower.caughtUp();
    await follower.close();
    expect(exporter.getFinishedSpans()).toEqual([]);
    expect(await headersIn(topics.command)).toEqual([undefined]);
  });

  test('lets the context that a record has pass through, and tells of sending with a link to it', async () => {
    await send(recordOf(topics.outcome, { traceparent: parent('b7ad6b7169203331'), tracestate: 'vendor=x' }));
    expect(await headersIn(topics.outcome)).toEqual([
      { traceparent: parent('b7ad6b7169203331'), tracestate: 'vendor=x' },
    ]);
    const span = spanNamed('send prediction-outcome');
    expect(span.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'prediction-outcome',
      'messaging.batch.message_count': 1,
    });
    expect(span.links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331']);
  });

  test('links the processing of a batch to each of its records, and of one record makes it its own', async () => {
    const batches: BusBatch[] = [];
    const [one, two] = [parent('1111111111111111'), parent('2222222222222222')];
    const producer = memory.producer();
    await producer.send([
      recordOf(topics.command, { traceparent: one }),
      recordOf(topics.command, { traceparent: two }),
    ]);
    const options = { groupId: 'g', assignment: 'balanced', start: 'committed' } as const;
    const consumer = bus.consumer({
      ...options,
      topics: [topics.command],
      onBatch: async (batch) => {
        batches.push(batch);
        // What is sent while a batch is handled belongs to it.
        await send(recordOf(topics.state));
        return { kind: 'done' };
      },
    });
    await expect.poll(() => batches.length, { timeout: 10_000 }).toBe(1);
    await consumer.close();
    const processed = spanNamed('process rollout-command');
    expect(processed.links.map(({ context }) => context.spanId)).toEqual(['1111111111111111', '2222222222222222']);
    expect(processed.parentSpanContext).toBeUndefined();
    expect(processed.attributes).toMatchObject({
      'messaging.consumer.group.name': 'g',
      'messaging.batch.message_count': 2,
    });
    const sent = spanNamed('send rollout-state');
    expect(sent.parentSpanContext?.spanId).toBe(processed.spanContext().spanId);
    expect((await headersIn(topics.state))[0]?.['traceparent']).toBe(
      `00-${processed.spanContext().traceId}-${sent.spanContext().spanId}-01`,
    );
  });

  test('gives every decision a span, which its records carry on', async () => {
    const producer = bus.transactionalProducer('t');
    await producer.fence();
    const value = decisionCodec.encode(decision);
    await producer.transaction([{ topic: topics.decision, key: 'digits', value }, recordOf(topics.state)]);
    await producer.close();
    const span = spanNamed('decision rolled-back');
    expect(span.attributes).toMatchObject({
      'model_canary.model': 'digits',
      'model_canary.decision.reason': 'errors-too-many',
    });
    const carried = `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`;
    expect((await headersIn(topics.decision))[0]).toMatchObject({ traceparent: carried });
    expect((await headersIn(topics.state))[0]).toMatchObject({ traceparent: carried });
    const follower = bus.follower({ topics: [topics.state], onBatch: () => undefined });
    await follower.caughtUp();
    await follower.close();
    expect(spanNamed('process rollout-state').parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  });

  test('tells of failures, and hands them on', async () => {
    const fails = new Error('no');
    const consumer = bus.consumer({
      topics: [topics.command],
      groupId: 'f',
      assignment: 'balanced',
      start: 'committed',
      onBatch: () => Promise.reject(fails),
      onError: () => undefined,
    });
    await send(recordOf(topics.command, { traceparent: parent('3333333333333333') }));
    await expect
      .poll(() => exporter.getFinishedSpans().some((span) => span.name === 'process rollout-command'), {
        timeout: 10_000,
      })
      .toBe(true);
    await consumer.close();
    expect(spanNamed('process rollout-command').status).toMatchObject({ code: 2, message: 'no' });
  });

  test('takes what is no context for none', async () => {
    await send(recordOf(topics.command, { traceparent: 'rubbish' }));
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
