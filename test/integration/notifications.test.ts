import { KafkaBus, silentLogger } from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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
  stack = await startLocalStack({ redis: false });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  receiver = await Receiver.start();
  const bus = new KafkaBus({ brokers: [stack.kafkaBrokers], clientId: 'notifications', logger: silentLogger });
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
