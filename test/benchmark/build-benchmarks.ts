import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Once before the runs: what is measured is the code as it is now. */
export default function buildBenchmarks(): void {
  const bootstrap = fileURLToPath(new URL('../../scripts/bootstrap.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [bootstrap, 'bench', '--help'], { stdio: ['ignore', 'ignore', 2] });
  if (status !== 0) throw new Error('the benchmarks cannot be built');
}
