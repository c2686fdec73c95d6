import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../testing/until.js';
import type { Spool } from './spool.js';
import { type SpoolDisk, spoolDisk } from './spool-disk.js';
import { drain, numbersFrom, numbersOf, SpoolFixture, spoolRecords } from '../testing/spool-fixture.js';
import type { SpoolQueue } from './spool-queue.js';

let dataDir: string;
let clock: ManualClock;
let fixture: SpoolFixture;
let opened: Spool[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'router-spool-'));
  clock = new ManualClock(1_795_000_000_000);
  fixture = new SpoolFixture(dataDir, clock);
  opened = [];
});
afterEach(async () => {
  for (const spool of opened) await spool.close();
  rmSync(dataDir, { recursive: true });
});

function open(disk: Partial<SpoolDisk>, more: Parameters<SpoolFixture['open']>[1] = {}): [Spool, SpoolQueue] {
  const spool = fixture.open('r1', { disk: { ...spoolDisk, ...disk }, ...more });
  opened.push(spool);
  return [spool, fixture.queueOf(spool)];
}

const failing = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

describe('a disk', () => {
  it('that is full has what is oldest dropped until there is room, and not a record more', async () => {
    let room = 2_500_000;
    const write: SpoolDisk['write'] = async (fd, block, position) => {
      if (block.length > room) throw failing('ENOSPC');
      await spoolDisk.write(fd, block, position);
      room -= block.length;
    };
    const remove: SpoolDisk['remove'] = async (path) => {
      await spoolDisk.remove(path);
      room += 1_000_000;
    };
    const [spool, queue] = open({ write, remove });
    for (let n = 0; n < 20_000; n += 500) queue.append(spoolRecords(n, n + 500));
    const left = numbersOf(await drain(queue));
    await spool.close();
    expect(fixture.refused).toEqual([]);
    expect([...numbersOf(fixture.lostRecords), ...left]).toEqual(numbersFrom(0, 20_000));
    expect(fixture.countLost()).toBe(fixture.lostRecords.length);
    expect(spool.isWritable).toBe(true);
  });

  it.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO'])(
    'that fails by %s costs the records that it does not take, says so once, and is used again when it works',
    async (code) => {
      let broken = false;
      const whole = (): void => {
        if (broken) throw failing(code);
      };
      const [spool, queue] = open({
        create: async (path) => (whole(), spoolDisk.create(path)),
        write: async (fd, block, position) => (whole(), spoolDisk.write(fd, block, position)),
        remove: async (path) => (whole(), spoolDisk.remove(path)),
      });
      queue.append(spoolRecords(0, 10));
      await queue.written();
      broken = true;
      for (let n = 10; n < 40; n += 10) queue.append(spoolRecords(n, n + 10));
      await queue.written();
      expect(spool.isWritable).toBe(false);
      broken = false;
      queue.append(spoolRecords(40, 50));
      const left = numbersOf(await drain(queue));
      // A full disk is made room on; otherwise what is on disk is safe there.
      const kept = code === 'ENOSPC' ? numbersFrom(40, 50) : [...numbersFrom(0, 10), ...numbersFrom(40, 50)];
      expect(left).toEqual(kept);
      expect(numbersOf(fixture.refused)).toEqual(numbersFrom(10, 40));
      expect(fixture.countLost()).toBe(50 - 30 - kept.length);
      expect(fixture.error).toHaveBeenCalledOnce();
      expect(fixture.info).toHaveBeenCalledOnce();
    },
  );

  it('that takes half a write leaves no half record to the next process', async () => {
    let fails = false;
    const write: SpoolDisk['write'] = async (fd, block, position) => {
      if (!fails) return spoolDisk.write(fd, block, position);
      await spoolDisk.write(fd, block.subarray(0, block.length / 2), position);
      throw failing('EIO');
    };
    const [, queue] = open({ write });
    queue.append(spoolRecords(0, 10));
    await queue.written();
    fails = true;
    queue.append(spoolRecords(10, 20));
    await queue.written();
    const next = fixture.open('r2');
    expect(numbersOf(await drain(next.restored[0]!))).toEqual(numbersFrom(0, 10));
    expect(next.damaged).toEqual({ bytes: 0, records: 0 });
  });

  it('that hangs is not waited for: a bounded number of records wait for it, the rest is refused at once', async () => {
    const hang = Promise.withResolvers<void>();
    const write: SpoolDisk['write'] = async (fd, block, position) => {
      if (block.length > 100) await hang.promise;
      await spoolDisk.write(fd, block, position);
    };
    const [spool, queue] = open({ write });
    let taken = 0;
    for (let n = 0; n < 60_000; n += 1000) if (queue.append(spoolRecords(n, n + 1000))) taken += 1000;
    expect(taken).toBeGreaterThan(20_000);
    expect(spool.bytes).toBeLessThan(9 * 1024 * 1024);
    hang.resolve();
    expect(numbersOf(await drain(queue))).toEqual(numbersFrom(0, taken));
  });

  it('that cannot read a file back costs what is in it, by version, and no other file', async () => {
    const [, queue] = open({});
    for (let n = 0; n < 12_000; n += 1000) queue.append(spoolRecords(n, n + 1000));
    await queue.written();
    const [first] = fixture.filesOf('r1');
    unlinkSync(first!);
    const left = numbersOf(await drain(queue));
    expect(left.at(-1)).toBe(11_999);
    expect(left.length).toBeGreaterThan(5000);
    expect(fixture.countLost()).toBe(12_000 - left.length);
  });

  it('that damages a file of this process costs what is damaged, counted by version', async () => {
    const [spool, queue] = open({
      read: async (path, position, length) => {
        const block = await spoolDisk.read(path, position, length);
        block.fill(0, 1000, 1400);
        return block;
      },
    });
    queue.append(spoolRecords(0, 100));
    const left = numbersOf(await drain(queue));
    expect(left.length).toBeGreaterThan(95);
    expect(fixture.countLost()).toBe(100 - left.length);
    expect(spool.damaged.records).toBe(100 - left.length);
  });
});

describe('syncing', () => {
  const counted = () => ({
    sync: vi.fn(spoolDisk.sync),
    syncDirectory: vi.fn(spoolDisk.syncDirectory),
    close: vi.fn(spoolDisk.close),
  });

  it('never: nothing is synced', async () => {
    const disk = counted();
    const [spool, queue] = open(disk, { fsync: 'never' });
    queue.append(spoolRecords(0, 10));
    await spool.close();
    expect([disk.sync.mock.calls.length, disk.syncDirectory.mock.calls.length]).toEqual([0, 0]);
  });

  it('every second: a file is synced before it is closed, so that no full one is forgotten, and found after a power cut', async () => {
    const disk = counted();
    const [, queue] = open(disk, { fsync: 'second' });
    for (let n = 0; n < 12_000; n += 1000) queue.append(spoolRecords(n, n + 1000));
    await queue.written();
    await until(() => disk.close.mock.calls.length >= 2);
    for (const [closed] of disk.close.mock.calls) expect(disk.sync.mock.calls.flat()).toContain(closed);
    const directories = disk.syncDirectory.mock.calls.map(([path]) => path);
    expect(directories).toContain(join(dataDir, 'spool', 'r1', '0'));
    expect(directories).toContain(join(dataDir, 'spool'));
  });

  it('always: each write is synced, and no write waits for it', async () => {
    const disk = counted();
    const gate = Promise.withResolvers<void>();
    disk.sync.mockImplementation(async (fd) => {
      await gate.promise;
      await spoolDisk.sync(fd);
    });
    const [, queue] = open(disk, { fsync: 'always' });
    queue.append(spoolRecords(0, 10));
    await queue.written();
    await until(() => disk.sync.mock.calls.length === 1);
    queue.append(spoolRecords(10, 20));
    await queue.written();
    expect(fixture.written).toHaveLength(20);
    gate.resolve();
    await until(() => disk.sync.mock.calls.length === 2);
  });
});
