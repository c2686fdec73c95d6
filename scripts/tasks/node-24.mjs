import { existsSync } from 'node:fs';
import { bin } from './processes.mjs';
import { say } from './say.mjs';

export const nodeMajor = (version) => Number(/^v?(\d+)/.exec(version)?.[1] ?? 0);

/** Path of the Node 24 that came with the dependencies. Says what to do and exits when there is none. */
export function findNode24() {
  const path = bin('node');
  if (existsSync(path)) return path;
  say(
    `Node 24 is needed and did not come with the dependencies (there is no npm package of it for ${process.platform}-${process.arch}, or npm left out ` +
      `optional packages): install Node 24 from https://nodejs.org and run the same command again.`,
  );
  process.exit(1);
}
