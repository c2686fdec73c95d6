import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock.js';
import { type Carrier, LaneProducer } from './lane-producer.js';
import { type OutRecord, RecordsRefused } from './message-bus.js';

const record = (topic: string, value: string): OutRecord => ({ topic, partition: 0, key: null, value });
const values = (records: readonly OutRecord[]): string[] => records.map((r) => String(r.value));

/** Holds every batch until the test lets it go. */
class HeldCarrier implements Carrier {
  readonly batches: { records: readonly OutRecord[]; done: PromiseWithResolvers<readonly OutRecord[]> }[] = [];
  carry(records: readonly OutRecord[]): Promise<readonly OutRecord[]> {
    const done = Promise.withResolvers<readonly OutRecord[]>();
    this.batches.push({ records, done });
    return done.promise;
  }
  async stop(): Promise<void> {
    for (const { done } of this.batches) done.reject(new Error('stopped'));
  }
  async acknowledge(topic: string, refused: readonly OutRecord[] = []): Promise<void> {
    const at = this.batches.findIndex((b) => b.records[0]!.topic === topic);
    this.batches.splice(at, 1)[0]!.done.resolve(refused);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const setUp = (options = {}) => {
  const carrier = new HeldCarrier();
  const clock = new ManualClock();
  return { carrier, clock, producer: new LaneProducer(carrier, clock, options) };
};

describe('a producer', () => {
  it('has one batch of a topic in flight; what comes meanwhile goes together, in order', async () => {
    const { carrier, producer } = setUp();
    const offers = ['1', '2', '3'].map((v) => producer.offer([record('a', v)])!);
    expect(carrier.batches.map((b) => values(b.records))).toEqual([['1']]);
    await carrier.acknowledge('a');
    expect(carrier.batches.map((b) => values(b.records))).toEqual([['2', '3']]);
    await carrier.acknowledge('a');
    await Promise.all(offers);
    expect(producer.pendingBytes()).toBe(0);
  });

  it('goes on with other topics when one takes nothing, and refuses only what is for that one', async () => {
    const { carrier, clock, producer } = setUp();
    void producer.offer([record('stuck', '1')]);
    clock.advance(2000);
    expect(producer.offer([record('stuck', '2')])).toBeNull();
    const good = producer.offer([record('good', '1')])!;
    await carrier.acknowledge('good');
    await good;
    // All or nothing: half an offer would be neither sent nor refused.
    expect(producer.offer([record('good', '2'), record('stuck', '3')])).toBeNull();
    expect(carrier.batches.map((b) => b.records[0]!.topic)).toEqual(['stuck']);
  });

  it('sends to other topics while a send to one waits for admission', async () => {
    const { carrier, producer } = setUp({ admissionBytesMax: 100 });
    void producer.offer([record('stuck', 'x'.repeat(90))]);
    const waiting = producer.send([record('stuck', '2')]);
    const good = producer.send([record('good', '1')]);
    await carrier.acknowledge('good');
    await good;
    await carrier.acknowledge('stuck');
    expect(values(carrier.batches[0]!.records)).toEqual(['2']);
    await carrier.acknowledge('stuck');
    await waiting;
  });

  it('says which records were refused once all others are acknowledged, to whoever offered them', async () => {
    const { carrier, producer } = setUp();
    const first = producer.offer([record('a', '0')])!;
    const offered = [record('a', '1'), record('a', 'bad'), record('a', '3')];
    const second = producer.offer(offered)!;
    const third = producer.offer([record('a', '4')])!;
    await carrier.acknowledge('a');
    await first;
    await carrier.acknowledge('a', [offered[1]!]);
    await expect(second).rejects.toEqual(new RecordsRefused([offered[1]!]));
    await third;
  });

  it('tells of what it could not get acknowledged when it is closed, of all topics', async () => {
    const { carrier, producer } = setUp();
    const offers = [producer.offer([record('a', '1')])!, producer.offer([record('b', '1'), record('b', '2')])!];
    const sent = producer.offer([record('c', '1')])!;
    await carrier.acknowledge('c');
    await sent;
    const unclear = await producer.close({ flushMs: 5 });
    expect(unclear.map((r) => r.topic)).toEqual(['a', 'b', 'b']);
    for (const offer of offers) await expect(offer).rejects.toMatchObject({ code: 'producer-closed' });
    expect(producer.offer([record('a', '2')])).toBeNull();
  });
});
