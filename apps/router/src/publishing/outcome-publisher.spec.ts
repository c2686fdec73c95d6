import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusProducer, ManualClock, MemoryBus, RecordsRefused, silentLogger } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../testing/until.js';
import { OutcomePublisher, type OutcomePublisherOptions } from './outcome-publisher.js';
import { spoolDisk } from './spool-disk.js';
import { drain, SpoolFixture } from '../testing/spool-fixture.js';
import type { Tally } from './tally.js';

const TOPIC = 'prediction-outcome';
const PARTITIONS = 4;

let dataDir: string;
let clock: ManualClock;
let bus: MemoryBus;
let publishers: OutcomePublisher[];
/** Every record of the topic as [partition, text], in the order of its partition. */
let read: [number, string][];

const open = (router: string, more: Partial<OutcomePublisherOptions> = {}): OutcomePublisher => {
  const publisher = new OutcomePublisher({
    bus,
    topic: TOPIC,
    partitions: PARTITIONS,
    producers: 3,
    flushMs: 1,
    flushMsMax: 1,
    router,
    dataDir,
    spoolBytesMax: 1e9,
    spoolFsync: 'never',
    journalAfterMs: 100,
    replayPerSecond: 1e9,
    clock,
    logger: silentLogger,
    ...more,
  });
  publishers.push(publisher);
  return publisher;
};

function send(publisher: OutcomePublisher, count: number, filling = ''): void {
  const tallies = ['v1', 'v2'].map((version) => publisher.tally('m', version));
  for (let n = 0; n < count; n++) {
    const partition = n % PARTITIONS;
    const text = `${partition}/${publisher.nextSequence(partition)}${filling}`;
    const tally = n % 10 === 9 ? null : tallies[n % 2]!;
    publisher.publish({ partition, key: `k${n}`, text, tally, bucket: n, arm: n % 2 });
  }
}

const sum = (publisher: OutcomePublisher, what: 'sent' | 'acknowledged' | 'spooled' | 'dropped' | 'onTheWay') =>
  publisher.tallies.reduce((total, tally: Tally) => total + tally[what], 0);

function expectExact(publisher: OutcomePublisher): void {
  for (const t of publisher.tallies) expect(t.sent).toBe(t.acknowledged + t.spooled + t.dropped + t.onTheWay);
}

/** Sequences in each lane, as they came. */
const lanes = (): number[][] =>
  Array.from({ length: PARTITIONS }, (_, p) =>
    read.filter(([partition]) => partition === p).map(([, text]) => Number(text.split('/')[1]!.split(' ')[0])),
  );
const inOrder = (perLane: number): number[][] =>
  Array.from({ length: PARTITIONS }, () => Array.from({ length: perLane }, (_, i) => i));

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'router-publisher-'));
  clock = new ManualClock(1_795_000_000_000);
  bus = new MemoryBus({ clock, retentionRecordsMax: 1e6 });
  await bus.createTopics([{ topic: TOPIC, partitions: PARTITIONS }]);
  publishers = [];
  read = [];
  bus.follower({
    topics: [TOPIC],
    onBatch: (batch) =>
      void read.push(...batch.records.map((r): [number, string] => [batch.partition, String(r.value)])),
  });
});
afterEach(async () => {
  await Promise.all(publishers.map((p) => p.close(0)));
  await bus.close();
  rmSync(dataDir, { recursive: true });
});

/** The broker goes away, and the producers have noticed: their heads are old. */
async function brokerAway(publisher: OutcomePublisher): Promise<void> {
  bus.setUnavailable(true);
  send(publisher, PARTITIONS);
  await until(() => sum(publisher, 'onTheWay') > 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.advance(2000);
}

describe('the outcome publisher', () => {
  it('sends every lane in the order of its sequences, and accounts for every version', async () => {
    const publisher = open('r1');
    send(publisher, 4000);
    await until(() => publisher.isIdle && read.length === 4000);
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(inOrder(1000));
    expect(publisher.tallies.map((t) => [t.version, t.sent, t.acknowledged])).toEqual([
      ['v1', 2000, 2000],
      ['v2', 1600, 1600],
    ]);
  });

  it('spools while the broker is away and sends on in order when it is back; sent = acknowledged + spooled', async () => {
    const publisher = open('r1');
    send(publisher, 400);
    await until(() => publisher.isIdle);
    await brokerAway(publisher);
    send(publisher, 4000);
    // Those that told the producers that the broker is away are on disk, too.
    await until(() => sum(publisher, 'spooled') === 3600 + PARTITIONS);
    expectExact(publisher);
    bus.setUnavailable(false);
    send(publisher, 400);
    await until(() => (clock.advance(60), publisher.isIdle));
    await until(() => read.length === 400 + PARTITIONS + 4000 + 400);
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(inOrder(1201));
    expect(sum(publisher, 'acknowledged')).toBe(sum(publisher, 'sent'));
    expect([sum(publisher, 'spooled'), sum(publisher, 'dropped')]).toEqual([0, 0]);
  });

  it('drops the oldest when the spool is full, and counts each by version and to its bucket', async () => {
    const publisher = open('r1', { spoolBytesMax: 3_000_000, producers: 1 });
    const droppedBuckets: number[] = [];
    publisher.dropListener = (bucket) => droppedBuckets.push(bucket);
    await brokerAway(publisher);
    for (let i = 0; i < 20; i++) {
      send(publisher, 1000, ` ${'x'.repeat(400)}`);
      await until(() => sum(publisher, 'onTheWay') <= PARTITIONS);
    }
    expectExact(publisher);
    const dropped = sum(publisher, 'dropped');
    expect(dropped).toBeGreaterThan(5000);
    await until(() => droppedBuckets.length === dropped);
    bus.setUnavailable(false);
    await until(() => (clock.advance(60), publisher.isIdle));
    expect(sum(publisher, 'acknowledged') + dropped).toBe(sum(publisher, 'sent'));
    for (const lane of lanes()) expect(lane).toEqual([...lane].sort((a, b) => a - b));
  });

  it('leaves what it cannot send to the next process, which sends it before nothing else of those lanes', async () => {
    const publisher = open('r1');
    await brokerAway(publisher);
    send(publisher, 2000);
    await publisher.close(5);
    expectExact(publisher);
    expect(sum(publisher, 'spooled')).toBe(sum(publisher, 'sent'));
    bus.setUnavailable(false);
    const next = open('r2');
    await until(() => (clock.advance(60), next.isIdle));
    await until(() => read.length === 2000 + PARTITIONS);
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(inOrder(501));
    expect(next.restored).toMatchObject({ found: sum(publisher, 'sent'), acknowledged: sum(publisher, 'sent') });
    await next.close(100);
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);
  });

  it('says of every version what became of its outcomes when neither the broker nor the disk takes them', async () => {
    const write = async () => Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' }));
    const publisher = open('r1', { disk: { ...spoolDisk, write } });
    const droppedBuckets: number[] = [];
    publisher.dropListener = (bucket) => droppedBuckets.push(bucket);
    await brokerAway(publisher);
    send(publisher, 400);
    await until(() => sum(publisher, 'dropped') === 360);
    expectExact(publisher);
    expect(droppedBuckets).toHaveLength(360);
    expect(publisher.spooled.isWritable).toBe(false);
  });

  it('sends new lanes at once, whatever is still to be sent of old ones', async () => {
    const publisher = open('r1');
    await brokerAway(publisher);
    send(publisher, 40_000);
    await publisher.close(0);
    bus.setUnavailable(false);
    const next = open('r2', { replayPerSecond: 1 });
    send(next, 40);
    await until(() => sum(next, 'acknowledged') === 36);
    expect(next.restored.acknowledged).toBeLessThan(36_000);
  });

  it('never holds more than it may: what is collected beyond a bound is sent without waiting for the timer', async () => {
    const publisher = open('r1', { flushMs: 1e6 });
    send(publisher, 12_000);
    await until(() => sum(publisher, 'acknowledged') > 5000);
    expect(sum(publisher, 'onTheWay')).toBeLessThan(3 * 1000);
  });

  it('drops a record that is too long for anything and nothing that is collected with it', async () => {
    const publisher = open('r1');
    const tally = publisher.tally('m', 'v1');
    const droppedBuckets: number[] = [];
    publisher.dropListener = (bucket) => droppedBuckets.push(bucket);
    send(publisher, 20);
    publisher.publish({ partition: 1, key: 'k', text: 'x'.repeat(2_000_000), tally, bucket: 77, arm: 0 });
    send(publisher, 20);
    await until(() => publisher.isIdle && read.length === 40);
    expect([tally.dropped, droppedBuckets]).toEqual([1, [77]]);
    expectExact(publisher);
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(inOrder(10));
  });

  it('drops the records that the broker will never take, and no others', async () => {
    const producer = bus.producer();
    const offer: BusProducer['offer'] = (records) => {
      const bad = records.filter((r) => r.key === 'k17');
      const done = producer.offer(records.filter((r) => !bad.includes(r)));
      return done?.then(() => (bad.length > 0 ? Promise.reject(new RecordsRefused(bad)) : undefined)) ?? null;
    };
    bus.producer = () => Object.assign(Object.create(producer) as BusProducer, { offer });
    const publisher = open('r1', { producers: 1 });
    send(publisher, 40);
    await until(() => publisher.isIdle && read.length === 39);
    expectExact(publisher);
    expect([sum(publisher, 'acknowledged'), sum(publisher, 'dropped')]).toEqual([35, 1]);
  });

  it('sends when enough is collected or a bucket record waits, and otherwise not before its longest interval', async () => {
    const publisher = open('r1', { flushMsMax: 1e6 });
    const tally = publisher.tally('m', 'v1');
    const outcome = (n: number) => {
      const text = `1/${publisher.nextSequence(1)}`;
      publisher.publish({ partition: 1, key: `k${n}`, text, tally, bucket: n, arm: 0 });
    };
    for (let n = 0; n < 49; n++) outcome(n);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(read).toEqual([]);
    outcome(49);
    await until(() => read.length === 50);
    outcome(50);
    publisher.publish({ partition: 1, key: 'r1', text: '1/51', tally: null, bucket: null, arm: 0 });
    await until(() => read.length === 52);
  });
});

describe('what a producer has and the broker does not acknowledge', () => {
  /** What a process finds that starts now, as this one is killed now. */
  async function found(): Promise<number[][]> {
    const copy = mkdtempSync(join(tmpdir(), 'router-killed-'));
    cpSync(dataDir, copy, { recursive: true });
    const spool = new SpoolFixture(copy, clock).open('r9');
    const records = (await Promise.all(spool.restored.map(drain))).flat();
    await spool.close();
    rmSync(copy, { recursive: true });
    read = records.map((r): [number, string] => [r.partition, r.value.toString()]);
    return lanes();
  }

  it('is on disk once that takes too long, so that a kill -9 loses none of it', async () => {
    const publisher = open('r1');
    bus.setUnavailable(true);
    send(publisher, 100);
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(99);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await found()).toEqual(inOrder(0));
    clock.advance(1);
    await until(() => sum(publisher, 'spooled') === 90);
    send(publisher, 60);
    await until(() => sum(publisher, 'spooled') === 144);
    expectExact(publisher);
    expect(await found()).toEqual(inOrder(40));
  });

  it('comes before what is spooled after it, whichever way the process ends', async () => {
    const publisher = open('r1', { journalAfterMs: 1000 });
    bus.setUnavailable(true);
    send(publisher, 20);
    await until(() => sum(publisher, 'onTheWay') === 18);
    await new Promise((resolve) => setTimeout(resolve, 10));
    // Older than the producer's patience at one stroke: the next ones are refused.
    clock.advance(2000);
    send(publisher, 20);
    await until(() => sum(publisher, 'spooled') === 36);
    expect(await found()).toEqual(inOrder(10));
    await publisher.close(1);
    expectExact(publisher);
    expect(await found()).toEqual(inOrder(10));
  });

  it('goes from disk with its acknowledgement', async () => {
    const publisher = open('r1');
    bus.setUnavailable(true);
    send(publisher, 400);
    await until(() => (clock.advance(20), sum(publisher, 'spooled') === 360));
    bus.setUnavailable(false);
    await until(() => publisher.isIdle);
    expect([sum(publisher, 'acknowledged'), sum(publisher, 'spooled')]).toEqual([360, 0]);
    expectExact(publisher);
    await until(() => publisher.spooled.bytes === 0);
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(inOrder(100));
  });

  it('costs the disk nothing while acknowledgements come in time', async () => {
    const create = vi.fn(spoolDisk.create);
    const publisher = open('r1', { disk: { ...spoolDisk, create } });
    for (let i = 0; i < 20; i++) {
      send(publisher, 40);
      await until(() => publisher.isIdle);
    }
    expect(create).not.toHaveBeenCalled();
  });

  it('is safe with the producer when the disk does not take it: nothing is counted as lost', async () => {
    const write = vi.fn(async () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })));
    const publisher = open('r1', { disk: { ...spoolDisk, write } });
    bus.setUnavailable(true);
    send(publisher, 40);
    await until(() => (clock.advance(20), write.mock.calls.length > 0));
    bus.setUnavailable(false);
    await until(() => publisher.isIdle);
    expect([sum(publisher, 'acknowledged'), sum(publisher, 'dropped')]).toEqual([36, 0]);
    expectExact(publisher);
  });
});
