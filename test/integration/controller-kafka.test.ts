import { randomBytes } from 'node:crypto';
import { afterEach, expect, inject, test } from 'vitest';
import { type Decision, KafkaBus, partitionOf, silentLogger } from '@app/shared';
import { command, spec, verdict } from '../../apps/controller/test/builders.js';
import { until, World } from '../../apps/controller/test/controller-fixture.js';
import { type Fault, FaultyBus } from '../../apps/controller/test/faulty-bus.js';
import { ControllerMetrics } from '../../apps/controller/src/metrics.js';
import { PartitionOwner } from '../../apps/controller/src/ownership/partition-owner.js';
import { commandRecord } from '../../apps/controller/src/ownership/records.js';

/** The controller on a real Kafka: transactions, fencing, rebalances and latency are the broker's. */
let world: World;
const buses: KafkaBus[] = [];

afterEach(async () => {
  await world.close();
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
});

function kafka(): KafkaBus {
  const bus = new KafkaBus({ brokers: inject('sharedKafka').split(','), clientId: 'controller', logger: silentLogger });
  buses.push(bus);
  return bus;
}
const prefix = (): string => `controller-${randomBytes(4).toString('hex')}.`;
const apply = (model = 'digits') => commandRecord(world.topics, command('apply', { model, spec: spec({ model }) }));

async function wholeStory(): Promise<void> {
  await world.send(apply());
  await world.decided('started');
  for (const action of ['weight-changed', 'weight-changed', 'promoted'] as const) {
    const { sequence } = world.state();
    await world.judge('pass');
    await until(() => world.state().sequence > sequence, 30_000);
    await world.decided(action);
  }
}
const told = (decisions: readonly Decision[]) =>
  decisions.map(({ decisionId, action, from, to, generation }) => ({ decisionId, action, from, to, generation }));
const WHOLE_STORY = ['registered', 'started', 'weight-changed', 'weight-changed', 'promoted'];

test('a whole rollout, told by the decision topic alone; a verdict is acted on within milliseconds', async () => {
  world = await World.create(kafka(), prefix());
  await world.controller();
  await wholeStory();
  expect(world.actions()).toEqual(WHOLE_STORY);
  expect(world.decisions.map((d) => d.sequence)).toEqual([1, 2, 3, 4, 5]);

  const took: number[] = [];
  for (let i = 0; i < 20; i++) {
    await world.send(
      commandRecord(world.topics, command('set-traffic', { weights: i % 2 ? { v2: 1 } : { v1: 0.5, v2: 0.5 } })),
    );
    const { sequence } = world.state();
    const sent = performance.now();
    await until(() => world.state().sequence > sequence);
    took.push(performance.now() - sent);
  }
  took.sort((a, b) => a - b);
  console.log(`command -> state as a follower sees it: p50 ${took[10]!.toFixed(1)} ms, max ${took[19]!.toFixed(1)} ms`);
  expect(took[10]).toBeLessThan(200);
});

test.each<{ kind: Fault; at: number }>([
  { kind: 'at the fence', at: 1 },
  { kind: 'before the commit', at: 2 },
  { kind: 'after the commit', at: 2 },
  { kind: 'before the commit', at: 4 },
  { kind: 'after the commit', at: 4 },
])('a crash $kind $at leaves the same history', async (fault) => {
  const bus = new FaultyBus(kafka(), fault);
  world = await World.create(bus, prefix());
  await world.controller();
  await wholeStory();
  expect(bus.failed).toBe(true);
  expect(world.actions()).toEqual(WHOLE_STORY);
  expect(world.decisions.map((d) => d.sequence)).toEqual([1, 2, 3, 4, 5]);
});

test('an old owner that was paused and resumes cannot change a weight', async () => {
  world = await World.create(kafka(), prefix());
  const controller = await world.controller();
  await world.send(apply());
  await world.decided('started');
  await controller.close();
  world.controllers.length = 0;
  const partition = partitionOf('digits', 2);
  const owner = (lost: unknown[]): PartitionOwner =>
    new PartitionOwner(partition, {
      bus: kafka(),
      topics: world.topics,
      clock: world.clock,
      logger: silentLogger,
      metrics: new ControllerMetrics(),
      transactionalIdPrefix: world.topics.state,
      controlPartitions: 2,
      member: () => ({ groupId: 'g', memberId: 'm', generationId: 1 }),
      onLost: (_owner, cause) => lost.push(cause),
    });
  const lost: unknown[] = [];
  const old = owner(lost);
  await old.tick();
  const next = owner([]);
  await next.tick();
  world.clock.advance(31_000); // both would now say that the evaluator is silent
  await old.tick();
  expect(lost).toMatchObject([{ code: 'fenced' }]);
  await next.tick();
  await world.decided('held');
  expect(world.actions()).toEqual(['registered', 'started', 'held']);
  await Promise.all([old.close(), next.close()]);
});

test('controllers that come and go in the middle of rollouts neither lose nor double a decision', async () => {
  world = await World.create(kafka(), prefix());
  await world.controller({ bus: kafka() });
  const models = ['a', 'b', 'c', 'd'];
  await world.send(...models.map(apply));
  await Promise.all(models.map((model) => world.decided('started', model)));
  const passAll = async (): Promise<void> => {
    await Promise.all(
      models.map((model) => world.publish(verdict(world.state(model), 'pass', { asOf: world.clock.nowMs() }))),
    );
  };
  await Promise.all([passAll(), world.controller({ bus: kafka() })]);
  await Promise.all(models.map((model) => until(() => world.state(model).sequence === 3, 30_000)));
  await Promise.all([passAll(), world.controllers.shift()!.close()]);
  await Promise.all(models.map((model) => until(() => world.state(model).sequence === 4, 30_000)));
  await passAll();
  await Promise.all(models.map((model) => until(() => world.state(model).sequence === 5, 30_000)));
  await until(() => world.decisions.length === 20);
  for (const model of models) expect(world.actions(model)).toEqual(WHOLE_STORY);
  expect(told(world.decisions.filter((d) => d.model === 'a')).map((d) => d.decisionId)).toEqual(
    [1, 2, 3, 4, 5].map((n) => `a/${n}`),
  );
});

test('the API answers a command over Kafka', async () => {
  world = await World.create(kafka(), prefix());
  await world.controller();
  await world.send(apply());
  await world.decided('started');
  const started = performance.now();
  const answer = await world.post<{ decisions: Decision[] }>('/api/v1/models/digits/promote', {});
  console.log(`promote over HTTP: ${(performance.now() - started).toFixed(1)} ms`);
  expect(answer).toMatchObject({ status: 200, body: { decisions: [{ action: 'weight-changed', to: { v2: 0.5 } }] } });
});
