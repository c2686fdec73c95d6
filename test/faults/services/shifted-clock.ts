import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '@app/shared';

const LOOK_EVERY_MS = 50;

/**
 * The system's clock, off by what a file says (milliseconds, as text). Only the wall clock jumps: a monotonic one does
 * not. Whoever changes the file makes the clock jump, within 50 ms.
 */
export function shiftedClock(file: string): Clock {
  let offsetMs = readOffset(file);
  setInterval(() => (offsetMs = readOffset(file)), LOOK_EVERY_MS).unref();
  return { nowMs: () => systemClock.nowMs() + offsetMs, monotonicMs: systemClock.monotonicMs };
}

function readOffset(file: string): number {
  const offsetMs = Number(readFileSync(file, 'utf8') || 0);
  if (!Number.isFinite(offsetMs)) throw new RangeError(`${file} holds no offset`);
  return offsetMs;
}
