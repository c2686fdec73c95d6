import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createRedis, silentLogger } from '@app/shared';
import type { Redis } from 'ioredis';
import type { BenchContext } from '../framework/context.js';
import { profileFlags, renderProfile } from '../framework/profile.js';
import type { Section } from '../framework/report.js';
import type { Suite } from '../framework/suite.js';
import { besideOthers } from './beside-others.js';
import type { Track } from './contestant.js';
import { evaluators } from './evaluators.js';
import { exactness } from './exactness.js';
import { growth } from './growth.js';
import { labels } from './labels.js';
import { measure } from './measure.js';
import { type At, outcomeTrack } from './tracks.js';

/** The built service, as it is run in production, catching up with topics on a real Kafka and exact in a real Redis. */
export const evaluatorSuite: Suite = {
  name: 'evaluator',
  about: 'CPU per outcome and label beside kafkajs and Kafka Streams; growth with models, versions, evaluators',
  open: async (context) => {
    const stack = await context.stack();
    const redis = createRedis(stack.redisUrl, { logger: silentLogger });
    context.defer(() => redis.disconnect());
    if (redis.status !== 'ready') await once(redis, 'ready');
    const { folder, guard, options } = context;
    const at: At = { brokers: stack.kafkaBrokers, redisUrl: stack.redisUrl, folder, guard };
    // Of 500,000, what V8 (and Java) compile was more than a third of what was measured.
    const outcomes = options.short ? 10_000 : 1_000_000;
    let made: Promise<Track> | null = null;
    const track = (): Promise<Track> => (made ??= outcomeTrack(at, { name: 'ten', models: 10, versions: 2, outcomes }));
    return [
      { name: 'outcomes', run: async () => besideOthers(await track(), redis, options) },
      { name: 'exactness', run: async () => exactness(await track(), evaluators({ name: 'exact', redis }), redis) },
      { name: 'growth', run: () => growth(at, redis, options) },
      { name: 'labels', run: () => labels(at, redis, options) },
      ...(options.profile
        ? [{ name: 'profile', run: async () => evaluatorProfile(context, await track(), redis) }]
        : []),
    ];
  },
};

/** Where one evaluator's time goes while it catches up. */
async function evaluatorProfile(context: BenchContext, track: Track, redis: Redis): Promise<Section> {
  const folder = mkdtempSync(join(context.folder, 'profile-'));
  await measure(evaluators({ name: 'profiled', redis, nodeFlags: profileFlags(folder) }), track, redis);
  return { title: 'Evaluator: functions by their own share of the time that is not idle', rows: [], notes: renderProfile(folder) }; // prettier-ignore
}
