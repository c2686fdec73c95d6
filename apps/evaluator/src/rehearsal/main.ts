import { json } from 'node:stream/consumers';
import { type RehearsalLine, type RehearsalRequest, systemClock } from '@app/shared';
import { rehearse } from './rehearse.js';
import { workerStage } from './worker-stage.js';

/** How often progress is told. */
const PROGRESS_EVERY_MS = 200;

/** The program behind `canaryctl simulate`: see RehearsalLine for what it reads and writes. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
// Whoever asked is gone.
process.stdout.on('error', () => process.exit(1));

const write = (line: RehearsalLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
let toldMs = -Infinity;

try {
  const request = (await json(process.stdin)) as RehearsalRequest;
  const report = await rehearse(request, {
    clock: systemClock,
    newStage: () => workerStage(request),
    signal: interrupted.signal,
    onProgress: (progress) => {
      if (progress.elapsedMs - toldMs < PROGRESS_EVERY_MS) return;
      toldMs = progress.elapsedMs;
      write({ kind: 'progress', ...progress });
    },
  });
  write({ kind: 'report', report });
} catch (error) {
  write({ kind: 'failed', message: (error as Error).message });
  process.exitCode = 1;
}
