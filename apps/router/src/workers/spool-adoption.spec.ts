import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptSpools, workerDirectory } from './spool-adoption.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'router-workers-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function leave(directory: string, router: string): void {
  const file = join(directory, 'spool', router, '0', 'segment');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, router);
}
const left = (directory: string): string[] => {
  const spool = join(directory, 'spool');
  return existsSync(spool) ? readdirSync(spool).sort() : [];
};
const worker = (index: number): string => workerDirectory(dataDir, index);

describe('what earlier processes left in their spools', () => {
  beforeEach(() => {
    leave(dataDir, 'alone');
    for (const index of [0, 1, 2]) leave(worker(index), `worker-${index}`);
  });

  it('goes to a router without workers', () => {
    adoptSpools(dataDir, 1, silentLogger);
    expect(left(dataDir)).toEqual(['alone', 'worker-0', 'worker-1', 'worker-2']);
    expect([0, 1, 2].flatMap((index) => left(worker(index)))).toEqual([]);
  });

  it('goes to the first of fewer workers; who is there again keeps its own', () => {
    adoptSpools(dataDir, 2, silentLogger);
    expect(left(dataDir)).toEqual([]);
    expect(left(worker(0))).toEqual(['alone', 'worker-0', 'worker-2']);
    expect(left(worker(1))).toEqual(['worker-1']);
  });

  it.runIf(existsSync('/proc/self/stat'))('stays where it is as long as somebody works there', () => {
    const parent = readFileSync(`/proc/${process.ppid}/stat`, 'utf8');
    const startedAt = parent.slice(parent.lastIndexOf(')') + 2).split(' ')[19];
    writeFileSync(join(worker(2), 'lock'), `${process.ppid} ${startedAt}`);
    adoptSpools(dataDir, 1, silentLogger);
    expect(left(worker(2))).toEqual(['worker-2']);
    expect(left(dataDir)).toEqual(['alone', 'worker-0', 'worker-1']);
  });

  it('is nothing in a new directory', () => {
    rmSync(dataDir, { recursive: true });
    mkdirSync(dataDir);
    adoptSpools(dataDir, 2, silentLogger);
    expect(readdirSync(dataDir)).toEqual([]);
  });
});
