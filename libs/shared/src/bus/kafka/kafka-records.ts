import type { Batch, Message } from 'kafkajs';
import type { BusBatch, OutRecord } from '../message-bus.js';
import type { FetchedRecord } from './fetch-decoder.js';

/** What was fetched at `position`, markers and aborted records left out. */
export function toBusBatch(batch: Batch, position: number): BusBatch {
  return {
    topic: batch.topic,
    partition: batch.partition,
    // Ours: kafkajs hands through what our decoder made.
    records: batch.messages as unknown as readonly FetchedRecord[],
    fetchedOffset: position,
    nextOffset: Number(batch.lastOffset()) + 1,
    endOffset: Number(batch.highWatermark),
  };
}

/** For kafkajs, which decides on the partition by the same hash when none is given. */
export function toMessage({ partition, key, value, headers }: OutRecord): Message {
  return { key, value, ...(partition === undefined ? {} : { partition }), ...(headers ? { headers } : {}) };
}
