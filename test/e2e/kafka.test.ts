import { afterAll, beforeAll, describe } from 'vitest';
import { type KafkaWorld, startKafkaWorld } from './driver/kafka-world.js';
import { tellStories } from './stories.js';

describe('as processes on a real Kafka and Redis, two of each service', () => {
  let world: KafkaWorld;
  beforeAll(async () => {
    world = await startKafkaWorld({ routers: 2, evaluators: 2, controllers: 2 });
  });
  afterAll(() => world.close());

  tellStories(() => world);
});
