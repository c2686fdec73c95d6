import { defineConfig } from 'vitest/config';

/** Tests on a real Kafka and Redis, of each file its own: two at a time, for they mostly wait. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/integration/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 300_000,
  },
});
