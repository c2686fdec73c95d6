import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/until.js';
import type { Spool } from './spool.js';
import { drain, numbersFrom, numbersOf, SpoolFixture, spoolRecord, spoolRecords } from '../testing/spool-fixture.js';
import type { SpoolQueue } from './spool-queue.js';

let dataDir: string;
let clock: ManualClock;
let fixture: SpoolFixture;
let spool: Spool;
let queue: SpoolQueue;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'router-spool-'));
  clock = new ManualClock(1_795_000_000_000);
  fixture = new SpoolFixture(dataDir, clock);
  spool = fixture.open('r1');
  queue = fixture.queueOf(spool);
});
afterEach(async () => {
  await spool.close();
  rmSync(dataDir, { recursive: true });
});

/** The first chunk, once it is read. */
async function peeked(of: SpoolQueue) {
  await of.written();
  await until(() => of.peek() !== null);
  return of.peek()!;
}

describe('the spool', () => {
  it('gives back what was appended, in order, whole, over many files, and leaves no file behind', async () => {
    for (let n = 0; n < 10_000; n += 100) queue.append(spoolRecords(n, n + 100));
    await queue.written();
    expect(fixture.filesOf('r1').length).toBeGreaterThan(2);
    const values = (await drain(queue)).map((r) => ({ ...r, value: r.value.toString() }));
    expect(values).toEqual(spoolRecords(0, 10_000));
    expect(fixture.written).toHaveLength(10_000);
    await spool.close();
    expect([queue.isEmpty, queue.isGone, spool.bytes]).toEqual([true, true, 0]);
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);
  });

  it('is not empty from the moment something was handed in', () => {
    expect(queue.isEmpty).toBe(true);
    queue.append(spoolRecords(0, 10));
    expect([queue.isEmpty, queue.isGone, spool.bytes > 2000]).toEqual([false, false, true]);
  });

  it('takes more at the end while the beginning is being read', async () => {
    queue.append(spoolRecords(0, 10));
    const first = (await peeked(queue), queue.take());
    queue.append(spoolRecords(10, 20));
    queue.acknowledge(first);
    expect(numbersOf(await drain(queue))).toEqual(numbersFrom(10, 20));
  });

  it('gives the same chunk again until it is taken', async () => {
    queue.append(spoolRecords(0, 10));
    expect(await peeked(queue)).toBe(queue.peek());
    expect(queue.isEmpty).toBe(false);
    queue.take();
    expect(queue.isEmpty).toBe(true);
    expect(queue.isGone).toBe(false);
  });

  it('keeps bucket records and records of no bucket as they are', async () => {
    const odd = [spoolRecord(1, { tally: null, bucket: null }), spoolRecord(2, { value: Buffer.alloc(0), key: 'ü' })];
    queue.append(odd);
    const [first, second] = await drain(queue);
    expect({ ...first, value: first!.value.toString() }).toEqual(odd[0]);
    expect(second).toEqual(odd[1]);
  });

  it('drops what is older than 24 h', async () => {
    queue.append(spoolRecords(0, 10));
    await queue.written();
    clock.advance(23 * 3_600_000);
    queue.append(spoolRecords(10, 20));
    await queue.written();
    spool.keepHouse();
    expect(fixture.countLost()).toBe(0);
    clock.advance(2 * 3_600_000);
    spool.keepHouse();
    expect(fixture.countLost()).toBe(10);
    await until(() => fixture.lostRecords.length === 10);
    expect(numbersOf(fixture.lostRecords)).toEqual(numbersFrom(0, 10));
    expect(numbersOf(await drain(queue))).toEqual(numbersFrom(10, 20));
  });
});

describe('what is journaled because a producer has it', () => {
  it('is not read by this process, goes with its acknowledgement, and is read by the next', async () => {
    const entries = [queue.journal(spoolRecords(0, 10)), queue.journal(spoolRecords(10, 20))];
    await queue.written();
    expect([queue.isEmpty, queue.isGone, queue.peek()]).toEqual([true, false, null]);
    expect(numbersOf(fixture.written)).toEqual(numbersFrom(0, 20));
    const next = fixture.open('r2');
    expect(numbersOf(await drain(next.restored[0]!))).toEqual(numbersFrom(0, 20));
    for (const entry of entries) queue.settle(entry);
    expect(queue.isGone).toBe(true);
  });

  it('comes before what is spooled later, and is left out when that is sent on', async () => {
    const entry = queue.journal(spoolRecords(0, 10));
    queue.append(spoolRecords(10, 20));
    // Read before somebody else reads all of it and takes the file away.
    expect(numbersOf((await peeked(queue)).records)).toEqual(numbersFrom(10, 20));
    expect(numbersOf(await drain(fixture.open('r2').restored[0]!))).toEqual(numbersFrom(0, 20));
    const chunk = queue.take();
    queue.acknowledge(chunk);
    expect(queue.isGone).toBe(false);
    queue.settle(entry);
    expect(queue.isGone).toBe(true);
  });

  it('leaves nothing behind when it is acknowledged before it was written', async () => {
    const entries = [queue.journal(spoolRecords(0, 10)), queue.journal(spoolRecords(10, 20))];
    for (const entry of entries) queue.settle(entry);
    await queue.written();
    expect([queue.isGone, fixture.written]).toEqual([true, []]);
  });
});

describe('what a dead process left', () => {
  const restored = (): SpoolQueue => fixture.open('r2').restored.find((q) => !q.isEmpty)!;

  it('is found after a kill -9, under the old router id, in order', async () => {
    await fixture.dead('dead', 8000);
    const next = fixture.open('r2');
    expect(numbersOf(await drain(next.restored[0]!))).toEqual(numbersFrom(0, 8000));
    await next.close();
    expect(readdirSync(join(dataDir, 'spool'))).toEqual([]);
  });

  it('loses the torn record at its end and nothing else, which is said', async () => {
    await fixture.dead('dead', 10);
    const [file] = fixture.filesOf('dead');
    truncateSync(file!, statSync(file!).size - 7);
    const next = fixture.open('r2');
    expect(numbersOf(await drain(next.restored[0]!))).toEqual(numbersFrom(0, 9));
    expect(next.damaged.bytes).toBeGreaterThan(200);
    expect(fixture.warn).toHaveBeenCalledWith(
      expect.objectContaining({ path: file }),
      expect.stringContaining('damaged'),
    );
  });

  it('loses the records that are damaged in the middle and no others, and it is known how many', async () => {
    await fixture.dead('dead', 8000);
    const [file] = fixture.filesOf('dead');
    const bytes = readFileSync(file!);
    // Over three records: the end of one, a whole one, the head of the next.
    bytes.fill(0xff, 100_000, 100_500);
    writeFileSync(file!, bytes);
    const next = fixture.open('r2');
    const read = numbersOf(await drain(next.restored[0]!));
    expect(read).toEqual([...read].sort((a, b) => a - b));
    expect(read[0]).toBe(0);
    expect(read.at(-1)).toBe(7999);
    expect(next.damaged.records).toBe(8000 - read.length);
    expect(next.damaged.records).toBeLessThan(5);
  });

  it('is read on behind a file that is gone or rubbish', async () => {
    await fixture.dead('dead', 20_000);
    const [, gone, rubbish] = fixture.filesOf('dead');
    rmSync(gone!);
    writeFileSync(rubbish!, Buffer.alloc(200_000, 7));
    const next = fixture.open('r2');
    const read = numbersOf(await drain(next.restored[0]!));
    expect([read[0], read.at(-1)]).toEqual([0, 19_999]);
    expect(next.damaged.records).toBe(20_000 - read.length);
  });

  it('stands beside files that are not its own', async () => {
    await fixture.dead('dead', 10);
    writeFileSync(join(dataDir, 'spool', 'dead', '0', '0000000009.seg'), 'rubbish, and longer than a head');
    writeFileSync(join(dataDir, 'spool', 'dead', '0', '0000000010.seg'), 'x');
    appendFileSync(join(dataDir, 'spool', 'note.txt'), 'x');
    expect(await drain(restored())).toHaveLength(10);
  });
});

describe('the bound of the spool', () => {
  it('is kept by dropping the oldest file, and it is said exactly what is lost', async () => {
    spool = fixture.open('r3', { bytesMax: 3_500_000 });
    queue = fixture.queueOf(spool);
    for (let n = 0; n < 30_000; n += 100) {
      queue.append(spoolRecords(n, n + 100));
      if (n % 1000 === 0) await queue.written();
    }
    expect(spool.bytes).toBeLessThan(4_600_000);
    const left = numbersOf(await drain(queue));
    await spool.close();
    expect([...numbersOf(fixture.lostRecords), ...left]).toEqual(numbersFrom(0, 30_000));
    expect(fixture.countLost()).toBe(fixture.lostRecords.length);
    expect(fixture.warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining('the spool is full'));
  });

  it('takes what earlier processes left before its own, when that is older', async () => {
    await fixture.dead('dead', 8000);
    clock.advance(1000);
    const next = fixture.open('r2', { bytesMax: 2_500_000 });
    const own = fixture.queueOf(next);
    for (let n = 0; n < 4000; n += 1000) own.append(spoolRecords(n, n + 1000));
    await next.close();
    expect(fixture.restoredLost.length).toBeGreaterThan(0);
    expect(fixture.countLost()).toBe(0);
  });

  it('does not count as lost what a producer holds of a dropped file', async () => {
    queue.append(spoolRecords(0, 2000));
    await peeked(queue);
    const taken = queue.take();
    await queue.dropOldest();
    expect(fixture.countLost()).toBe(2000 - taken.records.length);
    expect(fixture.lostRecords).toHaveLength(2000 - taken.records.length);
    queue.acknowledge(taken);
    expect(queue.isGone).toBe(true);
  });
});
