import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, MemoryBus, silentLogger } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/until.js';
import { OutcomePublisher, type OutcomePublisherOptions } from './outcome-publisher.js';
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
    router,
    dataDir,
    spoolBytesMax: 1e9,
    spoolFsync: 'never',
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
    expect(lanes()).toEqual(inOrder(1000));
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
    await until(() => sum(publisher, 'spooled') === 3600);
    expectExact(publisher);
    bus.setUnavailable(false);
    send(publisher, 400);
    await until(() => (clock.advance(60), publisher.isIdle));
    await until(() => read.length === 400 + PARTITIONS + 4000 + 400);
    expect(lanes()).toEqual(inOrder(1201));
    expect(sum(publisher, 'acknowledged')).toBe(sum(publisher, 'sent'));
    expect([sum(publisher, 'spooled'), sum(publisher, 'dropped')]).toEqual([0, 0]);
  });

  it('drops the oldest when the spool is full, and counts each by version and to its bucket', async () => {
    const publisher = open('r1', { spoolBytesMax: 3_000_000, producers: 1 });
    const droppedBuckets: number[] = [];
    publisher.dropListener = (bucket) => droppedBuckets.push(bucket);
    await brokerAway(publisher);
    for (let i = 0; i < 20; i++) send(publisher, 1000, ` ${'x'.repeat(400)}`);
    await until(() => sum(publisher, 'onTheWay') <= PARTITIONS);
    expectExact(publisher);
    const dropped = sum(publisher, 'dropped');
    expect(dropped).toBeGreaterThan(5000);
    expect(droppedBuckets).toHaveLength(dropped);
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
    expect(lanes()).toEqual(inOrder(501));
    expect(next.restored).toMatchObject({ found: sum(publisher, 'sent'), acknowledged: sum(publisher, 'sent') });
    await next.close(100);
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);
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

  it('drops a record that can never be sent and goes on', async () => {
    const publisher = open('r1');
    const tally = publisher.tally('m', 'v1');
    publisher.publish({ partition: 1, key: 'k', text: 'x'.repeat(2_000_000), tally, bucket: 0, arm: 0 });
    await until(() => tally.dropped === 1);
    send(publisher, 40);
    await until(() => publisher.isIdle && read.length === 40);
    expectExact(publisher);
    expect(lanes()).toEqual(inOrder(10));
  });
});
