import { describe } from 'vitest';
import { MemorySlotStore } from './memory-slot-store.js';
import { slotStoreSuite } from './slot-store.suite.js';

describe('slot store in memory', () => {
  slotStoreSuite(async () => {
    const store = new MemorySlotStore();
    return { store, windows: store.windows };
  });
});
