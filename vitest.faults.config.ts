import { defineConfig } from 'vitest/config';

/** The oracle of the fault runs, and a short run of each kind on real processes. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/faults/build-services.ts'],
    fileParallelism: false,
    testTimeout: 420_000,
    hookTimeout: 300_000,
  },
});
