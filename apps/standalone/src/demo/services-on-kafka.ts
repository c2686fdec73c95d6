import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopicsFor, KafkaBus, silentLogger, topicNames } from '@app/shared';
import { Guard } from '../../../../deploy/local/guard.js';
import { startLocalStack } from '../../../../deploy/local/local-stack.js';
import { SERVICE_FLAGS } from '../../../../deploy/local/service-flags.js';
import type { Services } from './demo.js';
import { type ServiceProcess, startServiceProcess } from './service-process.js';

const APPS = ['router', 'evaluator', 'controller'] as const;

/** Router, evaluator and controller as processes of their own, on a real Kafka and Redis. */
export async function startServicesOnKafka(say: (line: string) => void): Promise<Services> {
  await using started = new AsyncDisposableStack();
  const stack = await startLocalStack({ log: say });
  started.defer(() => stack.stop());
  // A prefix of its own, so that a Kafka that is somebody's keeps its topics and an earlier demo's do not matter.
  const prefix = `demo-${randomBytes(4).toString('hex')}.`;
  const kafka = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'demo', logger: silentLogger });
  await createTopicsFor(kafka, topicNames(prefix), { dataPartitions: 4, controlPartitions: 4 });
  await kafka.close();

  const folder = mkdtempSync(join(tmpdir(), 'model-canary-demo-'));
  const guard = new Guard();
  guard.watch('folder', folder);
  started.defer(() => guard.end());
  const env = {
    KAFKA_BROKERS: stack.kafkaBrokers,
    REDIS_URL: stack.redisUrl,
    REDIS_PREFIX: prefix,
    TOPIC_PREFIX: prefix,
    PREDICTION_ID_KEYS: `0:${randomBytes(32).toString('base64')}`,
  };
  const running = await Promise.all(APPS.map((app) => startApp(app, { env, folder, guard })));
  started.defer(async () => void (await Promise.all(running.map((service) => service.stop()))));
  const [router, , controller] = running as [ServiceProcess, ServiceProcess, ServiceProcess];
  for (const [i, app] of APPS.entries()) say(`The ${app} is process ${running[i]!.pid}.`);
  const everything = started.move();
  return { routerUrl: router.url, controllerUrl: controller.url, close: () => everything.disposeAsync() };
}

function startApp(
  app: (typeof APPS)[number],
  { env, folder, guard }: { env: Record<string, string>; folder: string; guard: Guard },
): Promise<ServiceProcess> {
  const dataFolder = join(folder, app);
  mkdirSync(dataFolder);
  return startServiceProcess({
    name: app,
    main: new URL(`../../../../services/${app}/main.js`, import.meta.url),
    env: { ...env, ROUTER_DATA_DIR: dataFolder },
    nodeFlags: SERVICE_FLAGS[app],
    logFile: join(folder, `${app}.log`),
    guard,
  });
}
