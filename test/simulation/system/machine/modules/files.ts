/** What the modules in place of node:fs and node:fs/promises hand every call to. */
import realFs from 'node:fs';
import { currentHost, type Host } from '../host.js';

export { constants } from 'node:fs';

type Function_ = (...args: unknown[]) => unknown;
type Files = Readonly<Record<string, Function_>>;

const WRITES = /^(write|append|truncate|ftruncate|mkdir|copy|rename)/;

const noSpace = (name: string): Error =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC', errno: -28 });

function creates(name: string, flags: unknown): boolean {
  return /^open/.test(name) && typeof flags === 'string' && flags !== 'r';
}

/**
 * Calls a function of node:fs on the disk of the process that runs now, or on the real one outside of the simulation.
 * What answers a callback does so in a later step.
 */
export function callFs(name: string, args: unknown[]): unknown {
  const host = currentHost();
  const done = args.at(-1);
  if (host && typeof done === 'function') return later(host, name, args.slice(0, -1), done as Function_);
  const disk = host?.disk;
  const files = (disk?.files ?? realFs) as unknown as Files;
  if (disk?.full && (WRITES.test(name) || creates(name, args[1]))) throw noSpace(name);
  return files[name]!(...args);
}

function later(host: Host, name: string, args: unknown[], done: Function_): void {
  host.after(host.random.unit(), `disk ${name}`, () => {
    let result: unknown;
    try {
      result = callFs(`${name}Sync`, args);
    } catch (error) {
      return void done(error);
    }
    done(null, result, args[1]);
  });
}

/** What promisify() makes of read and write, whose callbacks get two values. */
export function promisedTransfer(name: 'read' | 'write', args: unknown[]): Promise<unknown> {
  const transferred = name === 'read' ? 'bytesRead' : 'bytesWritten';
  return new Promise((resolve, reject) =>
    callFs(name, [
      ...args,
      (error: Error | null, count: unknown, buffer: unknown) =>
        error ? reject(error) : resolve({ [transferred]: count, buffer }),
    ]),
  );
}

/** As callFs, for node:fs/promises. */
export async function callFsPromises(name: string, args: unknown[]): Promise<unknown> {
  const disk = currentHost()?.disk;
  const files = (disk?.files.promises ?? realFs.promises) as unknown as Files;
  if (disk?.full && (WRITES.test(name) || creates(name, args[1]))) throw noSpace(name);
  return files[name]!(...args);
}
