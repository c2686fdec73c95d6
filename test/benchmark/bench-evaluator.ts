/**
 * How many outcomes an evaluator takes in: the built service, as it is run in production, catches up with a topic on a
 * real Kafka, its slots, windows and verdicts exact in a real Redis. Prints CPU per outcome and what one core can do;
 * exits with 1 if that is below 30,000 a second, or if Redis does not hold exactly what was written.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  addFigures,
  createRedis,
  createTopicsFor,
  emptyFigures,
  KafkaBus,
  RedisWindowReader,
  rolloutStateCodec,
  silentLogger,
  topicNames,
} from '@app/shared';
import type { Redis } from 'ioredis';
import { aState } from '../../apps/evaluator/src/testing/builders.js';
import { startServiceProcess } from '../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../deploy/local/guard.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { writeBacklog } from './outcome-backlog.js';
import { cpuMs, residentMib } from './process-usage.js';

const OUTCOMES = Number(process.argv[2] ?? 1_000_000);
const GOAL_PER_SECOND = 30_000;
const DATA_PARTITIONS = 12;
const CONTROL_PARTITIONS = 8;
const MODELS = Array.from({ length: 10 }, (_, i) => `model-${i}`);
/** aState's first phase. */
const GENERATION = 2;
const PREFIX = `bench-${process.pid}`;
/** The start of the process and the first compilations are not what is measured. */
const WARM_SHARE = 0.2;
const STALL_MS_MAX = 60_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const dist = (path: string): string => join(import.meta.dirname, '..', '..', path);

async function main(): Promise<boolean> {
  buildEvaluator();
  const stack = await startLocalStack({ optimised: true, log: say });
  const guard = new Guard();
  const redis = createRedis(stack.redisUrl, { logger: silentLogger });
  const topics = topicNames(`${PREFIX}.`);
  const bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'bench', logger: silentLogger });
  try {
    if (redis.status !== 'ready') await once(redis, 'ready');
    await createTopicsFor(bus, topics, { dataPartitions: DATA_PARTITIONS, controlPartitions: CONTROL_PARTITIONS });
    const states = MODELS.map((model) => rolloutStateCodec.encode(aState(model, 0)));
    const producer = bus.producer();
    await producer.send(states.map((value, i) => ({ topic: topics.state, key: MODELS[i]!, value })));
    say(`Writing ${OUTCOMES} outcomes of ${MODELS.length} models to ${DATA_PARTITIONS} partitions ...`);
    const written = await writeBacklog({
      bus,
      topic: topics.outcome,
      partitions: DATA_PARTITIONS,
      models: MODELS,
      generation: GENERATION,
      routers: 4,
      perBucket: 50,
      outcomes: OUTCOMES,
    });
    say(`${written.records} records, ${(written.bytes / written.records).toFixed(0)} bytes each`);
    return await measure(stack, redis, guard, written.records);
  } finally {
    redis.disconnect();
    await bus.close();
    await stack.stop();
    await guard.end();
  }
}

async function measure(stack: LocalStack, redis: Redis, guard: Guard, records: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'model-canary-bench-'));
  guard.watch('folder', folder);
  const evaluator = await startServiceProcess({
    name: 'evaluator',
    main: pathToFileURL(dist('apps/evaluator/src/main.js')),
    env: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REDIS_URL: stack.redisUrl,
      REDIS_PREFIX: PREFIX,
      TOPIC_PREFIX: `${PREFIX}.`,
      PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
      LOG_LEVEL: 'warn',
      NODE_ENV: 'production',
    },
    logFile: join(folder, 'evaluator.log'),
    guard,
  });
  const [redisBefore, warm] = [await redisCpuMs(redis), await whenFolded(redis, records * WARM_SHARE, evaluator.pid)];
  const end = await whenFolded(redis, records, evaluator.pid);
  const redisUs = ((await redisCpuMs(redis)) - redisBefore) * 1000;
  const folded = end.records - warm.records;
  const outcomes = (folded * OUTCOMES) / records;
  const cpuUs = ((end.cpuMs - warm.cpuMs) * 1000) / outcomes;
  const perSecond = outcomes / ((end.atMs - warm.atMs) / 1000);
  const perCore = 1e6 / cpuUs;
  say(`evaluator: ${cpuUs.toFixed(1)} us of CPU per outcome, ${Math.round(perCore)} outcomes/s on one core`);
  say(
    `here, beside Kafka and Redis: ${Math.round(perSecond)} outcomes/s; resident ${residentMib(evaluator.pid).toFixed(0)} MiB`,
  );
  say(`redis: ${(redisUs / OUTCOMES).toFixed(2)} us of CPU per outcome`);
  const exact = await isExact(redis);
  const code = await evaluator.stop();
  say(`evaluator ended with ${code}`);
  return exact && code === 0 && perCore >= GOAL_PER_SECOND;
}

interface Sample {
  readonly records: number;
  readonly cpuMs: number;
  readonly atMs: number;
}

/** Waits until the slots have taken in so many records (ticks may be among them). */
async function whenFolded(redis: Redis, wanted: number, pid: number): Promise<Sample> {
  let [best, movedAtMs] = [-1, performance.now()];
  for (;;) {
    const positions = await Promise.all(
      Array.from({ length: DATA_PARTITIONS }, (_, p) => redis.hget(`${PREFIX}:{outcome-${p}}:slot`, '@position')),
    );
    const records = positions.reduce((sum, position) => sum + Number(position ?? 0), 0);
    const atMs = performance.now();
    if (records >= wanted) return { records, cpuMs: cpuMs(pid), atMs };
    if (records > best) [best, movedAtMs] = [records, atMs];
    else if (atMs - movedAtMs > STALL_MS_MAX) throw new Error(`the evaluator stands still at ${records} of ${wanted}`);
    await delay(20);
  }
}

/** The windows change in the same step as the positions: they must show every outcome once. */
async function isExact(redis: Redis): Promise<boolean> {
  const reader = new RedisWindowReader(redis, PREFIX);
  const sum = emptyFigures();
  for (const model of MODELS)
    for (const window of await reader.read(model, { resolution: '1m', fromMs: 0, toMs: Date.now() + 60_000 }))
      for (const figures of window.versions.values()) addFigures(sum, figures);
  const expected = Math.ceil(OUTCOMES / 50) * 50;
  say(`redis shows ${sum.routed} outcomes of ${expected} written${sum.routed === expected ? ': exact' : ': WRONG'}`);
  return sum.routed === expected;
}

async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1000;
}

/** With its Lua files, which a build of the benchmarks alone does not bring. */
function buildEvaluator(): void {
  const nest = dist('../node_modules/@nestjs/cli/bin/nest.js');
  const { status } = spawnSync(process.execPath, [nest, 'build', 'evaluator'], {
    cwd: dist('..'),
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('the evaluator cannot be built');
}

process.exitCode = (await main()) ? 0 : 1;
