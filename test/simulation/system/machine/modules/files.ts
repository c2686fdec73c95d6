/** What the modules in place of node:fs and node:fs/promises hand every call to. */
import realFs from 'node:fs';
import { currentHost } from '../host.js';

type Function_ = (...args: unknown[]) => unknown;
type Files = Readonly<Record<string, Function_>>;

const WRITES = /^(write|append|truncate|ftruncate|mkdir|copy|rename)/;

const noSpace = (name: string): Error =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC', errno: -28 });

function creates(name: string, flags: unknown): boolean {
  return /^open/.test(name) && typeof flags === 'string' && flags !== 'r';
}

/** Calls a function of node:fs on the disk of the process that runs now, or on the real one outside of the simulation. */
export function callFs(name: string, args: unknown[]): unknown {
  const disk = currentHost()?.disk;
  const files = (disk?.files ?? realFs) as unknown as Files;
  if (disk?.full && (WRITES.test(name) || creates(name, args[1]))) throw noSpace(name);
  return files[name]!(...args);
}

/** As callFs, for node:fs/promises. */
export async function callFsPromises(name: string, args: unknown[]): Promise<unknown> {
  const disk = currentHost()?.disk;
  const files = (disk?.files.promises ?? realFs.promises) as unknown as Files;
  if (disk?.full && (WRITES.test(name) || creates(name, args[1]))) throw noSpace(name);
  return files[name]!(...args);
}
