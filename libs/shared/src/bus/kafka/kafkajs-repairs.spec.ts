import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Class, formerMember, kafkajsInternals, onFetched } from './kafkajs-internals.js';
import {
  dropHalfOpenBroker,
  forgetTheDeadSocket,
  rejoinAsFormerMember,
  rememberStableEnd,
  stopIdleTimers,
  tellOfEveryFetch,
} from './kafkajs-repairs.js';

/** Each rule is looked at on the library as it is, too: a repair that is not needed any more should be noticed. */
const internals = kafkajsInternals();
/** A class of its own, so that a repair of it touches no other test. */
const fresh = <T extends object>(of: Class<T>): Class<T> => class extends (of as Class<object>) {} as Class<T>;

const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };

class FakeSocket extends EventEmitter {
  readonly end = vi.fn();
  readonly unref = vi.fn();
  readonly destroy = vi.fn();
  readonly write = vi.fn();
}

afterEach(() => vi.useRealTimers());

describe('the repairs of kafkajs', () => {
  it.each([
    { repaired: false, timers: 1 },
    { repaired: true, timers: 0 },
  ])('an idle connection sets no timer (repaired: $repaired)', ({ repaired, timers }) => {
    vi.useFakeTimers();
    const Queue = fresh(internals.RequestQueue);
    if (repaired) stopIdleTimers(Queue);
    const options = { maxInFlightRequests: 1, requestTimeout: 1000, enforceRequestTimeout: false, logger };
    const queue = new Queue(options);
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(timers);
  });

  it.each([{ repaired: false }, { repaired: true }])(
    'half a response of a dead socket does not spoil the next one (repaired: $repaired)',
    async ({ repaired }) => {
      const Connection = fresh(internals.Connection);
      if (repaired) forgetTheDeadSocket(Connection);
      const sockets: FakeSocket[] = [];
      const connection = new Connection({
        host: 'kafka',
        port: 9092,
        logger,
        requestTimeout: 1000,
        connectionTimeout: 1000,
        socketFactory: ({ onConnect }: { onConnect: () => void }) => {
          const socket = new FakeSocket();
          sockets.push(socket);
          queueMicrotask(onConnect);
          return socket;
        },
      });
      const queue = (connection as unknown as { requestQueue: { fulfillRequest: unknown; destroy(): void } })
        .requestQueue;
      const fulfilled = vi.fn();
      queue.fulfillRequest = fulfilled;
      await connection.connect();
      sockets[0]!.emit('data', response({ correlationId: 1, payload: 'lost on the way' }).subarray(0, 9));
      sockets[0]!.emit('end');
      await vi.waitFor(() => expect(connection.isConnected()).toBe(false));
      await connection.connect();
      sockets[1]!.emit('data', response({ correlationId: 2, payload: 'whole' }));
      queue.destroy();
      const seen = fulfilled.mock.calls.map(([call]) => call as { correlationId: number; payload: Buffer });
      if (repaired) {
        expect(seen.map((s) => [s.correlationId, s.payload.toString()])).toEqual([[2, 'whole']]);
        expect(sockets[0]!.destroy).toHaveBeenCalled();
      } else expect(seen.map((s) => s.correlationId)).not.toContain(2);
    },
  );

  it.each([
    { repaired: false, asked: 1 },
    { repaired: true, asked: 2 },
  ])('a broker that did not say its versions is asked again (repaired: $repaired)', async ({ repaired, asked }) => {
    const Broker = fresh(internals.Broker);
    if (repaired) dropHalfOpenBroker(Broker);
    let connected = false;
    const send = vi.fn(() => Promise.reject(new Error('timeout')));
    const connectionPool = {
      host: 'kafka',
      port: 9092,
      isConnected: () => connected,
      getConnection: async () => (connected = true),
      send,
      destroy: async () => (connected = false),
    };
    const broker = new Broker({ connectionPool, logger, authenticationTimeout: 1000 });
    await expect(broker.connect()).rejects.toThrow('timeout');
    await broker.connect().catch(() => undefined);
    expect(send).toHaveBeenCalledTimes(asked);
  });

  it('the end of a partition is the last stable offset for readers of committed records', async () => {
    const Broker = fresh(internals.Broker);
    Broker.prototype.fetch = async () => ({
      responses: [{ partitions: [{ highWatermark: '9', lastStableOffset: '5' }] }],
    });
    rememberStableEnd(Broker);
    const endAt = async (isolationLevel: number): Promise<string | undefined> =>
      (await Broker.prototype.fetch({ isolationLevel })).responses[0]?.partitions[0]?.highWatermark;
    expect([await endAt(0), await endAt(1)]).toEqual(['9', '5']);
  });

  it('a reader is told of every partition in an answer, of empty ones too', async () => {
    const Runner = fresh(internals.Runner);
    const handled = vi.fn(async () => undefined);
    Runner.prototype.handleBatch = handled;
    tellOfEveryFetch(Runner);
    const told = vi.fn();
    const empty = { topic: 't', partition: 0, fetchedOffset: '3', highWatermark: '3', rawMessages: [] };
    await Runner.prototype.handleBatch.call({ ...Runner.prototype, eachBatch: { [onFetched]: told } }, empty);
    expect(told).toHaveBeenCalledWith(empty);
    expect(handled).toHaveBeenCalledWith(empty);
  });

  it('a consumer made anew joins as the member it was', async () => {
    const Runner = fresh(internals.Runner);
    Runner.prototype.start = async () => undefined;
    rejoinAsFormerMember(Runner);
    const consumerGroup = { memberId: null };
    const runner = { ...Runner.prototype, consumerGroup, eachBatch: { [formerMember]: 'member-7' } };
    await Runner.prototype.start.call(runner);
    expect(consumerGroup.memberId).toBe('member-7');
  });
});

/** A Kafka response: its length, the correlation id, the payload. */
function response({ correlationId, payload }: { correlationId: number; payload: string }): Buffer {
  const body = Buffer.from(payload);
  const framed = Buffer.alloc(8 + body.length);
  framed.writeInt32BE(4 + body.length, 0);
  framed.writeInt32BE(correlationId, 4);
  body.copy(framed, 8);
  return framed;
}
