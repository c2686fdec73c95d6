import { defineConfig } from 'vitest/config';

/** Tests on a real Kafka and Redis: one file after the other, they share the machine and its patience. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/integration/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 300_000,
  },
});
