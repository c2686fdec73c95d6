import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { type App, type KafkaWorld, startKafkaWorld } from './driver/kafka-world.js';
import { type Given, given, type Story } from './driver/story.js';
import { countOutcomes } from './driver/topic-reader.js';
import { until } from './driver/world.js';

const APPS: readonly App[] = ['router', 'evaluator', 'controller'];
const STOP_MS_MAX = 10_000;
/** A step that does not end by itself while something else is tried. */
const NEVER = { predictions: 1_000_000, duration: '1h' };

describe('what may happen to services on a real Kafka and Redis', () => {
  let world: KafkaWorld;
  const told: Story[] = [];
  const rollout = (plan: Given): Story => {
    const story = given.rollout(world, plan);
    told.push(story);
    return story;
  };
  beforeAll(async () => {
    world = await startKafkaWorld({ routers: 2, evaluators: 2, controllers: 2 });
  });
  afterEach(() => Promise.all(told.splice(0).map((story) => story.close())));
  afterAll(() => world.close());

  it('every service is replaced under load: each ends with 0 within 10 s, no prediction fails, no outcome is lost', async () => {
    const story = rollout({ model: 'replaced', steps: [0.3, 1], atLeast: NEVER });
    await story.when.canaryHas(0.3).then.done();
    for (const app of APPS) {
      const old = world.running(app)[0]!;
      await world.start(app);
      const startedMs = performance.now();
      expect(await old.stop(), `exit code of the ${app}`).toBe(0);
      expect(performance.now() - startedMs, `ms the ${app} took`).toBeLessThan(STOP_MS_MAX);
      await story.when.secondsGoBy(2).then.done();
    }
    await story.users.stop();
    expect(story.users.failures).toEqual([]);
    await until(
      'an outcome of every prediction',
      async () => (await outcomesOf('replaced')) === story.users.predictions,
      {
        withinMs: 15_000,
      },
    );
    expect((await story.state()).weights).toEqual({ v1: 0.7, v2: 0.3 });
  });

  it('Redis forgets everything in the middle: the rollout goes on to the same end', async () => {
    const story = rollout({ model: 'flushed' });
    const redis = new Redis(world.stack.redisUrl);
    await story.when.canaryHas(0.5).then.done();
    for (let i = 0; i < 3; i++) {
      await redis.flushall();
      await story.when.secondsGoBy(2).then.done();
    }
    redis.disconnect();
    await story.then.promoted();
    expect(story.users.failures).toEqual([]);
  });

  it('a router that starts while Kafka is away serves the last weights it knew, and tells what it did later', async () => {
    const story = rollout({ model: 'kafka-away', steps: [0.5, 1], atLeast: NEVER });
    await story.when.canaryHas(0.5).then.done();
    const { kafka } = world.stack;
    if (!kafka) return; // a Kafka that is somebody else's is not for us to kill
    const dataFolder = world.newFolder();
    const first = await world.start('router', { dataFolder });
    // Its weights are on disk as soon as it has read them.
    await story.when.secondsGoBy(2).then.done();
    await first.stop();

    await kafka.signal('SIGKILL');
    const router = await world.start('router', { dataFolder });
    await until('the router to be ready', () => world.routerUrls().includes(router.url), { withinMs: 10_000 });
    const before = new Map(story.users.answersByVersion);
    await story.when.secondsGoBy(5).then.done();
    for (const version of ['v1', 'v2'])
      expect(story.users.answersByVersion.get(version)! - before.get(version)!).toBeGreaterThan(50);
    expect(story.users.failures).toEqual([]);

    await kafka.start();
    await story.users.stop();
    await until(
      'an outcome of every prediction',
      async () => (await outcomesOf('kafka-away')) === story.users.predictions,
      {
        withinMs: 60_000,
      },
    );
  });

  const outcomesOf = (model: string): Promise<number> => countOutcomes(world, model);
});
