import type { ProcessSample } from '../world/process-sample.js';

/** What a router holds when nobody wants anything of it. */
export interface Standing extends Omit<ProcessSample, 'atMs'> {
  /** Of the descriptors, files of its spool. */
  readonly spoolFiles: number;
}

/** Each of a router's producers has at most one file of the spool open: a disk's or Kafka's slowness is no leak. */
const SPOOL_FILES_MAX = 3;
/** Of buckets that are not final yet, which may take a minute, and of what is sent to Kafka at the moment. */
const TIMERS_DUE_MAX = 5;
/** Code is compiled and numbers become larger; of 100,000 connections these are 42 bytes each. */
const HEAP_GROWTH_MIB_MAX = 4;

/** In which ways more is held than before; none: nothing is left. */
export function leftBehind(before: Standing, after: Standing): readonly string[] {
  const counts: Record<string, (of: Standing) => number> = {
    descriptors: ({ files, spoolFiles }) => files - spoolFiles,
    sockets: ({ sockets }) => sockets,
    'predictions in flight': ({ inFlight }) => inFlight,
  };
  const left = Object.entries(counts).filter(([, of]) => of(after) > of(before));
  const texts = left.map(([name, of]) => `${name}: ${of(before)} before, ${of(after)} after`);
  if (after.timers > before.timers + TIMERS_DUE_MAX)
    texts.push(`timers: ${before.timers} before, ${after.timers} after`);
  if (after.spoolFiles > SPOOL_FILES_MAX)
    texts.push(`open files of the spool: ${after.spoolFiles}, ${SPOOL_FILES_MAX} at most`);
  if (after.heapMib > before.heapMib + HEAP_GROWTH_MIB_MAX)
    texts.push(`heap: ${after.heapMib.toFixed(1)} MiB after, ${before.heapMib.toFixed(1)} before`);
  return texts;
}
