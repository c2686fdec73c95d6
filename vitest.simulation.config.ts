import { defineConfig } from 'vitest/config';

/**
 * What the verdict engine promises, measured on few seeded runs (`npm run simulate:verdicts` has the whole table), and the
 * services under seeded faults (`npm run test:simulation` runs as many as you like).
 */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/simulation/**/*.test.ts'],
    globalSetup: ['test/simulation/system/build-simulation.ts'],
    // `npm test` gives it what the other suites leave of the processors. One that hangs is found as well after a quarter of an hour.
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
