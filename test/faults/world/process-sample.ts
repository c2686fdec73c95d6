import { readdirSync, readlinkSync } from 'node:fs';
import { residentMib } from '../../benchmark/process-usage.js';
import { Metrics } from './metrics.js';
import type { Incarnation } from './service-slot.js';

const MIB = 1024 * 1024;

/** What a process of a service holds at one moment. */
export interface ProcessSample {
  readonly atMs: number;
  readonly residentMib: number;
  /** V8's heap as far as it is used, and what it keeps outside. */
  readonly heapMib: number;
  /** Open descriptors: files, sockets and all else. */
  readonly files: number;
  readonly timers: number;
  /** TCP connections that Node knows of. */
  readonly sockets: number;
  /** Predictions under way; 0 of what is no router. */
  readonly inFlight: number;
}

/** Null: it is suspended or cut off, and does not say how many timers it has. Linux only. */
export async function sampleOf({ pid, url }: Pick<Incarnation, 'pid' | 'url'>): Promise<ProcessSample | null> {
  try {
    const metrics = await Metrics.of(url, 2_000);
    return {
      atMs: Date.now(),
      residentMib: residentMib(pid),
      heapMib: (metrics.sumOfEnding('heap_size_used_bytes') + metrics.sumOfEnding('external_memory_bytes')) / MIB,
      files: readdirSync(`/proc/${pid}/fd`).length,
      timers: metrics.sumOfEnding('nodejs_active_resources', 'type="Timeout"'),
      sockets: metrics.sumOfEnding('nodejs_active_resources', 'type="TCPSocketWrap"'),
      inFlight: metrics.sum('model_canary_router_in_flight'),
    };
  } catch {
    return null;
  }
}

/** What each open descriptor of a process is, as the system names it: `socket:[4711]`, a path. Linux only. */
export function openFiles(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((number) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${number}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}
