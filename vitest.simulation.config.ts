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
    // The longest takes 45 s beside the other suites. One that hangs is found as well after four minutes.
    testTimeout: 240_000,
  },
});
