import kafkajs, { type Producer } from 'kafkajs';
import { CanaryError } from '../../errors.js';
import type { Carrier } from '../lane-producer.js';
import type { OutRecord } from '../message-bus.js';
import { partitionOf } from '../murmur2.js';
import type { KafkaClient } from './kafka-client.js';
import { isSequenceError, isTooLarge } from './kafka-errors.js';
import { toMessage } from './kafka-records.js';
import { within } from './within.js';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 500;
const DISCONNECT_MS = 2000;

/** Records of one partition: what one request carries. */
interface Load {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutRecord[];
}

/**
 * Sends with an idempotent producer, the identical load again until it is acknowledged. kafkajs rolls a sequence number
 * back after a timeout, so that another load in its place would be taken for the one before and lost; and it forgets which
 * of several brokers acknowledged, so that each partition's records are a load of their own.
 */
export class KafkaCarrier implements Carrier {
  private producer: Promise<Producer> | null = null;
  private readonly stopping = Promise.withResolvers<void>();
  private stopped = false;
  private away = false;

  constructor(
    private readonly client: KafkaClient,
    private readonly onError: (error: unknown) => void,
    private readonly closed: () => void,
  ) {}

  async carry(records: readonly OutRecord[]): Promise<void> {
    const loads = await this.untilDone(() => this.byPartition(records));
    await Promise.all(loads.map((load) => this.deliver(load)));
    this.back();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping.resolve();
    await this.discard(this.producer);
    this.closed();
  }

  private async deliver(load: Load): Promise<void> {
    const tooLarge = await this.untilDone(() => this.send(load));
    if (!tooLarge) return;
    // Surely not written: the topic takes smaller batches than we thought.
    const middle = Math.ceil(load.records.length / 2);
    await this.deliver({ ...load, records: load.records.slice(0, middle) });
    await this.deliver({ ...load, records: load.records.slice(middle) });
  }

  /** Resolves to whether the load has to be divided. */
  private async send({ topic, partition, records }: Load): Promise<boolean> {
    const connecting = this.connected();
    const producer = await connecting;
    const messages = records.map((record) => ({ ...toMessage(record), partition }));
    try {
      await producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
      return false;
    } catch (error) {
      if (isTooLarge(error) && records.length > 1) return true;
      // This load may be doubled by that; records carry ids for it.
      if (isSequenceError(error)) void this.discard(connecting);
      throw error;
    }
  }

  private async byPartition(records: readonly OutRecord[]): Promise<Load[]> {
    const loads = new Map<string, Load & { readonly records: OutRecord[] }>();
    for (const record of records) {
      const { topic } = record;
      const partition = record.partition ?? partitionOf(record.key ?? '', await this.client.partitionCount(topic));
      const name = `${topic}/${partition}`;
      const load = loads.get(name);
      if (load) load.records.push(record);
      else loads.set(name, { topic, partition, records: [record] });
    }
    return [...loads.values()];
  }

  private connected(): Promise<Producer> {
    this.producer ??= this.connect();
    return this.producer;
  }

  private async connect(): Promise<Producer> {
    const producer = this.client.kafka().producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.producer = null;
      await within(DISCONNECT_MS, producer.disconnect()).catch(() => undefined);
      throw error;
    }
  }

  private async discard(connecting: Promise<Producer> | null): Promise<void> {
    if (this.producer === connecting) this.producer = null;
    const disconnected = connecting?.then((producer) => producer.disconnect());
    // It failed to connect, or will not answer: there is nothing to disconnect.
    if (disconnected) await within(DISCONNECT_MS, disconnected).catch(() => undefined);
  }

  private async untilDone<T>(attempt: () => Promise<T>): Promise<T> {
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      if (this.stopped) throw new CanaryError('producer-closed', 'the producer was closed');
      try {
        return await attempt();
      } catch (error) {
        this.gone(error);
        await within(pauseMs, this.stopping.promise);
      }
    }
  }

  private gone(error: unknown): void {
    if (this.stopped || this.away) return;
    this.away = true;
    this.onError(error);
    this.client.logger.warn({ err: error }, 'records cannot be sent to Kafka; trying again');
  }

  private back(): void {
    if (!this.away) return;
    this.away = false;
    this.client.logger.info('records are sent to Kafka again');
  }
}
