import { defineConfig } from 'vitest/config';

/** The Helm chart, rendered by helm and judged by kubeconform; `npm run test:helm` installs them. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: { include: ['test/helm/**/*.test.ts'], testTimeout: 60_000 },
});
