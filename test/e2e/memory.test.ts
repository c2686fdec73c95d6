import { afterAll, beforeAll, describe } from 'vitest';
import { startMemoryWorld } from './driver/memory-world.js';
import type { World } from './driver/world.js';
import { tellStories } from './stories.js';

describe('in one process on memory', () => {
  let world: World;
  beforeAll(async () => {
    world = await startMemoryWorld();
  });
  afterAll(() => world.close());

  tellStories(() => world);
});
