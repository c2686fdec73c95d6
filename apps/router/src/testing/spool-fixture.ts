import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ManualClock, silentLogger } from '@app/shared/core';
import { vi } from 'vitest';
import { until } from './until.js';
import { Spool, type SpoolOptions } from '../publishing/spool.js';
import type { LostByTally, SpoolQueue } from '../publishing/spool-queue.js';
import type { SpoolRecord } from '../publishing/spool-record.js';

/** The nth record: its number is in its text. */
export const spoolRecord = (n: number, more: Partial<SpoolRecord> = {}): SpoolRecord => ({
  partition: n % 3,
  key: `key-${n}`,
  value: `{"n":${n},"filling":"${'x'.repeat(200)}"}`,
  tally: 0,
  bucket: n,
  arm: n % 2,
  ...more,
});
export const spoolRecords = (from: number, to: number): SpoolRecord[] =>
  Array.from({ length: to - from }, (_, i) => spoolRecord(from + i));
export const numbersOf = (records: readonly SpoolRecord[]): number[] =>
  records.map((r) => (JSON.parse(r.value.toString()) as { n: number }).n);
export const numbersFrom = (from: number, to: number): number[] => numbersOf(spoolRecords(from, to));

/** Takes and acknowledges all that a queue has. */
export async function drain(queue: SpoolQueue): Promise<SpoolRecord[]> {
  const all: SpoolRecord[] = [];
  await queue.written();
  while (!queue.isEmpty) {
    if (!queue.peek()) {
      await until(() => queue.isEmpty || queue.peek() !== null);
      continue;
    }
    const chunk = queue.take();
    all.push(...chunk.records);
    queue.acknowledge(chunk);
  }
  return all;
}

/** Spools on one data directory, and what they told. */
export class SpoolFixture {
  readonly lost: LostByTally[] = [];
  readonly lostRecords: SpoolRecord[] = [];
  readonly restoredLost: SpoolRecord[] = [];
  readonly written: SpoolRecord[] = [];
  readonly refused: SpoolRecord[] = [];
  readonly warn = vi.fn();
  readonly error = vi.fn();
  readonly info = vi.fn();

  constructor(
    readonly dataDir: string,
    readonly clock: ManualClock,
  ) {}

  open(router: string, more: Partial<SpoolOptions> = {}): Spool {
    const { warn, error, info } = this;
    return new Spool({
      dataDir: this.dataDir,
      router,
      bytesMax: 1e9,
      fsync: 'never',
      clock: this.clock,
      logger: Object.assign(Object.create(silentLogger) as typeof silentLogger, { warn, error, info }),
      onLoss: (lost) => this.lost.push(lost),
      onLostRecords: (records) => this.lostRecords.push(...records),
      onRestoredLost: (records) => this.restoredLost.push(...records),
      ...more,
    });
  }

  queueOf(spool: Spool): SpoolQueue {
    return spool.queue(0, {
      onWritten: (records) => this.written.push(...records),
      onRefused: (records) => this.refused.push(...records),
      onReadable: () => undefined,
    });
  }

  /** A queue of a process that died, with these records in it. */
  async dead(router: string, to: number): Promise<void> {
    const queue = this.queueOf(this.open(router));
    for (let n = 0; n < to; n += 1000) queue.append(spoolRecords(n, Math.min(to, n + 1000)));
    await queue.written();
  }

  filesOf(router: string): string[] {
    const dir = join(this.dataDir, 'spool', router, '0');
    return readdirSync(dir)
      .sort()
      .map((name) => join(dir, name));
  }

  countLost(): number {
    return this.lost.reduce((sum, byTally) => sum + (byTally.get(0) ?? 0), 0);
  }
}
