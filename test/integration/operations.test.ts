import { once } from 'node:events';
import { createRedis, KafkaBus, silentLogger, systemClock } from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { dial } from '../../apps/cli/src/doctor/dial.js';
import { askRedis } from '../../apps/cli/src/doctor/redis-facts.js';
import { type CliRun, runAtTerminal, wordsOf } from '../../apps/cli/src/testing/fake-terminal.js';
import { until, World } from '../../apps/controller/test/controller-fixture.js';
import { Receiver } from '../../apps/controller/test/receiver.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';

const FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002 }
steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 } }]
`;
const PATIENCE_MS = 60_000;

let stack: LocalStack;
let receiver: Receiver;
let world: World;
beforeAll(async () => {
  stack = await startLocalStack({ kafka: false });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  receiver = await Receiver.start();
  const bus = new KafkaBus({ brokers: [inject('sharedKafka')], clientId: 'notifications', logger: silentLogger });
  world = await World.create(bus, `notify-${Date.now()}.`);
});
afterEach(async () => {
  await world?.close();
  await receiver?.close();
});

test('over a real Kafka every decision is told at least once and in order, across a restart of the controller', async () => {
  const NOTIFICATIONS = JSON.stringify([
    { name: 'flaky', url: receiver.url('/flaky') },
    { name: 'steady', url: receiver.url('/steady') },
  ]);
  receiver.answers.set('/flaky', { status: 503 });
  await world.controller({ env: { NOTIFICATIONS } });
  await world.post('/api/v1/rollouts', FILE);
  await world.decided('started');
  await until(() => receiver.ids('/steady').length === 2 && receiver.ids('/flaky').length > 0, PATIENCE_MS);
  await world.controllers[0]!.close();

  receiver.answers.delete('/flaky');
  await world.controller({ env: { NOTIFICATIONS } });
  await world.post('/api/v1/models/digits/pause', {});
  await world.decided('paused');
  await until(
    () => receiver.ids('/flaky').includes('digits/3') && receiver.ids('/steady').includes('digits/3'),
    PATIENCE_MS,
  );
  const told = ['digits/1', 'digits/2', 'digits/3'];
  expect([...new Set(receiver.ids('/flaky'))]).toEqual(told);
  expect([...new Set(receiver.ids('/steady'))]).toEqual(told);
  expect(receiver.ids('/flaky').indexOf('digits/2')).toBeGreaterThan(receiver.ids('/flaky').lastIndexOf('digits/1'));
});

const run = (command: string, env: Record<string, string>): Promise<CliRun> =>
  runAtTerminal(wordsOf(command), {
    env,
    clock: systemClock,
    fetch,
    connectBus: () =>
      new KafkaBus({ brokers: env['KAFKA_BROKERS']!.split(','), clientId: 'canaryctl', logger: silentLogger }),
    dial,
    redisFacts: askRedis,
  });

test('canaryctl doctor finds nothing to mend on a Kafka and a Redis that are as they should be, and names what is not', async () => {
  const prefix = `doctor-${Date.now()}.`;
  const env = {
    KAFKA_BROKERS: `${inject('sharedKafka')},127.0.0.1:9`,
    TOPIC_PREFIX: prefix,
    REDIS_URL: stack.redisUrl,
  };
  const own = await World.create();
  try {
    const { url } = await own.controller();
    const doctor = async (): Promise<Record<string, string>> => {
      const { out } = await run('doctor -o json', { ...env, CANARY_SERVER: url });
      const { findings } = JSON.parse(out) as { findings: { check: string; status: string }[] };
      return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
    };
    expect(await doctor()).toMatchObject({
      controller: 'ok',
      'controller-ready': 'ok',
      [`broker-${inject('sharedKafka')}`]: 'ok',
      'broker-127.0.0.1:9': 'failed',
      topics: 'failed',
      redis: 'ok',
      'clock-redis': 'ok',
      'redis-version': 'ok',
    });
    await run('topics create --data-partitions 2 --control-partitions 2', {
      ...env,
      KAFKA_BROKERS: inject('sharedKafka'),
    });
    expect(await doctor()).toMatchObject({ topics: 'ok', evaluator: 'warning' });
    const redis = createRedis(stack.redisUrl, { logger: silentLogger });
    try {
      await once(redis, 'ready');
      const [, before] = await redis.config('GET', 'maxmemory-policy');
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      expect(await doctor()).toMatchObject({ 'redis-policy': 'failed' });
      await redis.config('SET', 'maxmemory-policy', before!);
      expect(await doctor()).toMatchObject({ 'redis-policy': 'ok' });
    } finally {
      redis.disconnect();
    }
  } finally {
    await own.close();
  }
});
