import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusFollower, KafkaBus, type Outcome, outcomeCodec, silentLogger, topicNames } from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { predictionLoad } from '../benchmark/prediction-load.js';
import { RouterProcess, publishWeights, startModelServer } from '../benchmark/router-process.js';
import { buildApps } from '../fixtures/build-apps.js';

let stack: LocalStack;
let bus: KafkaBus;
let follower: BusFollower;
let models: { url: string; server: Server };
let dataDir: string;
let router: RouterProcess | null = null;
const outcomes: Outcome[] = [];

async function start(workers: number): Promise<RouterProcess> {
  router = await RouterProcess.start({
    KAFKA_BROKERS: stack.kafkaBrokers,
    PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
    ROUTER_DATA_DIR: dataDir,
    ROUTER_WORKERS: String(workers),
    ROUTER_DRAIN_DELAY_MS: '100',
    LOG_LEVEL: 'warn',
  });
  // It is ready with the first of them; connections of before would all be that one's.
  if (workers > 1) await expect.poll(() => metric('workers_serving'), { timeout: 20_000 }).toBe(workers);
  return router;
}
const workersOf = ({ pid }: RouterProcess): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
const routerIds = (): Set<string> => new Set(outcomes.map((o) => o.router));
const metric = (name: string, labels = ''): Promise<number> => router!.metric(`model_canary_router_${name}`, labels);

beforeAll(async () => {
  buildApps(['router']);
  stack = await startLocalStack({ redis: false });
  models = await startModelServer();
  await publishWeights(stack.kafkaBrokers, models.url);
  bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'workers-test', logger: silentLogger });
  follower = bus.follower({
    topics: [topicNames().outcome],
    onBatch: ({ records }) => {
      for (const { value } of records) {
        const outcome = outcomeCodec.decode(value);
        if (outcome.ok) outcomes.push(outcome.value);
      }
    },
  });
});
afterAll(async () => {
  await bus?.close();
  models?.server.closeAllConnections();
  models?.server.close();
  await stack?.stop();
});
beforeEach(async () => {
  await follower.caughtUp();
  outcomes.length = 0;
  dataDir = mkdtempSync(join(tmpdir(), 'router-test-'));
});
afterEach(async () => {
  await router?.stop('SIGKILL');
  router = null;
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a router of two workers', () => {
  it('deals connections out, shows the metrics of both as one, and drains both', async () => {
    await start(2);
    const { failed } = await predictionLoad(router!.url, { predictions: 2000, connections: 32 });
    expect(failed).toBe(0);
    // Whichever worker is asked: the connection of a scrape is dealt out like any other.
    for (let i = 0; i < 6; i++) {
      expect(await metric('predictions_total')).toBe(2000);
      expect(await metric('generation')).toBe(1);
      expect(await metric('weight_ratio', 'version="v2"')).toBe(0.1);
      expect(await metric('workers_serving')).toBe(2);
    }
    expect(await router!.stop()).toBe(0);
    await expect.poll(() => outcomes.length, { timeout: 20_000 }).toBe(2000);
    const [one, other] = [...routerIds()].map((id) => outcomes.filter((o) => o.router === id).length);
    expect(Math.min(one!, other!)).toBeGreaterThan(200);
  });

  it.runIf(process.platform === 'linux')('replaces a worker that was killed, and says so', async () => {
    await start(2);
    const [victim] = workersOf(router!);
    await predictionLoad(router!.url, { predictions: 200, connections: 16 });
    // What a worker that is killed has not sent yet is counted as lost, and shows no id.
    await expect.poll(() => routerIds().size, { timeout: 20_000 }).toBe(2);
    process.kill(victim!, 'SIGKILL');
    await expect.poll(() => workersOf(router!).filter((pid) => pid !== victim).length, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => metric('workers_serving'), { timeout: 20_000 }).toBe(2);
    expect(await metric('worker_restarts_total')).toBe(1);
    const { failed } = await predictionLoad(router!.url, { predictions: 500, connections: 32 });
    expect(failed).toBe(0);
    await expect.poll(() => routerIds().size, { timeout: 20_000 }).toBe(3);
    expect(await router!.stop()).toBe(0);
  });

  it.runIf(!process.env.KAFKA_BROKERS)(
    'leaves its spools to the router that comes after it, without workers',
    async () => {
      await start(2);
      await predictionLoad(router!.url, { predictions: 100, connections: 16 });
      await stack.kafka!.signal('SIGSTOP');
      const { failed } = await predictionLoad(router!.url, { predictions: 3000, connections: 16, perSecond: 600 });
      expect(failed).toBe(0);
      expect(await router!.stop()).toBe(0);
      await stack.kafka!.signal('SIGCONT');
      await start(1);
      await expect
        .poll(() => metric('restored_outcomes_total', 'state="acknowledged"'), { timeout: 30_000 })
        .toBeGreaterThan(0);
      await expect.poll(() => new Set(outcomes.map((o) => o.predictionId)).size, { timeout: 30_000 }).toBe(3100);
      expect(routerIds().size).toBe(2);
    },
  );
});
