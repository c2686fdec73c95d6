import { defineConfig } from 'vitest/config';

/**
 * The console in a real Chromium: its pages on a controller in this process, its stories on the services as processes,
 * with a real Kafka and Redis. One browser and one stack, so one file.
 */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/console/**/*.test.ts'],
    globalSetup: ['test/e2e/driver/build-services.ts'],
    maxConcurrency: 4,
    testTimeout: 240_000,
    hookTimeout: 300_000,
  },
});
