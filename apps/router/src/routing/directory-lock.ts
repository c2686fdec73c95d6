import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CanaryError } from '@app/shared/core';

const LOCK_FILE = 'lock';

/** One living process at a time works in a directory: two would send each other's spool. */
export class DirectoryLock {
  private constructor(private readonly file: string) {}

  /**
   * Makes the directory, if need be, and locks it. A lock of a process that is gone is taken over. Throws CanaryError
   * `data-dir-unusable` or `data-dir-in-use`.
   */
  static take(directory: string): DirectoryLock {
    const file = join(directory, LOCK_FILE);
    try {
      mkdirSync(directory, { recursive: true });
      const [pid, startedAt] = readIfThere(file)?.split(' ') ?? [];
      if (pid && Number(pid) !== process.pid && startedAt && startOf(pid) === startedAt)
        throw new CanaryError('data-dir-in-use', `ROUTER_DATA_DIR is in use by the router with process id ${pid}`);
      writeFileSync(file, `${process.pid} ${startOf('self') ?? 'unknown'}`);
    } catch (error) {
      if (error instanceof CanaryError) throw error;
      const { message } = error as Error;
      throw new CanaryError('data-dir-unusable', `ROUTER_DATA_DIR cannot be used: ${message}`, { cause: error });
    }
    return new DirectoryLock(file);
  }

  release(): void {
    rmSync(this.file, { force: true });
  }
}

/** When a process began, in clock ticks since boot: tells a process from a later one with the same id. Linux only. */
function startOf(pid: string): string | null {
  // Field 22; the name in field 2 may hold anything, but its closing parenthesis is the last.
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
