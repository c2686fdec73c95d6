import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from '@app/shared';
import { CliError } from './cli-error.js';

/** The evaluator's replay is a program of its own: apps do not import each other. */
const PROGRAM = fileURLToPath(new URL('../../../services/replay/main.js', import.meta.url));

/** Records are needed for milliseconds: with room for more of them at once, fewer are copied for being still in use. */
const NODE_OPTIONS = ['--min-semi-space-size=16', '--max-semi-space-size=32'];

/** Runs a replay and hands out the lines it prints. What it logs goes to standard error. */
export async function* replayLines(
  args: readonly string[],
  { env, signal, program = PROGRAM }: { readonly env: Env; readonly signal: AbortSignal; readonly program?: string },
): AsyncGenerator<string> {
  if (!existsSync(program))
    throw new CliError('not-built', `the replay program is not there (${program}): npm run build makes it`);
  const child = spawn(process.execPath, [...NODE_OPTIONS, program, ...args], {
    env: env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  try {
    yield* createInterface({ input: child.stdout });
    const [code, killedBy] = await exited;
    // With code 1 its last line has said why.
    if (code !== 0 && code !== 1)
      throw new CliError('replay-ended', `the replay ended without a result (${killedBy ?? `exit code ${code}`})`);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
