import { defineConfig } from 'vitest/config';

/** What the verdict engine promises, measured on few seeded runs; `npm run simulate:verdicts` has the whole table. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/simulation/**/*.test.ts'],
    testTimeout: 60_000,
  },
});
