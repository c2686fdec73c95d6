import { defineConfig } from 'vitest/config';

/** Unit tests only: no servers, no network. The suites under test/ have their own configuration. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { include: ['{apps,libs,scripts}/**/*.spec.ts'] },
});
