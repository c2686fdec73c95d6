import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { installPackage } from '../../../deploy/local/debian.js';
import { say } from './context.js';
import { canPin } from './cores.js';

/** The machine in words, for whoever reads the figures later. */
export function machineInWords(): string {
  const cores = cpus();
  const gib = Math.round(totalmem() / 1024 ** 3);
  const pinned = canPin() ? 'what is measured alone on a core where a line does not say otherwise' : 'nothing pinned';
  return `${cores.length} cores (${cores[0]?.model ?? 'unknown'}), ${gib} GiB, ${process.platform}, Node ${process.version}; ${pinned}`;
}

/** Whether a program is here; with `install`, after installing Debian's package if it can be. */
export async function hasProgram(
  program: string,
  options: { readonly debianPackage: string; readonly install: boolean },
): Promise<boolean> {
  const isHere = (): boolean => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined;
  return isHere() || (options.install && (await installPackage([options.debianPackage], say)) && isHere());
}
