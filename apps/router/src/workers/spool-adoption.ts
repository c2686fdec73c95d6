import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@app/shared/core';
import { DirectoryLock } from '../routing/directory-lock.js';

const WORKERS = 'workers';
const SPOOL = 'spool';

/** A worker's own directory; the router's holds the weights. */
export function workerDirectory(dataDir: string, index: number): string {
  return join(dataDir, WORKERS, String(index));
}

/**
 * Sees to it that the spool of every earlier process is in the directory of one that is about to start, whatever the
 * number of workers was then. `workers`: 1 stands for a router without any.
 */
export function adoptSpools(dataDir: string, workers: number, logger: Logger): void {
  const heir = workers === 1 ? dataDir : workerDirectory(dataDir, 0);
  const known = workers === 1 ? [] : Array.from({ length: workers }, (_, i) => workerDirectory(dataDir, i));
  const all = [dataDir, ...namesIn(join(dataDir, WORKERS)).map((name) => join(dataDir, WORKERS, name))];
  for (const from of all) if (from !== heir && !known.includes(from)) moveSpool(dataDir, from, heir, logger);
}

function moveSpool(dataDir: string, from: string, to: string, logger: Logger): void {
  const routers = namesIn(join(from, SPOOL));
  if (routers.length === 0) return;
  // A worker whose supervisor was killed may still be at work there.
  const lock = from === dataDir ? null : lockOf(from, logger);
  if (lock === undefined) return;
  mkdirSync(join(to, SPOOL), { recursive: true });
  for (const router of routers) renameSync(join(from, SPOOL, router), join(to, SPOOL, router));
  logger.info({ from, routers: routers.length }, 'what an earlier number of workers left in its spool is taken over');
  lock?.release();
}

/** Undefined: somebody else has it, and the next start will find what is there. */
function lockOf(directory: string, logger: Logger): DirectoryLock | undefined {
  try {
    return DirectoryLock.take(directory);
  } catch (error) {
    logger.warn({ err: error }, 'a spool cannot be taken over yet');
    return undefined;
  }
}

function namesIn(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
