import { spawnSync } from 'node:child_process';

/** Debian's prometheus has it; .ci/run installs that. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

export function promtool(args: readonly string[], options: { readonly cwd?: string; readonly input?: string } = {}) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { ...options, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
