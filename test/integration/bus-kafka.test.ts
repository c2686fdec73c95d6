import { afterAll, beforeAll } from 'vitest';
import { silentLogger } from '@app/shared';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { KafkaBus } from '../../libs/shared/src/bus/kafka/kafka-bus.js';
import { messageBusSuite } from '../../libs/shared/src/bus/message-bus.suite.js';

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack({ redis: false });
});
afterAll(() => stack.stop());

messageBusSuite('the message bus on Kafka', async () => {
  const bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'suite', logger: silentLogger });
  return { bus, close: () => bus.close() };
});
