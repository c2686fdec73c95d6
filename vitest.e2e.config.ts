import { defineConfig } from 'vitest/config';

/**
 * Stories on whole services: first in one process on memory adapters, then as processes on a real Kafka and Redis.
 * The files come one after the other (two cores carry one stack), the stories in a file at once.
 */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/driver/build-services.ts'],
    fileParallelism: false,
    maxConcurrency: 20,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
