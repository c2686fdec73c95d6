import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka, type KafkaConfig, type LogEntry } from 'kafkajs';
import { CanaryError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { PartitionOffsets, TopicPartition } from '../message-bus.js';
import type { OffsetRange } from '../start-position.js';
import { type Broker, kafkajsInternals } from './kafkajs-internals.js';
import { repairKafkajs } from './kafkajs-repairs.js';
import { errorTypes, hasNoLeaderYet } from './kafka-errors.js';
import { hintFor, refusalOf } from './kafka-refusals.js';
import { within } from './within.js';

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  /** true, or Node's TLS options. */
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: KafkaConfig['sasl'];
  /** Asked before each new connection, in place of the two above: certificates and passwords change. */
  readonly credentials?: () => Pick<KafkaSettings, 'ssl' | 'sasl'>;
}

/** One retry: what goes on longer is for the supervisor, which does it with a new client. */
export const RETRY = { retries: 1, initialRetryTime: 100, maxRetryTime: 200 } as const;
/** Only this ends a request to a broker that is stopped and keeps its connections. */
const REQUEST_TIMEOUT_MS = 1500;
const CONNECTION_TIMEOUT_MS = 1000;
const ADMIN_REQUEST_TIMEOUT_MS = 5000;
const ADMIN_TIMEOUT_MS = 8000;
const ADMIN_CREATE_TIMEOUT_MS = 30_000;
const DISCONNECT_TIMEOUT_MS = 2000;
const LEADER_TRIES = 20;
const LEADER_WAIT_MS = 100;
const PARTITION_COUNT_AGE_MS_MAX = 300_000;
/** What a person must do is said again after this time. */
const REFUSAL_SAID_MS = 60_000;

/** Makes kafkajs clients as they must be set, and asks brokers what the adapters need to know. */
export class KafkaClient {
  private readonly counts = new Map<string, { readonly count: number; readonly atMs: number }>();

  private readonly refusalSaidMs = new Map<string, number>();

  constructor(private readonly settings: KafkaSettings) {
    repairKafkajs();
  }

  get logger(): Logger {
    return this.settings.logger;
  }

  get clientId(): string {
    return this.settings.clientId;
  }

  /** A new client for each part and each of its lives: clients share offsets and half-dead connections. */
  kafka(overrides: Partial<KafkaConfig> = {}): Kafka {
    const { brokers, clientId, logger } = this.settings;
    const { ssl, sasl } = this.credentials();
    return new kafkajs.Kafka({
      brokers: [...brokers],
      clientId,
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      retry: RETRY,
      logLevel: kafkajs.logLevel.WARN,
      // What kafkajs calls an error mostly heals; whoever supervises it says what a person should know.
      logCreator: () => (entry: LogEntry) => logger.debug({ kafkajs: entry.namespace }, entry.log.message),
      ...overrides,
    });
  }

  /** kafkajs keeps in its copy of the login what it made of the first password. */
  private credentials(): Pick<KafkaConfig, 'ssl' | 'sasl'> {
    const { ssl, sasl } = this.settings.credentials?.() ?? this.settings;
    return { ssl, sasl: sasl && { ...sasl } };
  }

  /**
   * If an error is a refusal, it is said loudly (once a minute), because waiting does not help. Returns the refusal, or
   * the error as it is.
   */
  sayRefusal(error: unknown): unknown {
    const refusal = refusalOf(error);
    if (!refusal) return error;
    const saidMs = this.refusalSaidMs.get(refusal.code) ?? -Infinity;
    if (performance.now() - saidMs > REFUSAL_SAID_MS) {
      this.refusalSaidMs.set(refusal.code, performance.now());
      this.logger.error({ code: refusal.code }, refusal.message);
    }
    return refusal;
  }

  /** One broker, not connected, with connections that only this caller has. */
  broker(host: string, port: number): Broker {
    const { ConnectionPool, Broker, socketFactory } = kafkajsInternals();
    const { clientId } = this.settings;
    const { ssl, sasl } = this.credentials();
    const logger = this.kafka().logger();
    const connectionPool = new ConnectionPool({
      ...{ host, port, clientId, logger },
      ssl: tlsOptions(ssl),
      sasl,
      socketFactory: socketFactory(),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
    });
    return new Broker({ connectionPool, logger, allowAutoTopicCreation: false });
  }

  /** Where the cluster may be asked for at first. */
  get bootstrap(): readonly { readonly host: string; readonly port: number }[] {
    return this.settings.brokers.map((address) => {
      const at = address.lastIndexOf(':');
      return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    });
  }

  /** Asks with a client of its own, so that a broken one is never met again. */
  async asAdmin<T>(ask: (admin: Admin) => Promise<T>, timeoutMs = ADMIN_TIMEOUT_MS): Promise<T> {
    const admin = this.kafka({ requestTimeout: Math.max(ADMIN_REQUEST_TIMEOUT_MS, timeoutMs / 2) }).admin();
    const asking = (async () => {
      await admin.connect();
      return { answer: await ask(admin) };
    })();
    // Awaited below or timed out; in the latter case nobody else would.
    asking.catch(() => undefined);
    try {
      const answered = await within(timeoutMs, asking);
      if (!answered) throw new CanaryError('kafka-unavailable', `Kafka did not answer within ${timeoutMs} ms`);
      return answered.answer;
    } catch (error) {
      const told = this.sayRefusal(error);
      const hint = told === error ? hintFor(error) : null;
      throw hint ? new CanaryError('kafka-unavailable', hint, { cause: error }) : told;
    } finally {
      void within(DISCONNECT_TIMEOUT_MS, admin.disconnect()).catch(() => undefined);
    }
  }

  asCreator<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    return this.asAdmin(ask, ADMIN_CREATE_TIMEOUT_MS);
  }

  /** Throws CanaryError `missing-topic`. */
  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.asAdmin((admin) => readOffsets(admin, topic));
  }

  /** First and last stable offsets of all partitions of these topics. Throws CanaryError `missing-topic`. */
  async ranges(topics: readonly string[]): Promise<Ranges> {
    const { ranges, missing } = await this.rangesOfPresent(topics);
    if (missing[0] !== undefined) throw missingTopic(missing[0]);
    return ranges;
  }

  /** The same of those that exist. */
  rangesOfPresent(
    topics: readonly string[],
  ): Promise<{ readonly ranges: Ranges; readonly missing: readonly string[] }> {
    return this.asAdmin(async (admin) => {
      const ranges: Ranges = new Map();
      const missing: string[] = [];
      for (const topic of topics) {
        try {
          for (const { partition, low, end } of await readOffsets(admin, topic))
            ranges.set(partitionKey({ topic, partition }), { low, end });
        } catch (error) {
          if (!(error instanceof CanaryError && error.code === 'missing-topic')) throw error;
          missing.push(topic);
        }
      }
      return { ranges, missing };
    });
  }

  /** The group's committed offsets; none for a partition without one. */
  committed(groupId: string, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.asAdmin(async (admin) => {
      const found = new Map<string, number>();
      for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
        for (const { partition, offset } of partitions) {
          if (Number(offset) >= 0) found.set(partitionKey({ topic, partition }), Number(offset));
        }
      }
      return found;
    });
  }

  /** Partitions of a topic, asked again every five minutes. */
  async partitionCount(topic: string): Promise<number> {
    const known = this.counts.get(topic);
    if (known && Date.now() - known.atMs < PARTITION_COUNT_AGE_MS_MAX) return known.count;
    const metadata = await this.asAdmin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const count = metadata.topics[0]?.partitions.length ?? 0;
    if (count === 0) throw missingTopic(topic);
    this.counts.set(topic, { count, atMs: Date.now() });
    return count;
  }
}

/** kafkajs's own reading of `ssl`: true is TLS with what Node trusts. */
const tlsOptions = (ssl: KafkaConfig['ssl']): object | null => (ssl === true ? {} : ssl || null);

export type Ranges = Map<string, OffsetRange>;
export const partitionKey = (tp: TopicPartition): string => `${tp.topic}/${tp.partition}`;

export const missingTopic = (topic: string, cause?: unknown): CanaryError =>
  new CanaryError('missing-topic', `the topic ${topic} does not exist`, { cause });

/** A broker that has just been made the leader of a partition refuses for some ms; kafkajs gives up at once. */
async function readOffsets(admin: Admin, topic: string): Promise<PartitionOffsets[]> {
  for (let tries = 1; ; tries++) {
    try {
      const partitions = await admin.fetchTopicOffsets(topic);
      return partitions
        .map(({ partition, low, high }) => ({ partition, low: Number(low), end: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    } catch (error) {
      if (errorTypes(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) throw missingTopic(topic, error);
      if (tries === LEADER_TRIES || !hasNoLeaderYet(error)) throw error;
      await delay(LEADER_WAIT_MS);
    }
  }
}
