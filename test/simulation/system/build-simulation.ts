import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Once before the tests: what they run in workers is the code as it is now. */
export default function buildSimulation(): void {
  const bootstrap = fileURLToPath(new URL('../../../scripts/bootstrap.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [bootstrap, 'simulation', '--help'], {
    stdio: ['ignore', 'ignore', 2],
  });
  if (status !== 0) throw new Error('the simulation cannot be built');
}
