import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger, systemClock } from '@app/shared';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Standalone, startStandalone } from '../../apps/standalone/src/standalone.js';
import { runs } from '../fixtures/thorough.js';

const ROOT = new URL('../../', import.meta.url);
/** `npm test` installs it where Python is; see scripts/tasks/schemathesis.mjs. */
const FUZZER = new URL('.cache/schemathesis/bin/schemathesis', ROOT).pathname;
const CONFIG = new URL('test/api-fuzz/schemathesis.toml', ROOT).pathname;
const TOKEN = 'a-token-for-the-fuzzer';
/** More than `npm test` has time for: FUZZ_PHASES=examples,coverage,fuzzing FUZZ_EXAMPLES=200 FUZZ_SEED=7. */
const { FUZZ_PHASES = 'examples,fuzzing', FUZZ_EXAMPLES = String(runs(12, 6)), FUZZ_SEED = '1' } = process.env;

let standalone: Standalone;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'api-fuzz-'));
  const env = {
    ROUTER_PORT: '0',
    CONTROLLER_PORT: '0',
    EVALUATOR_PORT: '0',
    CONTROLLER_TOKEN: TOKEN,
    REQUESTS_PER_MINUTE: '1000000',
    // On a busy machine too nobody may be told to ask again.
    COMMAND_TIMEOUT_MS: '60000',
  };
  standalone = await startStandalone({ env, clock: systemClock, logger: silentLogger });
});
afterAll(async () => {
  await standalone?.close();
  await rm(folder, { recursive: true, force: true });
});

test.runIf(existsSync(FUZZER))(
  'whatever is sent is answered as the document says, and never with a 5xx',
  { timeout: 600_000 },
  async () => {
    const authorization = `Bearer ${TOKEN}`;
    const registered = await fetch(`${standalone.controllerUrl}/api/v1/rollouts`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'text/yaml' },
      body: await readFile(new URL('examples/register.yaml', ROOT), 'utf8'),
    });
    expect(registered.status).toBe(201);
    const { out, code } = await fuzz([
      `${standalone.controllerUrl}/openapi.json`,
      '-H',
      `Authorization: ${authorization}`,
    ]);
    expect(out).toMatch(/Tested: +\d\d/);
    expect(code, out).toBe(0);
  },
);

async function fuzz(args: readonly string[]): Promise<{ out: string; code: number | null }> {
  const options = ['--phases', FUZZ_PHASES, '--max-examples', FUZZ_EXAMPLES, '--seed', FUZZ_SEED, '--no-shrink'];
  const child = spawn(FUZZER, ['--config-file', CONFIG, 'run', ...args, ...options], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { out: out + err, code };
}
