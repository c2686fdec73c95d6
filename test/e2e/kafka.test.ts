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

const REPLAY = fileURLToPath(new URL('../../dist/services/replay/main.js', import.meta.url));

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
    const found = await replayed(world, [...models]);
    expect(new Set(found.map(({ summary }) => summary.model))).toEqual(models);
    for (const one of found) expectSameVerdicts(world, one);
  });
});

/** What a replay says of a model. */
interface Replayed {
  readonly lines: readonly string[];
  readonly summary: ReplaySummary;
}

function expectSameVerdicts({ folder }: KafkaWorld, { lines, summary }: Replayed): void {
  const { model, cuts, verdicts, identical, firstDifference } = summary;
  process.stderr.write(`replayed ${model}: ${verdicts} verdicts in ${cuts} cuts, ${identical} identical\n`);
  if (firstDifference) {
    const around = lines.filter((line) => Math.abs(Number(/"cut":(\d+)/.exec(line)?.[1]) - firstDifference.cut) < 20);
    process.stderr.write(`${around.join('\n')}\n${readFileSync(join(folder, 'evaluator.log'), 'utf8')}\n`);
  }
  expect({ model, identical, firstDifference }).toEqual({ model, identical: verdicts, firstDifference: null });
  expect(verdicts).toBeGreaterThan(0);
}

/** All of them in one pass over the topics. */
async function replayed({ env }: KafkaWorld, models: readonly string[]): Promise<Replayed[]> {
  const { signal } = new AbortController();
  const args = models.flatMap((model) => ['--model', model]);
  const all: Replayed[] = [];
  let lines: string[] = [];
  for await (const text of replayLines(args, { env: { ...process.env, ...env }, signal, program: REPLAY })) {
    const line = JSON.parse(text) as ReplayLine;
    if (line.kind === 'failed') throw new Error(line.message);
    lines.push(text);
    if (line.kind !== 'summary') continue;
    all.push({ lines, summary: line });
    lines = [];
  }
  return all;
}
