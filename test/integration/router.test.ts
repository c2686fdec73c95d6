import { mkdtempSync, rmSync } from 'node:fs';
import { type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BucketRecord,
  type BusFollower,
  KafkaBus,
  type Outcome,
  type OutcomeRecord,
  outcomeCodec,
  bucketCodec,
  silentLogger,
  topicNames,
} from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { predictionLoad } from '../benchmark/prediction-load.js';
import { RouterProcess, publishWeights, startModelServer } from '../benchmark/router-process.js';
import { buildApps } from '../fixtures/build-apps.js';

let stack: LocalStack;
let bus: KafkaBus;
let models: { url: string; server: Server };
let follower: BusFollower;
/** What is in the outcome topic, in the order of each partition. */
const records: OutcomeRecord[] = [];

let dataDir: string;
const routers: RouterProcess[] = [];
async function startRouter(): Promise<RouterProcess> {
  const router = await RouterProcess.start({
    KAFKA_BROKERS: stack.kafkaBrokers,
    PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
    ROUTER_DATA_DIR: dataDir,
  });
  routers.push(router);
  return router;
}

const outcomes = (): Outcome[] => records.filter((r) => r.kind === 'outcome');
const buckets = (): BucketRecord[] => records.filter((r) => r.kind === 'bucket');
const routerIds = (): string[] => [...new Set(outcomes().map((o) => o.router))];

/** Sequences of each lane of a router in the order of the log. */
function lanes(router: string): number[][] {
  const byPartition = new Map<number, number[]>();
  for (const r of records) {
    if (r.kind === 'tick' || r.router !== router) continue;
    byPartition.set(r.lane, [...(byPartition.get(r.lane) ?? []), r.sequence]);
  }
  return [...byPartition.values()];
}

beforeAll(async () => {
  buildApps(['router']);
  stack = await startLocalStack({ redis: false });
  models = await startModelServer();
  await publishWeights(stack.kafkaBrokers, models.url);
  bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'router-test', logger: silentLogger });
  follower = bus.follower({
    topics: [topicNames().outcome],
    onBatch: (batch) => {
      for (const { value } of batch.records) {
        const decoded = [outcomeCodec.decode(value), bucketCodec.decode(value)].find((d) => d.ok);
        if (!decoded?.ok) throw new Error(`not a record of the contract: ${String(value)}`);
        records.push(decoded.value);
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
beforeEach(() => {
  records.length = 0;
  dataDir = mkdtempSync(join(tmpdir(), 'router-test-'));
});
afterEach(async () => {
  await Promise.all(routers.splice(0).map((router) => router.stop('SIGKILL')));
  rmSync(dataDir, { recursive: true });
});

describe('a router on Kafka', () => {
  it('ended by SIGTERM under load fails no prediction and loses no outcome', async () => {
    const router = await startRouter();
    let sent = 0;
    // As a load balancer would: it sends until it is told not to, and notices that some time later.
    const isReady = async (): Promise<boolean> => (await fetch(`${router.url}/health/ready`)).ok;
    let notReady = false;
    const load = predictionLoad(router.url, {
      predictions: 1e6,
      connections: 16,
      perSecond: 800,
      isOver: () => notReady || sent++ < 0,
    });
    await expect.poll(() => sent, { timeout: 60_000 }).toBeGreaterThan(1000);
    const stopped = router.stop();
    while (await isReady()) await new Promise((resolve) => setTimeout(resolve, 20));
    notReady = true;
    const { predictions, failed, turnedAway } = await load;
    expect(await stopped).toBe(0);
    expect([failed, turnedAway]).toEqual([0, 0]);
    await follower.caughtUp();
    expect(outcomes()).toHaveLength(predictions);
    for (const lane of lanes(routerIds()[0]!)) expect(lane).toEqual(lane.map((_, i) => i));
    const routed = buckets()
      .filter((b) => b.final)
      .flatMap((b) => Object.values(b.versions));
    expect(routed.reduce((sum, v) => sum + v.routed, 0)).toBe(predictions);
    expect(routed.every((v) => v.pending === 0 && v.dropped === 0 && v.intended === v.routed)).toBe(true);
  });

  it.runIf(!process.env.KAFKA_BROKERS)(
    'killed while Kafka is stopped: the next one serves from disk, and sends what was spooled, in order',
    async () => {
      const first = await startRouter();
      await predictionLoad(first.url, { predictions: 500, connections: 8, perSecond: 1000 });
      await stack.kafka!.signal('SIGSTOP');
      const away = await predictionLoad(first.url, { predictions: 2500, connections: 8, perSecond: 500 });
      expect(away.failed).toBe(0);
      const acknowledged = await first.metric('model_canary_router_outcomes_total', 'state="acknowledged"');
      const spooled = await first.metric('model_canary_router_outcomes_held', 'state="spooled"');
      expect(spooled).toBeGreaterThan(500);
      await first.stop('SIGKILL');

      const second = await startRouter();
      expect((await predictionLoad(second.url, { predictions: 200, connections: 8 })).failed).toBe(0);
      await stack.kafka!.signal('SIGCONT');

      const restored = () => second.metric('model_canary_router_restored_outcomes_total', 'state="acknowledged"');
      await expect.poll(restored, { timeout: 20_000 }).toBeGreaterThanOrEqual(spooled);
      const sent = () => second.metric('model_canary_router_outcomes_total', 'state="acknowledged"');
      await expect.poll(sent, { timeout: 20_000 }).toBe(200);
      await follower.caughtUp();
      const [old] = routerIds();
      const arrived = new Set(
        outcomes()
          .filter((o) => o.router === old)
          .map((o) => o.predictionId),
      );
      expect(arrived.size).toBeGreaterThanOrEqual(acknowledged + spooled);
      // What was sent and not acknowledged is on disk as well, and comes twice if the stopped broker had it: known by its
      // sequence, and behind what it follows.
      for (const lane of lanes(old!).map((sequences) => [...new Set(sequences)]))
        expect(lane).toEqual([...lane].sort((a, b) => a - b));
    },
  );
});
