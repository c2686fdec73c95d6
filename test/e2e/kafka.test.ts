import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReplayLine, ReplaySummary } from '@app/shared';
import { rolloutStateCodec } from '@app/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayLines } from '../../apps/cli/src/replay-process.js';
import { type KafkaWorld, startKafkaWorld } from './driver/kafka-world.js';
import { readTopic } from './driver/topic-reader.js';
import { tellStories, tellStoriesOfVerdicts } from './stories.js';

/** Each mostly waits for Kafka and for its program to load. */
const REPLAYS_AT_ONCE = 4;
const REPLAY = fileURLToPath(new URL('../../dist/apps/evaluator/src/replay/main.js', import.meta.url));

describe('as processes on a real Kafka and Redis, two of each service', () => {
  let world: KafkaWorld;
  beforeAll(async () => {
    world = await startKafkaWorld({ routers: 2, evaluators: 2, controllers: 2 });
  });
  afterAll(() => world.close());

  tellStories(() => world);
  tellStoriesOfVerdicts(() => world);

  it('leave verdicts in the topics that a replay gives again, byte for byte', { timeout: 400_000 }, async () => {
    const states = await readTopic(world.bus, world.topics.state, rolloutStateCodec);
    const models = new Set(states.flatMap(({ decoded }) => (decoded.rollout ? [decoded.model] : [])));
    expect(models.size).toBeGreaterThan(5);
    const left = [...models];
    const replayNext = async (): Promise<void> => {
      for (let model = left.pop(); model !== undefined; model = left.pop()) await expectSameVerdicts(world, model);
    };
    await Promise.all(Array.from({ length: REPLAYS_AT_ONCE }, replayNext));
  });
});

async function expectSameVerdicts(world: KafkaWorld, model: string): Promise<void> {
  const lines: string[] = [];
  const { cuts, verdicts, identical, firstDifference } = await replayed(world, model, lines);
  process.stderr.write(`replayed ${model}: ${verdicts} verdicts in ${cuts} cuts, ${identical} identical\n`);
  if (firstDifference) {
    const around = lines.filter((line) => Math.abs(Number(/"cut":(\d+)/.exec(line)?.[1]) - firstDifference.cut) < 20);
    process.stderr.write(`${around.join('\n')}\n${readFileSync(join(world.folder, 'evaluator.log'), 'utf8')}\n`);
  }
  expect({ model, identical, firstDifference }).toEqual({ model, identical: verdicts, firstDifference: null });
  expect(verdicts).toBeGreaterThan(0);
}

/** @param told gets every line that it prints */
async function replayed({ env }: KafkaWorld, model: string, told: string[]): Promise<ReplaySummary> {
  const { signal } = new AbortController();
  const lines = replayLines(['--model', model], { env: { ...process.env, ...env }, signal, program: REPLAY });
  for await (const text of lines) {
    told.push(text);
    const line = JSON.parse(text) as ReplayLine;
    if (line.kind === 'failed') throw new Error(line.message);
    if (line.kind === 'summary') return line;
  }
  throw new Error(`the replay of ${model} ended without a result`);
}
