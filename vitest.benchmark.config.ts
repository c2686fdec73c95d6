import { defineConfig } from 'vitest/config';

/** The benchmarks in short: that they run and come out right, never how long anything takes. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/benchmark/**/*.test.ts'],
    globalSetup: ['test/benchmark/build-benchmarks.ts'],
    fileParallelism: false,
    testTimeout: 420_000,
    hookTimeout: 300_000,
  },
});
