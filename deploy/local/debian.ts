import { runTool } from './run-tool.js';
import type { Say } from './local-server.js';

const UPDATE_TIMEOUT_MS = 180_000;
const INSTALL_TIMEOUT_MS = 600_000;

/** Whether packages can be installed here: Debian or one of its children, as root. */
export const canInstallPackages = async (): Promise<boolean> =>
  process.getuid?.() === 0 && (await runTool('apt-get', ['--version'], { timeoutMs: 10_000 })).code === 0;

let updated = false;

/** Installs the first of these packages that can be had. Returns whether one was. */
export async function installPackage(candidates: readonly string[], say: Say): Promise<boolean> {
  if (!(await canInstallPackages())) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (!updated) {
    say('Reading the lists of packages (apt-get update) ...');
    await runTool('apt-get', ['update', '-qq'], { timeoutMs: UPDATE_TIMEOUT_MS, env });
    updated = true;
  }
  for (const name of candidates) {
    say(`Installing ${name} (apt-get install) ...`);
    const args = ['install', '-y', '-qq', '--no-install-recommends', name];
    if ((await runTool('apt-get', args, { timeoutMs: INSTALL_TIMEOUT_MS, env })).code === 0) return true;
  }
  return false;
}
