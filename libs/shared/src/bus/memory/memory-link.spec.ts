import { describe, expect, it, vi } from 'vitest';
import type { ConsumerOptions, OutRecord } from '../message-bus.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryBus } from './memory-bus.js';
import { brokerAway, type MemoryLink, TurnLink } from './memory-link.js';

/** A link whose answers can be lost, and whose requests can wait at the door. */
class TestLink implements MemoryLink {
  private readonly turns = new TurnLink();
  loseAnswers = 0;
  readonly held: (() => void)[] = [];
  hold: ((what: string) => boolean) | null = null;

  get up(): boolean {
    return this.turns.up;
  }
  setUp(up: boolean): void {
    this.turns.setUp(up);
  }
  onChange(listener: () => void): () => void {
    return this.turns.onChange(listener);
  }
  deliver(what: string, atClient: () => void): void {
    this.turns.deliver(what, () => this.up && atClient());
  }
  async call<T>(what: string, atBroker: () => T | Promise<T>): Promise<T> {
    if (this.hold?.(what)) await new Promise<void>((resolve) => this.held.push(resolve));
    const answer = await this.turns.call(what, atBroker);
    if (this.loseAnswers === 0) return answer;
    this.loseAnswers -= 1;
    throw brokerAway();
  }
}

const WAIT = { timeout: 30_000, interval: 5 };
const record = (value: string): OutRecord => ({ topic: 't', partition: 0, key: 'k', value: Buffer.from(value) });

async function open(
  options: ConstructorParameters<typeof MemoryBroker>[0] = {},
): Promise<{ broker: MemoryBroker; connect: () => { bus: MemoryBus; link: TestLink } }> {
  const broker = new MemoryBroker(options);
  const connect = () => {
    const link = new TestLink();
    return { bus: new MemoryBus({ broker, link, lossNoticedAfterMs: 60_000 }), link };
  };
  await connect().bus.createTopics([{ topic: 't', partitions: 2 }]);
  return { broker, connect };
}

async function values(bus: MemoryBus, readCommitted: boolean): Promise<string[]> {
  const found: string[] = [];
  const follower = bus.follower({
    topics: ['t'],
    readCommitted,
    onBatch: ({ records }) => records.forEach((r) => found.push(r.value!.toString())),
  });
  await follower.caughtUp();
  await follower.close();
  return found;
}

describe('a memory bus over a link', () => {
  it('sends a batch again whose acknowledgement was lost: at least once', async () => {
    const { connect } = await open();
    const { bus, link } = connect();
    link.loseAnswers = 1;
    await bus.producer().send([record('a')]);
    expect(await values(bus, false)).toEqual(['a', 'a']);
  });

  it('hides what comes behind an open transaction from readers of committed records, until a new owner aborts it', async () => {
    const { connect } = await open();
    const hanging = connect();
    const other = connect();
    hanging.link.hold = (what) => what.startsWith('commit');
    const transaction = hanging.bus.transactionalProducer('id').transaction([record('never')]);
    await vi.waitFor(() => expect(hanging.link.held).toHaveLength(1), WAIT);
    await other.bus.producer().send([record('behind')]);
    expect(await values(other.bus, true)).toEqual([]);
    expect(await values(other.bus, false)).toEqual(['behind']);
    await other.bus.transactionalProducer('id').fence();
    expect(await values(other.bus, true)).toEqual(['behind']);
    hanging.link.held.forEach((go) => go());
    await expect(transaction).rejects.toMatchObject({ code: 'fenced' });
    expect(await values(other.bus, false)).toEqual(['behind']);
  });

  it('aborts a transaction that is open for too long, and its owner cannot commit it any more', async () => {
    const { connect } = await open({ transactionTimeoutMs: 20 });
    const { bus, link } = connect();
    link.hold = (what) => what.startsWith('commit');
    const transaction = bus.transactionalProducer('id').transaction([record('late')]);
    await vi.waitFor(() => expect(link.held).toHaveLength(1), WAIT);
    await bus.producer().send([record('behind')]);
    await vi.waitFor(async () => expect(await values(bus, true)).toEqual(['behind']), WAIT);
    link.held.forEach((go) => go());
    await expect(transaction).rejects.toMatchObject({ code: 'fenced' });
  });

  it('lets a new owner of an id wait until everything that the former one committed can be seen', async () => {
    const { connect } = await open({ markerDelayMs: () => 30 });
    const former = connect();
    await former.bus.transactionalProducer('id').transaction([record('committed')]);
    expect(await values(former.bus, true)).toEqual([]);
    await connect().bus.transactionalProducer('id').fence();
    expect(await values(former.bus, true)).toEqual(['committed']);
  });

  it('takes a member out of its group that is out of reach, which goes on with what it had and is told later', async () => {
    const { connect } = await open({ sessionTimeoutMs: 20 });
    const [cut, other] = [connect(), connect()];
    const options: ConsumerOptions = {
      groupId: 'g',
      topics: ['t'],
      assignment: 'balanced',
      start: 'committed',
      onBatch: async () => ({ kind: 'done' }),
    };
    const onRevoked = vi.fn();
    const first = cut.bus.consumer({ ...options, onRevoked });
    const second = other.bus.consumer(options);
    await vi.waitFor(() => expect(first.assignment()!.length + second.assignment()!.length).toBe(2), WAIT);
    onRevoked.mockClear();
    cut.link.setUp(false);
    await vi.waitFor(() => expect(second.assignment()).toHaveLength(2), WAIT);
    expect(first.assignment()).toHaveLength(1);
    expect(onRevoked).not.toHaveBeenCalled();
    cut.link.setUp(true);
    await vi.waitFor(() => expect(first.assignment()!.length + second.assignment()!.length).toBe(2), WAIT);
    expect(onRevoked).toHaveBeenCalled();
    await Promise.all([cut.bus.close(), other.bus.close()]);
  });

  it('takes a member out of its group whose request to join comes when it is gone', async () => {
    const { broker, connect } = await open({ sessionTimeoutMs: 20 });
    const [gone, other] = [connect(), connect()];
    const options: ConsumerOptions = {
      groupId: 'g',
      topics: ['t'],
      assignment: 'balanced',
      start: 'committed',
      onBatch: async () => ({ kind: 'done' }),
    };
    gone.link.setUp(false);
    const participant = { memberId: 'gone', topics: ['t'], strategy: 'balanced', link: gone.link } as const;
    broker.group('g').join({ ...participant, rebalance: () => undefined, assigned: () => undefined });
    const consumer = other.bus.consumer(options);
    await vi.waitFor(() => expect(consumer.assignment()).toHaveLength(2), WAIT);
    await other.bus.close();
  });
});
