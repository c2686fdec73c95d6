import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { KafkaConfig } from 'kafkajs';
import { CanaryError } from '../../errors.js';
import type { DecodedFetch, FetchedRecords } from './fetch-decoder.js';

/**
 * The parts of kafkajs 2.2.4 that are not its interface and that the repairs and the producer reach into: the version is
 * pinned and checked.
 */
const KAFKAJS_VERSION = '2.2.4';

export interface RequestEntry {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly resolve: (answer: { readonly payload: Buffer }) => void;
  readonly reject: (error: Error) => void;
}

export interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  maybeThrottle(ms: number): void;
  push(request: {
    readonly entry: RequestEntry;
    readonly expectResponse: true;
    readonly requestTimeout: number;
    readonly sendRequest: () => void;
  }): void;
}

export interface Connection {
  isConnected(): boolean;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  send(request: object): Promise<unknown>;
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  nextCorrelationId(): number;
  readonly requestQueue: RequestQueue;
  socket?: EventEmitter & { destroy(): void; write(bytes: Buffer): boolean };
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  connecting?: Promise<unknown> | null;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  getConnection(): Promise<Connection>;
  send(request: ProtocolRequest): Promise<unknown>;
}

export interface FetchPartition {
  highWatermark: string;
  readonly lastStableOffset?: string;
}

export interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly FetchPartition[] }[];
}

export interface MetadataResponse {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      /** Node id; -1: none. */
      readonly leader: number;
    }[];
  }[];
}

interface ProtocolRequest {
  readonly request: object;
  readonly response: { decode(payload: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

export interface Broker {
  readonly connectionPool: ConnectionPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  fetch(request: { isolationLevel?: number }): Promise<FetchResponse>;
  initProducerId(request: {
    readonly transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  lookupRequest(apiKey: number, definitions: object): (request: object) => ProtocolRequest;
}

/** A batch as kafkajs makes one of each partition in a fetch response, empty ones too. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string;
  /** With readCommitted the last stable offset (see `rememberStableEnd`). */
  readonly highWatermark: string;
  readonly rawMessages: FetchedRecords;
}

/** Keys under which an eachBatch function carries who wants to know of every fetched partition, and who it was before. */
export const onFetched = Symbol('onFetched');
export const formerMember = Symbol('formerMember');
export interface ReaderHooks {
  [onFetched]?: (fetched: FetchedPartition) => void;
  [formerMember]?: string | null;
}

export interface Runner {
  readonly eachBatch?: ReaderHooks;
  readonly consumerGroup: { memberId: string | null };
  start(): Promise<void>;
  handleBatch(batch: FetchedPartition): Promise<void>;
}

export interface Class<T> {
  new (options: object): T;
  readonly prototype: T;
}

export interface KafkajsInternals {
  readonly RequestQueue: Class<RequestQueue>;
  readonly Connection: Class<Connection>;
  readonly ConnectionPool: Class<ConnectionPool>;
  readonly Broker: Class<Broker>;
  readonly Runner: Class<Runner>;
  readonly socketFactory: () => NonNullable<KafkaConfig['socketFactory']>;
  readonly metadataRequest: object;
  readonly errorOfCode: (code: number) => Error;
  /** Of Fetch, version 11: the newest one that kafkajs has and that every broker we support has. */
  readonly fetchResponse: { decode: (payload: Buffer) => Promise<DecodedFetch> };
}

let loaded: KafkajsInternals | null = null;

/** Throws CanaryError `wrong-kafkajs`. */
export const kafkajsInternals = (): KafkajsInternals => (loaded ??= loadInternals());

function loadInternals(): KafkajsInternals {
  const load = createRequire(import.meta.url);
  const { version } = load('kafkajs/package.json') as { version: string };
  if (version !== KAFKAJS_VERSION) {
    throw new CanaryError('wrong-kafkajs', `kafkajs ${version} is installed; the repairs are for ${KAFKAJS_VERSION}`);
  }
  const { requests } = load('kafkajs/src/protocol/requests') as { requests: { Metadata: object } };
  const { createErrorFromCode } = load('kafkajs/src/protocol/error') as {
    createErrorFromCode: KafkajsInternals['errorOfCode'];
  };
  return {
    RequestQueue: load('kafkajs/src/network/requestQueue') as Class<RequestQueue>,
    Connection: load('kafkajs/src/network/connection') as Class<Connection>,
    ConnectionPool: load('kafkajs/src/network/connectionPool') as Class<ConnectionPool>,
    Broker: load('kafkajs/src/broker') as Class<Broker>,
    Runner: load('kafkajs/src/consumer/runner') as Class<Runner>,
    socketFactory: load('kafkajs/src/network/socketFactory') as KafkajsInternals['socketFactory'],
    metadataRequest: requests.Metadata,
    errorOfCode: createErrorFromCode,
    fetchResponse: load('kafkajs/src/protocol/requests/fetch/v11/response') as KafkajsInternals['fetchResponse'],
  };
}
