import 'reflect-metadata';
import { Controller, type INestMicroservice, Inject, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchStrategy } from './batch-strategy.js';
import { MemoryBus } from './bus/memory/memory-bus.js';
import type { BatchResult, BusBatch } from './bus/message-bus.js';

const NOTES = Symbol('notes');
interface Notes {
  readonly offsets: number[];
  failures: number;
}

@Controller()
class OutcomeConsumer {
  constructor(@Inject(NOTES) private readonly notes: Notes) {}

  @EventPattern('outcome', { batch: true })
  onBatch(@Payload() batch: BusBatch): BatchResult {
    if (this.notes.failures-- > 0) throw new Error('not yet');
    this.notes.offsets.push(...batch.records.map((r) => r.offset));
    return this.notes.offsets.length === 3 ? { kind: 'seek', offset: 1 } : { kind: 'done' };
  }
}

@Controller()
class SingleConsumer {
  @EventPattern('outcome')
  onRecord(@Payload() _data: unknown): void {}
}

let app: INestMicroservice | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function started(controller: Type, notes: Notes): Promise<MemoryBus> {
  const bus = new MemoryBus();
  await bus.createTopics([{ topic: 'team.outcomes', partitions: 1 }]);
  const strategy = new BatchStrategy({
    bus,
    patternOf: () => 'outcome',
    subscriptions: [{ groupId: 'g', topics: ['team.outcomes'], assignment: 'balanced', start: () => 0 }],
  });
  @Module({ controllers: [controller], providers: [{ provide: NOTES, useValue: notes }] })
  class TestModule {}
  app = await NestFactory.createMicroservice(TestModule, { strategy, logger: false });
  await app.listen();
  return bus;
}

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    topic: 'team.outcomes',
    partition: 0,
    key: null,
    value: Buffer.from(`${i}`),
  }));

describe('BatchStrategy', () => {
  it('brings whole batches to a handler, whose result decides where it goes on', async () => {
    const notes: Notes = { offsets: [], failures: 0 };
    const bus = await started(OutcomeConsumer, notes);
    await bus.producer().send(records(3));
    await vi.waitFor(() => expect(notes.offsets).toEqual([0, 1, 2, 1, 2]));
  });

  it('brings a batch again when its handler threw', async () => {
    const notes: Notes = { offsets: [], failures: 2 };
    const bus = await started(OutcomeConsumer, notes);
    await bus.producer().send(records(2));
    await vi.waitFor(() => expect(notes.offsets).toEqual([0, 1]));
    expect(notes.failures).toBe(-1);
  });

  it('refuses to start on a topic without a batch handler', async () => {
    await expect(started(SingleConsumer, { offsets: [], failures: 0 })).rejects.toMatchObject({
      code: 'no-batch-handler',
    });
  });

  it('reads no more once it is closed', async () => {
    const notes: Notes = { offsets: [], failures: 0 };
    const bus = await started(OutcomeConsumer, notes);
    await app!.close();
    app = undefined;
    await bus.producer().send(records(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(notes.offsets).toEqual([]);
  });
});
