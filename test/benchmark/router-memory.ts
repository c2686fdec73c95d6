/**
 * Whether a router's memory stays flat: over 200,000 predictions, and over 60 s with Kafka stopped, when outcomes go
 * to disk and afterwards to Kafka. Prints resident memory and CPU; exits with 1 if memory leaves +-10 % of its median.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack } from '../../deploy/local/local-stack.js';
import { predictionLoad, quantile } from './prediction-load.js';
import { cpuMs, residentMib } from './process-usage.js';
import { RouterProcess, publishWeights, startModelServer } from './router-process.js';

const BLOCKS = 10;
const PREDICTIONS_PER_BLOCK = 20_000;
const WARM_UP_BLOCKS = 10;
const CONNECTIONS = 32;
const AWAY_SAMPLES = 12;
const AWAY_SAMPLE_S = 5;
const AWAY_PER_SECOND = 1000;
const TOLERANCE = 0.1;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<boolean> {
  const stack = await startLocalStack({ redis: false, optimised: true, log: say });
  const dataDir = await mkdtemp(join(tmpdir(), 'router-memory-'));
  const models = await startModelServer();
  try {
    await publishWeights(stack.kafkaBrokers, models.url);
    const router = await RouterProcess.start({
      KAFKA_BROKERS: stack.kafkaBrokers,
      PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
      ROUTER_DATA_DIR: dataDir,
    });
    const flat = await overPredictions(router);
    if (!stack.kafka) say('Kafka is not ours to stop: the second part is left out.');
    const flatWithoutKafka = stack.kafka ? await withoutKafka(router, stack.kafka) : true;
    const code = await router.stop();
    say(`router ended with ${code}`);
    return flat && flatWithoutKafka && code === 0;
  } finally {
    models.server.closeAllConnections();
    models.server.close();
    await stack.stop();
    await rm(dataDir, { recursive: true });
  }
}

async function overPredictions(router: RouterProcess): Promise<boolean> {
  // V8's young generation grows to its full size with the first bursts of new connections, which each block brings:
  // only what comes after that tells of a leak.
  for (let block = 0; block < WARM_UP_BLOCKS; block++) {
    await predictionLoad(router.url, { predictions: PREDICTIONS_PER_BLOCK, connections: CONNECTIONS });
  }
  say('predictions   resident MiB   CPU us/prediction   per second   failed');
  const samples: number[] = [];
  for (let block = 1; block <= BLOCKS; block++) {
    const [cpuBefore, beganAtMs] = [cpuMs(router.pid), performance.now()];
    const { failed } = await predictionLoad(router.url, {
      predictions: PREDICTIONS_PER_BLOCK,
      connections: CONNECTIONS,
    });
    const cpuUs = ((cpuMs(router.pid) - cpuBefore) * 1000) / PREDICTIONS_PER_BLOCK;
    const perSecond = PREDICTIONS_PER_BLOCK / ((performance.now() - beganAtMs) / 1000);
    samples.push(residentMib(router.pid));
    row(block * PREDICTIONS_PER_BLOCK, samples.at(-1)!, cpuUs, perSecond, failed);
  }
  return isFlat('over 200,000 predictions', samples);
}

async function withoutKafka(
  router: RouterProcess,
  kafka: { signal(signal: NodeJS.Signals): Promise<void> },
): Promise<boolean> {
  const before = await atRate(router, 'Kafka there');
  await kafka.signal('SIGSTOP');
  const samples: number[] = [];
  try {
    for (let i = 0; i < AWAY_SAMPLES; i++) {
      const sample = await atRate(router, `Kafka stopped for ${(i + 1) * AWAY_SAMPLE_S} s`);
      samples.push(sample.mib);
      if (sample.failed > 0) return false;
    }
  } finally {
    await kafka.signal('SIGCONT');
  }
  const spooled = await router.metric('model_canary_router_outcomes_held', 'spooled');
  say(`spooled: ${spooled} outcomes; before: ${before.mib.toFixed(1)} MiB`);
  await delivered(router);
  return isFlat('over 60 s without Kafka', samples);
}

async function atRate(router: RouterProcess, what: string): Promise<{ mib: number; failed: number }> {
  const cpuBefore = cpuMs(router.pid);
  const predictions = AWAY_PER_SECOND * AWAY_SAMPLE_S;
  const { failed, latenciesMs } = await predictionLoad(router.url, {
    predictions,
    connections: CONNECTIONS,
    perSecond: AWAY_PER_SECOND,
  });
  const mib = residentMib(router.pid);
  const cpuUs = ((cpuMs(router.pid) - cpuBefore) * 1000) / predictions;
  const [p50, p99] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
  say(
    `${what}: ${mib.toFixed(1)} MiB, CPU ${cpuUs.toFixed(0)} us/prediction, ` +
      `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, failed ${failed}`,
  );
  return { mib, failed };
}

async function delivered(router: RouterProcess): Promise<void> {
  const metric = (state: string): Promise<number> =>
    router.metric('model_canary_router_outcomes_total', `state="${state}"`);
  const beganAtMs = performance.now();
  while ((await metric('sent')) !== (await metric('acknowledged')) + (await metric('dropped'))) {
    if (performance.now() - beganAtMs > 60_000) throw new Error('not everything was delivered within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const seconds = ((performance.now() - beganAtMs) / 1000).toFixed(1);
  const [sent, acknowledged, dropped] = [await metric('sent'), await metric('acknowledged'), await metric('dropped')];
  say(`delivered ${seconds} s after Kafka came back: sent ${sent} = acknowledged ${acknowledged} + dropped ${dropped}`);
}

function isFlat(what: string, samples: readonly number[]): boolean {
  const median = [...samples].sort((a, b) => a - b)[samples.length >> 1]!;
  const worst = Math.max(...samples.map((mib) => Math.abs(mib / median - 1)));
  const flat = worst <= TOLERANCE;
  say(
    `memory ${what}: median ${median.toFixed(1)} MiB, off by ${(worst * 100).toFixed(1)} % at most: ${flat ? 'flat' : 'NOT FLAT'}`,
  );
  return flat;
}

function row(...cells: readonly number[]): void {
  const [predictions, mib, cpuUs, perSecond, failed] = cells as [number, number, number, number, number];
  const columns = [String(predictions), mib.toFixed(1), cpuUs.toFixed(0), perSecond.toFixed(0), String(failed)];
  say([11, 12, 17, 10, 6].map((width, i) => columns[i]!.padStart(width)).join('   '));
}

process.exitCode = (await main()) ? 0 : 1;
