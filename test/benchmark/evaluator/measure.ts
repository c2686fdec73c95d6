import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { cpuMs, residentMib } from '../process-usage.js';
import type { Contestant, Reader, Track } from './contestant.js';
import { redisCpuMs } from './redis-cpu.js';

/** The start of a process and its first compilations are not what is measured. */
const WARM_SHARE = 0.4;
/** Less than this says nothing: the kernel counts processor time in steps of 10 ms. */
const CPU_MS_MIN = 50;
const LOOK_EVERY_MS = 20;
const STALL_MS_MAX = 60_000;

/** Of the part after the warm-up. */
export interface Sample {
  /** CPU of all its processes per record, buckets' and outcomes' alike, us. */
  readonly cpuUsPerRecord: number;
  /** The same per outcome or label. */
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Resident memory of its largest process, MiB, when the warm-up was over, and at the end. */
  readonly residentMib: readonly [number, number];
  /** CPU of Redis per outcome or label, us. */
  readonly redisUs: number;
}

interface Mark {
  readonly records: number;
  readonly atMs: number;
  readonly cpuMs: number;
  readonly residentMib: number;
  readonly redisMs: number;
}

/** Runs a contestant over the whole topic. */
export async function measure(contestant: Contestant, track: Track, redis: Redis): Promise<Sample> {
  const reader = await contestant.start(track);
  try {
    const begin = await reached(reader, 0, redis);
    const warmed = await reached(reader, track.records * WARM_SHARE, redis);
    const end = await reached(reader, track.records, redis);
    // A topic so short that next to nothing is left after the warm-up is measured with the start of the process.
    const warm = end.cpuMs - warmed.cpuMs >= CPU_MS_MIN ? warmed : { ...begin, records: 0 };
    const records = end.records - warm.records;
    const items = (records * track.items) / track.records;
    const cpuUs = (end.cpuMs - warm.cpuMs) * 1000;
    return {
      cpuUsPerRecord: cpuUs / records,
      cpuUs: cpuUs / items,
      perSecond: items / ((end.atMs - warm.atMs) / 1000),
      residentMib: [warm.residentMib, end.residentMib],
      redisUs: ((end.redisMs - warm.redisMs) * 1000) / items,
    };
  } finally {
    await reader.stop();
  }
}

/** Waits until a reader has taken in so many records. */
async function reached(reader: Reader, wanted: number, redis: Redis): Promise<Mark> {
  let [best, movedAtMs] = [-1, performance.now()];
  for (;;) {
    const records = await reader.records();
    const atMs = performance.now();
    if (records >= wanted) return mark(reader, records, atMs, await redisCpuMs(redis));
    if (records > best) [best, movedAtMs] = [records, atMs];
    else if (atMs - movedAtMs > STALL_MS_MAX) throw new Error(`stands still at ${records} of ${wanted} records`);
    await delay(LOOK_EVERY_MS);
  }
}

const mark = ({ pids }: Reader, records: number, atMs: number, redisMs: number): Mark => ({
  records,
  atMs,
  redisMs,
  cpuMs: pids.reduce((sum, pid) => sum + cpuMs(pid), 0),
  residentMib: Math.max(...pids.map(residentMib)),
});
