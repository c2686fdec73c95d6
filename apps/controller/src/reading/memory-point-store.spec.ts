import { describe } from 'vitest';
import { MemoryPointStore } from './memory-point-store.js';
import { pointStoreSuite } from './point-store.suite.js';

describe('points in memory', () => {
  pointStoreSuite(() => Promise.resolve(new MemoryPointStore(3)));
});
