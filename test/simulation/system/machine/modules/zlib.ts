/** In place of node:zlib: what runs in other threads there comes back after a moment of simulated time. */
import * as zlib from 'node:zlib';
import { currentHost } from '../host.js';

export * from 'node:zlib';

type Done = (error: Error | null, result?: Buffer) => void;

function later(compute: () => Buffer, done: Done): void {
  currentHost()!.after(1, 'zlib', () => {
    let result: Buffer;
    try {
      result = compute();
    } catch (error) {
      return done(error as Error);
    }
    done(null, result);
  });
}

export const gzip = (bytes: Buffer, options: zlib.ZlibOptions, done: Done): void =>
  currentHost() ? later(() => zlib.gzipSync(bytes, options), done) : zlib.gzip(bytes, options, done);

export const gunzip = (bytes: Buffer, done: Done): void =>
  currentHost() ? later(() => zlib.gunzipSync(bytes), done) : zlib.gunzip(bytes, done);
