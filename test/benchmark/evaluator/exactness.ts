import { setTimeout as delay } from 'node:timers/promises';
import { addFigures, emptyFigures, RedisWindowReader } from '@app/shared';
import type { Redis } from 'ioredis';
import { row, type Section } from '../framework/report.js';
import type { Contestant, Track } from './contestant.js';
import { prefixOfRun } from './evaluators.js';
import { modelName } from './routers.js';

const MODELS_MAX = 10;
/** Windows come some seconds after the slots. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 200;

/** Whether the windows in Redis, which change in step with the slots' positions, show every outcome once. */
export async function exactness(track: Track, evaluator: Contestant, redis: Redis): Promise<Section> {
  const reader = await evaluator.start(track);
  try {
    const windows = new RedisWindowReader(redis, prefixOfRun(track));
    let shown = 0;
    for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; await delay(LOOK_EVERY_MS)) {
      shown = await shownOutcomes(windows);
      if (shown >= track.items) break;
    }
    const ratio = row('outcomes shown / written', [shown / track.items], '', { exactly: 1 });
    const wrong = `Redis shows ${shown} outcomes, and ${track.items} were written`;
    return { title: 'Evaluator: exactness', rows: [ratio], ...(shown === track.items ? {} : { wrong }) };
  } finally {
    await reader.stop();
  }
}

async function shownOutcomes(windows: RedisWindowReader): Promise<number> {
  const sum = emptyFigures();
  for (let model = 0; model < MODELS_MAX; model++)
    for (const { versions } of await windows.read(modelName(model), { resolution: '1m', fromMs: 0, toMs: Date.now() }))
      for (const figures of versions.values()) addFigures(sum, figures);
  return sum.routed;
}
