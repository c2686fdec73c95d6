import { defineConfig } from 'vitest/config';

/** Unit tests only: no servers, no network. The suites under test/ have their own configuration. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  // A test that hangs is found as well after 90 s; a machine that is busy with other things is slow, not wrong.
  // Specs share a process: importing the same modules anew for each of them takes longer than running them.
  test: {
    include: ['{apps,libs,scripts,test/generated,test/deploy,test/benchmark}/**/*.spec.ts'],
    isolate: false,
    testTimeout: 90_000,
    // What was transformed once is not transformed again.
    fsModuleCache: true,
  },
});
