import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { KafkaBus, silentLogger } from '@app/shared';
import { command, spec, verdict, version } from '../../apps/controller/test/builders.js';
import { until, World } from '../../apps/controller/test/controller-fixture.js';
import { commandRecord } from '../../apps/controller/src/ownership/records.js';
import { type ServiceProcess, startServiceProcess } from '../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../deploy/local/guard.js';
import { buildApps } from '../fixtures/build-apps.js';

/** Invariant 6 with real processes: a controller that was stopped and goes on later finds that its word counts no more. */
const STOPPED_MS = 33_000;
const guard = new Guard();
const brokers = inject('sharedKafka');
let world: World;
let canary: Server;

beforeAll(async () => {
  buildApps(['controller']);
  canary = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  canary.close();
  await world.close();
  await guard.end();
});

test('a controller that was stopped for 33 s and resumes writes nothing, and takes part again', async () => {
  const prefix = `zombie-${randomBytes(4).toString('hex')}.`;
  const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'test', logger: silentLogger });
  world = await World.create(bus, prefix);
  const folder = mkdtempSync(join(tmpdir(), 'model-canary-'));
  guard.watch('folder', folder);
  const start = (name: string): Promise<ServiceProcess> =>
    startServiceProcess({
      name,
      main: new URL('../../dist/services/controller/main.js', import.meta.url),
      env: { KAFKA_BROKERS: brokers, TOPIC_PREFIX: prefix, INSTANCE: name },
      logFile: join(folder, `${name}.log`),
      guard,
    });
  const metric = async (service: ServiceProcess, name: string): Promise<number> => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
      (n, m) => n + Number(m[1]),
      0,
    );
  };
  const old = await start('old');
  await until(async () => (await metric(old, 'model_canary_controller_owned_partitions')) === 2, 30_000);
  const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
  const applied = spec({ canary: version('v2', url) });
  await world.send(commandRecord(world.topics, command('apply', { spec: applied })));
  await until(async () => (await metric(old, 'model_canary_decisions_total')) === 2, 30_000);

  old.signal('SIGSTOP');
  const stoppedAt = performance.now();
  const next = await start('next');
  const judge = (result: 'continue' | 'pass') => world.publish(verdict(world.state(), result, { asOf: Date.now() }));
  // Fresh verdicts all the time: only one who slept through them can believe that the evaluator is silent.
  const judging = setInterval(() => void judge('continue'), 1000);
  await until(async () => (await metric(next, 'model_canary_controller_owned_partitions')) === 2, 30_000);
  await judge('pass');
  await until(() => world.actions().at(-1) === 'weight-changed', 30_000);
  await until(() => performance.now() - stoppedAt > STOPPED_MS, 60_000);

  old.signal('SIGCONT');
  const shared = async (): Promise<number[]> =>
    Promise.all([old, next].map((service) => metric(service, 'model_canary_controller_owned_partitions')));
  await until(async () => (await shared()).every((owned) => owned === 1), 30_000);
  await judge('pass');
  await until(() => world.decisions.length === 4, 30_000);
  clearInterval(judging);
  expect(world.decisions.map((d) => [d.sequence, d.action, d.to['v2']])).toEqual([
    [1, 'registered', 0],
    [2, 'started', 0.1],
    [3, 'weight-changed', 0.5],
    [4, 'weight-changed', 1],
  ]);
  expect(await Promise.all([old.stop(), next.stop()])).toEqual([0, 0]);
});
