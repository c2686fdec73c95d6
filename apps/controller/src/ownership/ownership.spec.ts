import { type Decision, MemoryBus, partitionOf, silentLogger } from '@app/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { command, spec, verdict } from '../../test/builders.js';
import { until, World } from '../../test/controller-fixture.js';
import { type Fault, FaultyBus } from '../../test/faulty-bus.js';
import { ControllerMetrics } from '../metrics.js';
import { PartitionOwner } from './partition-owner.js';
import { commandRecord } from './records.js';

let world: World;
afterEach(() => world.close());

const apply = () => commandRecord(world.topics, command('apply', { spec: spec() }));

/** A rollout through all its steps, then an undo; each step is waited for before the next. */
async function wholeStory(): Promise<void> {
  await world.send(apply());
  await world.decided('started');
  for (const action of ['weight-changed', 'weight-changed', 'promoted'] as const) {
    const { sequence } = world.state();
    await world.judge('pass');
    await until(() => world.state().sequence > sequence);
    await world.decided(action);
  }
  await world.send(commandRecord(world.topics, command('undo')));
  await world.decided('undone');
}

const told = (decisions: readonly Decision[]) =>
  decisions.map(({ decisionId, sequence, action, from, to, generation, phase, step, reason, actor, safeToRemove }) => ({
    decisionId,
    sequence,
    action,
    from,
    to,
    generation,
    phase,
    step,
    code: reason.code,
    text: reason.text,
    actor,
    safeToRemove,
  }));

describe('a crash between any two steps leaves the same history', () => {
  const faults: { kind: Fault; at: number }[] = [{ kind: 'at the fence', at: 1 }];
  for (let at = 1; at <= 6; at++) faults.push({ kind: 'before the commit', at }, { kind: 'after the commit', at });
  let undisturbed: unknown;

  test('without a fault: six decisions, each in a transaction of its own', async () => {
    const bus = new FaultyBus(new MemoryBus(), null);
    world = await World.create(bus);
    await world.controller();
    await wholeStory();
    expect(bus.transactions).toBe(6);
    expect(world.decisions.map((d) => d.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    undisturbed = told(world.decisions);
  });

  test.each(faults)('$kind $at', async (fault) => {
    const bus = new FaultyBus(new MemoryBus(), fault);
    world = await World.create(bus);
    await world.controller();
    await wholeStory();
    expect(bus.failed).toBe(true);
    expect(told(world.decisions)).toEqual(undisturbed);
  });
});

describe('only one controller’s word counts', () => {
  const owner = (partition: number, lost: unknown[] = []): PartitionOwner =>
    new PartitionOwner(partition, {
      bus: world.bus,
      topics: world.topics,
      clock: world.clock,
      logger: silentLogger,
      metrics: new ControllerMetrics(),
      transactionalIdPrefix: 'controller',
      controlPartitions: 2,
      member: () => ({ groupId: 'g', memberId: 'm', generationId: 1 }),
      onLost: (_owner, cause) => lost.push(cause),
    });

  test('an old one that was paused and resumes cannot change a weight', async () => {
    world = await World.create();
    const controller = await world.controller();
    await world.send(apply());
    await world.decided('started');
    await controller.close();
    world.controllers.length = 0;
    const partition = partitionOf('digits', 2);
    const lost: unknown[] = [];
    const old = owner(partition, lost);
    await old.tick();
    const next = owner(partition);
    await next.tick();

    world.clock.advance(31_000); // both would now say that the evaluator is silent
    await old.tick();
    expect(lost).toMatchObject([{ code: 'fenced' }]);
    const batch = {
      topic: world.topics.verdict,
      partition,
      records: [],
      fetchedOffset: 0,
      nextOffset: 1,
      endOffset: 1,
    };
    await expect(old.handle(batch)).rejects.toMatchObject({ code: 'fenced' });
    expect(world.actions()).toEqual(['registered', 'started']);
    await next.tick();
    await world.decided('held');
    expect(world.decisions.at(-1)?.sequence).toBe(3);
    await Promise.all([old.close(), next.close()]);
  });

  test('two controllers share the partitions, and each answers for all models', async () => {
    world = await World.create();
    const first = await world.controller();
    const second = await world.controller();
    const models = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const model of models)
      await world.send(commandRecord(world.topics, command('apply', { model, spec: spec({ model }) })));
    await Promise.all(models.map((model) => world.decided('started', model)));
    const owned = async (url: string): Promise<number> =>
      Number(/owned_partitions (\d)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
    expect(await owned(first.url)).toBe(1);
    expect(await owned(second.url)).toBe(1);
    for (const { url } of [first, second]) {
      const list = async () => (await (await fetch(`${url}/api/v1/models`)).json()) as { models: unknown[] };
      await until(async () => (await list()).models.length === models.length);
      const answer = await fetch(`${url}/api/v1/models/a/${url === first.url ? 'pause' : 'resume'}`, {
        method: 'POST',
      });
      expect(answer.status).toBe(200);
    }
  });

  test('a controller that goes leaves its models to the other, with the history going on', async () => {
    world = await World.create();
    const first = await world.controller();
    await world.send(apply());
    await world.decided('started');
    await world.controller();
    await first.close();
    await world.judge('pass');
    await world.decided('weight-changed');
    expect(world.decisions.map((d) => d.sequence)).toEqual([1, 2, 3]);
  });
});

test('records that are read again change nothing', async () => {
  world = await World.create();
  await world.controller();
  const order = apply();
  await world.send(order, order);
  await world.decided('started');
  const pass = verdict(world.state(), 'pass', { asOf: world.clock.nowMs() });
  await world.publish(pass);
  await world.decided('weight-changed');
  for (let i = 0; i < 3; i++) await world.publish(pass);
  await world.send(order);
  const pause = command('pause');
  await world.send(commandRecord(world.topics, pause), commandRecord(world.topics, pause));
  await world.decided('paused');
  expect(world.actions()).toEqual(['registered', 'started', 'weight-changed', 'paused']);
});

test('a broker that goes away and comes back loses no decision and doubles none', async () => {
  const bus = new MemoryBus();
  world = await World.create(bus);
  await world.controller();
  await world.send(apply());
  await world.decided('started');
  const pass = verdict(world.state(), 'pass', { asOf: world.clock.nowMs() });
  await world.publish(pass);
  bus.setUnavailable(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  bus.setUnavailable(false);
  await world.decided('weight-changed');
  expect(world.decisions.map((d) => d.sequence)).toEqual([1, 2, 3]);
});

describe('commands that retention takes before anybody reads them', () => {
  const bus = new MemoryBus({ retentionRecordsMax: 10 });
  const missed = async (): Promise<number> =>
    Number(/records_missed_total (\d+)/.exec((await world.get<string>('/metrics')).body)?.[1]);
  const sendMany = async (): Promise<number> => {
    for (let i = 0; i < 100; i++) await world.send(commandRecord(world.topics, command('pause')));
    const [range] = (await bus.offsets(world.topics.command)).filter(({ end }) => end > 0);
    expect(range!.low).toBeGreaterThan(50);
    return range!.low;
  };

  test('are counted', async () => {
    world = await World.create(bus);
    const first = await world.controller();
    expect(await missed()).toBe(0);
    await world.send(apply());
    await world.decided('started');
    await first.close();
    const low = await sendMany();
    await world.controller();
    await until(async () => (await missed()) === low - 1);
  });

  test('are counted if no controller was there at all', async () => {
    world = await World.create(bus, 'other.');
    const low = await sendMany();
    await world.controller();
    await until(async () => (await missed()) === low);
  });
});
