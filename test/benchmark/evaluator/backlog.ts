import type { MessageBus, OutRecord } from '@app/shared';
import type { RoutedRecord } from './routers.js';

const RECORDS_PER_SEND = 2_000;

export interface Backlog {
  readonly records: number;
  readonly bytes: number;
}

/** Writes records to a topic, in order. */
export async function writeBacklog(bus: MessageBus, topic: string, source: Iterable<RoutedRecord>): Promise<Backlog> {
  const producer = bus.producer();
  let [records, bytes] = [0, 0];
  let batch: OutRecord[] = [];
  let sending: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    await sending;
    sending = producer.send(batch);
    batch = [];
  };
  for (const { partition, value } of source) {
    batch.push({ topic, partition, key: null, value });
    records++;
    bytes += value.length;
    if (batch.length === RECORDS_PER_SEND) await send();
  }
  await send();
  await sending;
  await producer.close();
  return { records, bytes };
}
