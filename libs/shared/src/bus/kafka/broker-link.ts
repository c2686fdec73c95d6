import { CanaryError } from '../../errors.js';
import type { KafkaClient } from './kafka-client.js';
import { errorOfCode } from './kafka-errors.js';
import { type Broker, kafkajsInternals, type MetadataResponse } from './kafkajs-internals.js';
import {
  decodeProduceAnswer,
  PRODUCE_API_KEY,
  PRODUCE_VERSION,
  type ProduceAnswer,
  setCorrelationId,
} from './produce-request.js';
import { within } from './within.js';

const METADATA_API_KEY = 3;
/** TCP, TLS, login: each has a shorter time of its own; this is for what hangs between them. */
const CONNECT_MS_MAX = 5000;
/** A request is given up by then whatever its connection does. */
const ANSWER_MS_MAX = 4000;
const REQUEST_TIMEOUT_MS = 1500;
const DISCONNECT_MS = 2000;
/** Of a transaction, which there is none of. */
const TRANSACTION_TIMEOUT_MS = 60_000;

/** Where a topic's partitions are led. */
export interface TopicLeaders {
  readonly brokers: MetadataResponse['brokers'];
  /** Node id by partition; -1: nobody leads it now. */
  readonly leaders: readonly number[];
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** One connection of kafkajs to one broker. After the first failure it is of no use any more. */
export class BrokerLink {
  private readonly broker: Broker;
  private readonly connecting: Promise<void>;

  constructor(client: KafkaClient, host: string, port: number) {
    this.broker = client.broker(host, port);
    this.connecting = this.inTime(CONNECT_MS_MAX, this.broker.connect());
    this.connecting.catch(() => undefined);
  }

  connected(): Promise<void> {
    return this.connecting;
  }

  /** Rejects with Kafka's error for this topic, if it has one. */
  async leaders(topic: string): Promise<TopicLeaders> {
    await this.connecting;
    const ask = this.broker.lookupRequest(METADATA_API_KEY, kafkajsInternals().metadataRequest);
    const { request, response } = ask({ topics: [topic], allowAutoTopicCreation: false });
    // kafkajs would reject the answer if a single partition had no leader.
    const whole = { request, response: { ...response, parse: async (decoded: unknown) => decoded } };
    const answer = (await this.inTime(ANSWER_MS_MAX, this.broker.connectionPool.send(whole))) as MetadataResponse;
    const found = answer.topicMetadata.find((t) => t.topic === topic);
    if (!found || found.topicErrorCode !== 0) throw errorOfCode(found?.topicErrorCode ?? -1);
    const leaders: number[] = [];
    for (const { partitionId, leader } of found.partitionMetadata) leaders[partitionId] = leader;
    return { brokers: answer.brokers, leaders };
  }

  async initProducerId(): Promise<ProducerIdentity> {
    await this.connecting;
    const asked = this.broker.initProducerId({ transactionTimeout: TRANSACTION_TIMEOUT_MS });
    const { producerId, producerEpoch } = await this.inTime(ANSWER_MS_MAX, asked);
    return { producerId: BigInt(producerId), producerEpoch };
  }

  /** Sends a request as encodeProduceRequest() makes it. Rejects when no answer comes: it may be carried out all the same. */
  async produce(request: Buffer): Promise<ProduceAnswer> {
    await this.connecting;
    return this.inTime(ANSWER_MS_MAX, this.exchange(request));
  }

  async close(): Promise<void> {
    await within(DISCONNECT_MS, this.broker.disconnect()).catch(() => undefined);
  }

  private async exchange(request: Buffer): Promise<ProduceAnswer> {
    const connection = await this.broker.connectionPool.getConnection();
    // Brokers limit how long a login is good for.
    if (!connection.isAuthenticated()) await connection.authenticate();
    const correlationId = connection.nextCorrelationId();
    setCorrelationId(request, correlationId);
    const { payload } = await new Promise<{ readonly payload: Buffer }>((resolve, reject) =>
      connection.requestQueue.push({
        entry: {
          apiKey: PRODUCE_API_KEY,
          apiName: 'Produce',
          apiVersion: PRODUCE_VERSION,
          correlationId,
          resolve,
          reject,
        },
        expectResponse: true,
        requestTimeout: REQUEST_TIMEOUT_MS,
        sendRequest: () => {
          if (!connection.isConnected()) throw new CanaryError('kafka-unavailable', 'the connection is closed');
          connection.socket!.write(request);
        },
      }),
    );
    const answer = decodeProduceAnswer(payload);
    connection.requestQueue.maybeThrottle(answer.throttleMs);
    return answer;
  }

  private async inTime<T>(ms: number, work: Promise<T>): Promise<T> {
    const done = await within(
      ms,
      work.then((value) => ({ value })),
    );
    if (!done) throw new CanaryError('kafka-unavailable', `a broker did not answer within ${ms} ms`);
    return done.value;
  }
}
