import { Worker } from 'node:worker_threads';
import type { RehearsalRequest } from '@app/shared';
import type { RunRecord } from './rehearse-once.js';
import type { Stage } from './rehearse.js';

/** A stage on a thread of its own. */
export function workerStage(request: RehearsalRequest): Stage {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: request });
  return {
    rehearse: (seed) =>
      new Promise<RunRecord>((resolve, reject) => {
        worker.once('error', reject);
        worker.once('message', (record: RunRecord) => {
          worker.off('error', reject);
          resolve(record);
        });
        worker.postMessage(seed);
      }),
    close: () => void worker.terminate(),
  };
}
