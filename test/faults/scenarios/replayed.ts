import { fileURLToPath } from 'node:url';
import type { ReplayLine, ReplaySummary } from '@app/shared';
import { replayLines } from '../../../apps/cli/src/replay-process.js';
import { built } from '../world/built.js';
import type { FaultWorld } from '../world/fault-world.js';

const PROGRAM = fileURLToPath(built('../../../services/replay/main'));

/**
 * The verdicts of an undisturbed evaluator over the same records and cuts: the replay, in a process of its own, which
 * knows nothing of what happened to the evaluators that gave them.
 */
export async function replayed({ brokers, prefix, keys }: FaultWorld, model: string): Promise<ReplaySummary> {
  const { signal } = new AbortController();
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    KAFKA_BROKERS: brokers.join(','),
    TOPIC_PREFIX: prefix,
    PREDICTION_ID_KEYS: keys,
  };
  for await (const text of replayLines(['--model', model], { env, signal, program: PROGRAM })) {
    const line = JSON.parse(text) as ReplayLine;
    if (line.kind === 'failed') throw new Error(`the replay of ${model}: ${line.message}`);
    if (line.kind === 'summary') return line;
  }
  throw new Error(`the replay of ${model} ended without a result`);
}
