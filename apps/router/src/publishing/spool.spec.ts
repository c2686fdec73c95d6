import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, silentLogger } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from './spool.js';
import type { SpoolLoss, SpoolQueue } from './spool-queue.js';
import type { SpoolRecord } from './spool-record.js';

const record = (n: number, more: Partial<SpoolRecord> = {}): SpoolRecord => ({
  partition: n % 3,
  key: `key-${n}`,
  value: Buffer.from(`{"n":${n},"filling":"${'x'.repeat(200)}"}`),
  tally: 0,
  bucket: n,
  arm: n % 2,
  ...more,
});
const records = (from: number, to: number): SpoolRecord[] =>
  Array.from({ length: to - from }, (_, i) => record(from + i));
const numbers = (of: readonly SpoolRecord[]): number[] =>
  of.map((r) => (JSON.parse(r.value.toString()) as { n: number }).n);

function drain(queue: SpoolQueue): SpoolRecord[] {
  const all: SpoolRecord[] = [];
  while (queue.peek()) {
    const chunk = queue.take();
    all.push(...chunk.records);
    queue.acknowledge(chunk);
  }
  return all;
}

let dataDir: string;
let clock: ManualClock;
let losses: SpoolLoss[];
let restoredLosses: SpoolLoss[];
const open = (router: string, bytesMax = 1e9): Spool =>
  new Spool({
    dataDir,
    router,
    bytesMax,
    fsync: 'never',
    clock,
    logger: silentLogger,
    onLoss: (loss) => losses.push(loss),
    onRestoredLoss: (loss) => restoredLosses.push(loss),
  });
const filesOf = (router: string): string[] =>
  readdirSync(join(dataDir, 'spool', router, '0'))
    .sort()
    .map((name) => join(dataDir, 'spool', router, '0', name));

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'router-spool-'));
  clock = new ManualClock(1_795_000_000_000);
  losses = [];
  restoredLosses = [];
});
afterEach(() => rmSync(dataDir, { recursive: true }));

describe('the spool', () => {
  it('gives back what was appended, in order, whole, over many files, and leaves no file behind', () => {
    const spool = open('r1');
    const queue = spool.queue(0);
    for (let n = 0; n < 10_000; n += 100) spool.append(queue, records(n, n + 100));
    expect(filesOf('r1').length).toBeGreaterThan(2);
    expect(drain(queue)).toEqual(records(0, 10_000));
    expect([queue.isEmpty, queue.isGone, spool.bytes]).toEqual([true, true, 0]);
  });

  it('takes more at the end while the beginning is being read', () => {
    const spool = open('r1');
    const queue = spool.queue(0);
    spool.append(queue, records(0, 10));
    const first = (queue.peek(), queue.take());
    spool.append(queue, records(10, 20));
    queue.acknowledge(first);
    expect(numbers(drain(queue))).toEqual(numbers(records(10, 20)));
  });

  it('gives the same chunk again until it is taken', () => {
    const spool = open('r1');
    const queue = spool.queue(0);
    spool.append(queue, records(0, 10));
    expect(queue.peek()).toBe(queue.peek());
    expect(queue.isEmpty).toBe(false);
    queue.take();
    expect(queue.isEmpty).toBe(true);
    expect(queue.isGone).toBe(false);
  });

  it('keeps bucket records and records of no bucket as they are', () => {
    const spool = open('r1');
    const odd = [record(1, { tally: null, bucket: null }), record(2, { value: Buffer.alloc(0), key: 'ü' })];
    spool.append(spool.queue(0), odd);
    expect(drain(spool.queue(0))).toEqual(odd);
  });

  it('is found after a kill -9, under the old router id, in order', () => {
    const dead = open('dead');
    for (let n = 0; n < 8000; n += 1000) dead.append(dead.queue(0), records(n, n + 1000));
    const spool = open('r2');
    expect(spool.restored).toHaveLength(1);
    expect(numbers(drain(spool.restored[0]!))).toEqual(numbers(records(0, 8000)));
    spool.close();
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);
  });

  it('drops the torn tail of a file that was being written when the process died', () => {
    const dead = open('dead');
    dead.append(dead.queue(0), records(0, 10));
    truncateSync(filesOf('dead')[0]!, readFileSync(filesOf('dead')[0]!).length - 7);
    expect(numbers(drain(open('r2').restored[0]!))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('stops at a damaged record and goes on with the next file', () => {
    const dead = open('dead');
    for (let n = 0; n < 8000; n += 1000) dead.append(dead.queue(0), records(n, n + 1000));
    const file = filesOf('dead')[0]!;
    const bytes = readFileSync(file);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(file, bytes);
    const read = numbers(drain(open('r2').restored[0]!));
    expect(read.length).toBeLessThan(8000);
    expect(read).toEqual([...read].sort((a, b) => a - b));
    expect(read.at(-1)).toBe(7999);
  });

  it('ignores files that are not its own', () => {
    const dead = open('dead');
    dead.append(dead.queue(0), records(0, 10));
    writeFileSync(join(dataDir, 'spool', 'dead', '0', '0000000009.seg'), 'rubbish, and longer than a head');
    writeFileSync(join(dataDir, 'spool', 'dead', '0', '0000000010.seg'), 'x');
    appendFileSync(join(dataDir, 'spool', 'note.txt'), 'x');
    expect(numbers(drain(open('r2').restored[0]!))).toHaveLength(10);
  });

  it('stays below its bound by dropping the oldest file, and says exactly what is lost', () => {
    const spool = open('r1', 3_500_000);
    const queue = spool.queue(0);
    for (let n = 0; n < 30_000; n += 100) spool.append(queue, records(n, n + 100));
    expect(spool.bytes).toBeLessThan(4_600_000);
    const lost = losses.flatMap((loss) => numbers(loss.records));
    expect([...lost, ...numbers(drain(queue))]).toEqual(numbers(records(0, 30_000)));
    expect(losses.reduce((sum, loss) => sum + loss.byTally.get(0)!, 0)).toBe(lost.length);
  });

  it('drops what earlier processes left before its own, when that is older', () => {
    const dead = open('dead');
    for (let n = 0; n < 8000; n += 1000) dead.append(dead.queue(0), records(n, n + 1000));
    clock.advance(1000);
    const spool = open('r2', 2_500_000);
    for (let n = 0; n < 4000; n += 1000) spool.append(spool.queue(0), records(n, n + 1000));
    expect(restoredLosses.length).toBeGreaterThan(0);
    expect(losses).toHaveLength(0);
  });

  it('does not count as lost what a producer holds of a dropped file', () => {
    const spool = open('r1');
    const queue = spool.queue(0);
    spool.append(queue, records(0, 2000));
    queue.peek();
    const taken = queue.take();
    queue.dropOldest();
    expect(losses[0]!.byTally.get(0)).toBe(2000 - taken.records.length);
    queue.acknowledge(taken);
    expect(queue.isGone).toBe(true);
  });

  it('drops what is older than 24 h', () => {
    const spool = open('r1');
    spool.append(spool.queue(0), records(0, 10));
    clock.advance(23 * 3_600_000);
    spool.append(spool.queue(0), records(10, 20));
    spool.dropExpired();
    expect(losses).toHaveLength(0);
    clock.advance(2 * 3_600_000);
    spool.dropExpired();
    expect(losses.flatMap((loss) => numbers(loss.records))).toEqual(numbers(records(0, 10)));
    expect(numbers(drain(spool.queue(0)))).toEqual(numbers(records(10, 20)));
  });

  it('puts what was admitted and never acknowledged before what was spooled later', () => {
    const spool = open('r1');
    spool.append(spool.queue(0), records(10, 20));
    spool.queue(0).prepend(records(0, 10), clock.nowMs());
    spool.close();
    expect(numbers(drain(open('r2').restored[0]!))).toEqual(numbers(records(0, 20)));
  });

  it('says so when the disk takes nothing at all', () => {
    const spool = open('r1');
    writeFileSync(join(dataDir, 'spool', 'r1'), 'a file where the directory should be');
    expect(spool.append(spool.queue(0), records(0, 1))).toBe(false);
    rmSync(join(dataDir, 'spool', 'r1'));
    expect(spool.append(spool.queue(0), records(0, 1))).toBe(true);
  });
});
