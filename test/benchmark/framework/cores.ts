import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Where the parts of a benchmark run, so that what is measured has a core to itself. */
export const MEASURED_CORE = 1;
export const OTHERS_CORE = 0;

let pins: boolean | null = null;

/** Whether programs can be kept on a core each: two cores at least, and taskset. */
export function canPin(): boolean {
  return (pins ??= availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0);
}

/** A command that runs on one core only, if that can be had. */
export function onCore(
  core: number | undefined,
  command: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  return core === undefined || !canPin() ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];
}

/** Keeps a process that runs already, and all its threads, on a core, if that can be had. */
export function pin(pid: number, core: number): void {
  if (canPin()) spawnSync('taskset', ['-acp', String(core), String(pid)]);
}
