import { CanaryError } from '../../errors.js';
import type { Carrier } from '../lane-producer.js';
import type { OutRecord, TopicPartition } from '../message-bus.js';
import { partitionOf } from '../murmur2.js';
import type { BatchSender } from './batch-sender.js';
import { Ending } from './ending.js';
import type { KafkaClient } from './kafka-client.js';
import type { Outage } from './outage.js';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 500;

/** Records of one partition. */
interface Load extends TopicPartition {
  readonly records: OutRecord[];
}

export interface KafkaCarrierParts {
  readonly client: KafkaClient;
  readonly sender: BatchSender;
  /** Told once, not by each producer. */
  readonly outage: Outage<KafkaCarrier>;
  readonly closed: () => void;
}

/** One producer's share of the sender that all of them have in common. */
export class KafkaCarrier implements Carrier {
  private readonly ending = new Ending();

  constructor(private readonly parts: KafkaCarrierParts) {}

  async carry(records: readonly OutRecord[]): Promise<readonly OutRecord[]> {
    const loads = byPartition(records) ?? (await this.byKey(records));
    const refused = await Promise.all(loads.map((load) => this.deliver(load)));
    this.parts.outage.back(this);
    return refused.flat();
  }

  async stop(): Promise<void> {
    this.ending.end();
    this.parts.outage.forget(this);
    this.parts.closed();
  }

  private async deliver({ topic, partition, records }: Load): Promise<readonly OutRecord[]> {
    if (this.ending.isOver) throw producerClosed();
    const delivered = this.parts.sender.deliver({ topic, partition }, records, (error) => this.gone(error));
    try {
      return await this.ending.until(delivered.done, producerClosed);
    } catch (error) {
      delivered.abandon();
      throw error;
    }
  }

  /** Asks how many partitions there are for as long as it takes. */
  private async byKey(records: readonly OutRecord[]): Promise<Load[]> {
    const { topic } = records[0]!;
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      if (this.ending.isOver) throw producerClosed();
      try {
        const count = await this.parts.client.partitionCount(topic);
        return byPartition(records, (key) => partitionOf(key, count))!;
      } catch (error) {
        this.gone(error);
        await this.ending.wait(pauseMs);
      }
    }
  }

  private gone(error: unknown): void {
    this.parts.client.sayRefusal(error);
    if (!this.ending.isOver) this.parts.outage.gone(this, error);
  }
}

/** null: one of them needs a partition for its key. They are of one topic. */
function byPartition(records: readonly OutRecord[], ofKey?: (key: Buffer | string) => number): Load[] | null {
  const loads = new Map<number, Load>();
  for (const record of records) {
    const partition = record.partition ?? ofKey?.(record.key ?? '');
    if (partition === undefined) return null;
    const load = loads.get(partition);
    if (load) load.records.push(record);
    else loads.set(partition, { topic: record.topic, partition, records: [record] });
  }
  return [...loads.values()];
}

const producerClosed = (): CanaryError => new CanaryError('producer-closed', 'the producer was closed');
