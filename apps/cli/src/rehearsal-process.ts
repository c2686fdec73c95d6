import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RehearsalLine, RehearsalRequest } from '@app/shared';
import { CliError } from './cli-error.js';

/** The rehearsal runs the evaluator's engine and is a program of its own: apps do not import each other. */
const PROGRAM = fileURLToPath(new URL('../../evaluator/src/rehearsal/main.js', import.meta.url));

/**
 * Runs a rehearsal and hands out what it says, the report last. When the signal is aborted it reports what is known so
 * far. Throws CliError `not-built` or `rehearsal-ended`.
 */
export async function* rehearsalLines(request: RehearsalRequest, signal: AbortSignal): AsyncGenerator<RehearsalLine> {
  if (!existsSync(PROGRAM))
    throw new CliError('not-built', `the rehearsal program is not there (${PROGRAM}): npm run build makes it`);
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    // Gone before it has read everything: its exit code says so.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(request));
    for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as RehearsalLine;
    const [code, killedBy] = await exited;
    // With code 1 its last line has said why.
    if (code !== 0 && code !== 1)
      throw new CliError(
        'rehearsal-ended',
        `the rehearsal ended without a report (${killedBy ?? `exit code ${code}`})`,
      );
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
