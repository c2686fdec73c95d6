import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Guard } from '../../../../deploy/local/guard.js';
import { startServiceProcess } from './service-process.js';

let folder: string;
let guard: Guard;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-canary-service-'));
  guard = new Guard();
});
afterEach(async () => {
  await guard.end();
  rmSync(folder, { recursive: true, force: true });
});

const start = (program: string): ReturnType<typeof startServiceProcess> => {
  const main = join(folder, 'main.mjs');
  writeFileSync(main, `import fs from 'node:fs';\n${program}`);
  return startServiceProcess({
    name: 'it',
    main: pathToFileURL(main),
    env: {},
    logFile: join(folder, 'it.log'),
    guard,
  });
};

describe('a service that does not start', () => {
  it.each([
    ['in good order', `console.error('the reason'); process.exitCode = 3;`],
    [
      'some time after its last words',
      `fs.writeSync(2, 'the reason\\n'); fs.closeSync(2); setTimeout(() => process.exit(3), 200);`,
    ],
  ])('is told with its last words when it ends %s', async (_, program) => {
    await expect(start(program)).rejects.toThrow(/it ended with exit code 3:\nthe reason/);
  });
});
