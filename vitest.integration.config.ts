import { defineConfig } from 'vitest/config';

/** Tests on a real Kafka and Redis, of a file's own where it breaks them. They mostly wait, so two files go side by side. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/integration/**/*.test.ts'],
    globalSetup: ['test/integration/shared-kafka.ts'],
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 300_000,
  },
});
