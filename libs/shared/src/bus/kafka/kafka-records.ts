import type { Batch, Message } from 'kafkajs';
import type { BusBatch, BusRecord, OutRecord } from '../message-bus.js';

/** What was fetched at `position`, markers and aborted records left out. */
export function toBusBatch(batch: Batch, position: number): BusBatch {
  return {
    topic: batch.topic,
    partition: batch.partition,
    records: batch.messages.map(toBusRecord),
    fetchedOffset: position,
    nextOffset: Number(batch.lastOffset()) + 1,
    endOffset: Number(batch.highWatermark),
  };
}

function toBusRecord(message: Batch['messages'][number]): BusRecord {
  const record = {
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
  };
  const entries = Object.entries(message.headers ?? {});
  if (entries.length === 0) return record;
  const text = (value: (typeof entries)[number][1]): string =>
    Array.isArray(value) ? String(value.at(-1) ?? '') : (value?.toString() ?? '');
  return { ...record, headers: Object.fromEntries(entries.map(([name, value]) => [name, text(value)])) };
}

/** For kafkajs, which decides on the partition by the same hash when none is given. */
export function toMessage({ partition, key, value, headers }: OutRecord): Message {
  return { key, value, ...(partition === undefined ? {} : { partition }), ...(headers ? { headers } : {}) };
}
