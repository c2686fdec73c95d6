import { decodeFetch } from './fetch-decoder.js';
import {
  type Broker,
  type Class,
  type Connection,
  formerMember,
  kafkajsInternals,
  onFetched,
} from './kafkajs-internals.js';
import type { KafkajsInternals, RequestQueue, Runner } from './kafkajs-internals.js';

/**
 * What kafkajs 2.2.4 does wrong and nobody will mend upstream (last release 2023). Each repair was measured, and the
 * fault tests fail without it.
 */
const READ_COMMITTED = 1;
const THROTTLE_CHECK_MS = 10;
const LENGTH_BYTES = 4;

let repaired = false;

/** Repairs kafkajs for this process; harmless when called again. */
export function repairKafkajs(): void {
  if (repaired) return;
  repaired = true;
  const internals = kafkajsInternals();
  stopIdleTimers(internals.RequestQueue);
  forgetTheDeadSocket(internals.Connection);
  hangUpAfterTimeout(internals.Connection);
  dropHalfOpenBroker(internals.Broker);
  rememberStableEnd(internals.Broker);
  tellOfEveryFetch(internals.Runner);
  rejoinAsFormerMember(internals.Runner);
  readFetchesOurselves(internals);
}

/** Every response made a new timer although nothing was pending: 2,500 timers/s and 2 % of a core when idle. */
export function stopIdleTimers({ prototype }: Class<RequestQueue>): void {
  prototype.scheduleCheckPendingRequests = function () {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const waitMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      waitMs > 0 ? waitMs : THROTTLE_CHECK_MS,
    );
  };
}

/** Bytes of a response cut off by a reset stood before the first response of the next socket: no message ever again. */
export function forgetTheDeadSocket({ prototype }: Class<Connection>): void {
  const connect = prototype.connect;
  prototype.connect = function () {
    if (this.isConnected()) return Promise.resolve(true);
    if (this.connecting) return this.connecting;
    const old = this.socket;
    if (old) {
      old.removeAllListeners();
      old.on('error', () => undefined);
      old.destroy();
    }
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = LENGTH_BYTES;
    this.connecting = connect.call(this).finally(() => (this.connecting = null));
    return this.connecting;
  };
}

/** A connection whose far end is gone without a word was kept for ever, and every request on it timed out. */
export function hangUpAfterTimeout({ prototype }: Class<Connection>): void {
  const send = prototype.send;
  prototype.send = async function (request) {
    try {
      return await send.call(this, request);
    } catch (error) {
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') await this.disconnect();
      throw error;
    }
  };
}

/** A broker that accepted the connection and did not answer ApiVersions in time stayed "not connected" for ever. */
export function dropHalfOpenBroker({ prototype }: Class<Broker>): void {
  const connect = prototype.connect;
  prototype.connect = async function () {
    try {
      await connect.call(this);
    } catch (error) {
      await this.disconnect().catch(() => undefined);
      throw error;
    }
  };
}

/** kafkajs drops the last stable offset; for a reader of committed records it is the end, the high watermark is not. */
export function rememberStableEnd({ prototype }: Class<Broker>): void {
  const fetch = prototype.fetch;
  prototype.fetch = async function (request) {
    const response = await fetch.call(this, request);
    if (request.isolationLevel !== READ_COMMITTED) return response;
    for (const { partitions } of response.responses) {
      for (const partition of partitions)
        partition.highWatermark = partition.lastStableOffset ?? partition.highWatermark;
    }
    return response;
  };
}

/** Its events say nothing of empty answers, so that a reader at the end and a reader that hangs look the same. */
export function tellOfEveryFetch({ prototype }: Class<Runner>): void {
  const handleBatch = prototype.handleBatch;
  prototype.handleBatch = function (batch) {
    this.eachBatch?.[onFetched]?.(batch);
    return handleBatch.call(this, batch);
  };
}

/** A consumer made anew was a new member, and the group waited 6 s for the old one, which nobody could tell to leave. */
export function rejoinAsFormerMember({ prototype }: Class<Runner>): void {
  const start = prototype.start;
  prototype.start = function () {
    // A broker that does not know this member says so, and kafkajs joins as a new one.
    this.consumerGroup.memberId ??= this.eachBatch?.[formerMember] ?? null;
    return start.call(this);
  };
}

/**
 * It overflows the stack with a batch of some 100,000 records, ends for ever at one it cannot read (snappy, lz4, zstd, or
 * damage), asks for ever for one that compaction has emptied, and takes 1 us a record.
 */
export function readFetchesOurselves({ fetchResponse }: Pick<KafkajsInternals, 'fetchResponse'>): void {
  fetchResponse.decode = decodeFetch;
}
