import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  configuredKafka,
  createRedis,
  createTopicsFor,
  KafkaBus,
  deadLetterCodec,
  labelCodec,
  loadConfig,
  PredictionIdSealer,
  ServiceConfig,
  silentLogger,
  verdictCodec,
} from '@app/shared';
import { type ServiceProcess, startServiceProcess } from '../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../deploy/local/guard.js';
import { ModelServerFake } from '../e2e/driver/model-server-fake.js';
import { readTopic as readDecoded } from '../e2e/driver/topic-reader.js';
import { buildApps } from '../fixtures/build-apps.js';
import { CertificateAuthority } from '../fixtures/certificates.js';
import { SecureWorld, type SecureUser } from '../fixtures/secure-world.js';

/** Real brokers, a real Redis and real services that trust each other no more than they must. */
const CONTROL_PARTITIONS = 2;
const WAIT = { timeout: 45_000, interval: 50 };
const MECHANISMS = { router: 'scram-sha-512', evaluator: 'scram-sha-256', controller: 'plain' } as const;
let world: SecureWorld;
let guard: Guard;

beforeAll(async () => {
  guard = new Guard();
  const starting = SecureWorld.start();
  buildApps(['router', 'evaluator', 'controller']);
  world = await starting;
  await world.grant('canaryctl', 'canaryctl topics');
  for (const service of ['router', 'evaluator', 'controller'] as const) await world.grant(service, service);
});
afterAll(async () => {
  await world?.stop();
  await guard?.end();
});

/** What a service needs to know of Kafka; secrets in files. */
function kafkaEnv(user: SecureUser, password = world.passwords[user]): Record<string, string> {
  return {
    KAFKA_BROKERS: world.listener('LOGIN'),
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA_FILE: world.authority.certFile,
    KAFKA_SASL_MECHANISM: MECHANISMS[user],
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD_FILE: world.file(`${user}-password`, password),
    TOPIC_PREFIX: 'ml.',
    INSTANCE: 'one',
    LOG_LEVEL: 'debug',
  };
}

const redisEnv = (user: 'evaluator' | 'controller'): Record<string, string> => ({
  REDIS_URL_FILE: world.file(
    `${user}-redis`,
    world.redisUrl.replace('://', `://${user}:${world.redisPasswords[user]}@`),
  ),
  REDIS_SSL_CA_FILE: world.authority.certFile,
});

/** A bus of one's own with an environment; groups in which something is read alone are named after who reads. */
function busWith(env: Record<string, string>, logger = silentLogger, who = 'canaryctl'): KafkaBus {
  return new KafkaBus(configuredKafka(loadConfig(ServiceConfig, env), logger, who));
}

const logOf = (name: string): string => join(world.folder, `${name}.log`);

function start(app: SecureUser, env: Record<string, string>, name: string = app): Promise<ServiceProcess> {
  appendFileSync(logOf(name), '');
  return startServiceProcess({
    name: app,
    main: pathToFileURL(join(process.cwd(), `dist/services/${app}/main.js`)),
    env,
    logFile: logOf(name),
    guard,
  });
}

/** Every line of PEM counts as a secret of its own. */
const pemLines = (pem: string): string[] => pem.split('\n').filter((line) => line.length > 40 && !line.includes('---'));

describe('services with the permissions of the README, each with a login of another kind', () => {
  const oldKey = { number: 1, secret: Buffer.alloc(32, 1) };
  const keyText = ({ number, secret }: typeof oldKey): string => `${number}:${secret.toString('base64')}`;
  const newKey = { number: 2, secret: Buffer.alloc(32, 2) };
  const lostKey = { number: 3, secret: Buffer.alloc(32, 3) };
  const services: Partial<Record<SecureUser, ServiceProcess>> = {};
  let token: string;
  let v1: ModelServerFake;
  let v2: ModelServerFake;

  const api = async (path: string, body?: object, type = 'application/json'): Promise<unknown> => {
    const response = await fetch(`${services.controller!.url}/api/v1/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': type } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };

  beforeAll(async () => {
    [v1, v2] = [await new ModelServerFake(1).start(), await new ModelServerFake(2).start()];
    world.secrets.push(oldKey.secret.toString('base64'), newKey.secret.toString('base64'));
    token = world.secret();
    const client = world.authority.issue('canaryctl');
    world.secrets.push(...pemLines(client.key));
    const mutual = {
      KAFKA_BROKERS: world.listener('MUTUAL'),
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA: world.authority.cert,
      KAFKA_SSL_CERT: client.cert,
      KAFKA_SSL_KEY: client.key,
    };
    const bus = busWith(mutual);
    await createTopicsFor(bus, world.topics, { dataPartitions: 2, controlPartitions: CONTROL_PARTITIONS });
    await bus.close();
    const upstream = JSON.stringify({ '*': { authorization: `Bearer ${world.secret()}` } });
    [services.router, services.evaluator, services.controller] = await Promise.all([
      start('router', {
        ...kafkaEnv('router'),
        PREDICTION_ID_KEYS_FILE: world.file('router-keys', keyText(oldKey)),
        ROUTER_UPSTREAM_HEADERS_FILE: world.file('upstream', upstream),
        ROUTER_DATA_DIR: join(world.folder, 'router-data'),
      }),
      // One step further in the rotation than the router: the new key is the first here already.
      start('evaluator', {
        ...kafkaEnv('evaluator'),
        ...redisEnv('evaluator'),
        PREDICTION_ID_KEYS_FILE: world.file('evaluator-keys', `${keyText(newKey)},${keyText(oldKey)}`),
      }),
      start('controller', {
        ...kafkaEnv('controller'),
        ...redisEnv('controller'),
        CONTROLLER_TOKEN_FILE: world.file('token', token),
      }),
    ]);
    // Before, nobody answers orders; a new broker makes the topics of its groups and transactions first.
    const ownsAll = async (): Promise<void> => {
      const metrics = await (await fetch(`${services.controller!.url}/metrics`)).text();
      expect(metrics).toContain(`\nmodel_canary_controller_owned_partitions ${CONTROL_PARTITIONS}\n`);
    };
    await vi.waitFor(ownsAll, WAIT);
  });
  afterAll(async () => {
    await Promise.all([v1, v2].map((server) => server?.stop()));
    await Promise.all(Object.values(services).map((service) => service.stop()));
  });

  it('work together: traffic, labels of ids under an older key, a verdict on them, a decision', async () => {
    const model = {
      model: 'm',
      stable: { version: 'v1', url: v1.url },
      prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
    };
    await api('rollouts', model, 'text/yaml');
    const rollout = {
      ...model,
      canary: { version: 'v2', url: v2.url },
      warmup: { predictions: 0, duration: '0s' },
      steps: [
        { traffic_split: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 100_000, duration: '1h' } },
        { traffic_split: { v1: 0, v2: 1 } },
      ],
      checks: { accuracy: { maxDrop: 0.5, labelsWithin: '1s' }, latency: 'off' },
    };
    await vi.waitFor(() => api('rollouts', rollout, 'text/yaml'), WAIT);
    let sending = true;
    const traffic = (async () => {
      for (let n = 0; sending; n++) {
        const answer = await fetch(`${services.router!.url}/v2/models/m/infer`, {
          method: 'POST',
          headers: { 'x-user-id': `user-${n}`, 'content-type': 'application/json' },
          body: JSON.stringify({ inputs: [{ name: 'truth', data: [n % 10] }] }),
        });
        const predictionId = answer.headers.get('x-prediction-id');
        await answer.arrayBuffer();
        if (predictionId) await api('labels', { predictionId, label: n % 10 });
      }
    })();
    const labelled = async (): Promise<number> => {
      const { windows } = (await api('models/m/windows')) as {
        windows: { versions: Record<string, { labelled: number }> }[];
      };
      return windows.flatMap(({ versions }) => Object.values(versions)).reduce((sum, v) => sum + v.labelled, 0);
    };
    let verdicts = 0;
    const follower = world.admin.follower({
      topics: [world.topics.verdict],
      onBatch: ({ records }) => {
        for (const { value } of records) if (verdictCodec.decode(value).ok) verdicts += 1;
      },
    });
    try {
      await vi.waitFor(async () => expect(await labelled()).toBeGreaterThan(20), WAIT);
      await vi.waitFor(() => expect(verdicts).toBeGreaterThan(0), WAIT);
    } finally {
      sending = false;
      await Promise.all([traffic, follower.close()]);
    }
    await api('models/m/abort', { reason: 'enough was seen' });
    const { decisions } = (await api('models/m/history')) as { decisions: { action: string }[] };
    expect(decisions.at(-1)!.action).toBe('aborted');
  });

  it('has a label whose key nobody has any more among the dead letters', async () => {
    const sealer = new PredictionIdSealer([lostKey]);
    const predictionId = sealer.seal({
      modelHash: 1,
      generation: 1,
      versionIndex: 0,
      arm: 'stable',
      routedAt: Date.now(),
      sinceBucketMs: 0,
      unit: 0,
      segment: 0,
      routerHash: 0,
      counter: 0,
      valueKind: 'class',
      value: 0,
      counted: true,
    });
    const value = labelCodec.encode({ predictionId, label: 3 });
    await world.admin.producer().send([{ topic: world.topics.label, key: predictionId, value }]);
    await vi.waitFor(async () => {
      const letters = await readDecoded(world.admin, world.topics.deadLetter, deadLetterCodec);
      expect(letters.map(({ decoded }) => decoded.cause.code)).toContain('unknown-prediction-id-key');
    }, WAIT);
  });

  it('lack no permission, and tell no secret: not in logs, metrics, descriptions, files of others or the process list', async () => {
    const told = Object.fromEntries(
      (['router', 'evaluator', 'controller'] as const).map((name) => [
        `log of ${name}`,
        readFileSync(logOf(name), 'utf8'),
      ]),
    );
    for (const [name, { url }] of Object.entries(services))
      for (const path of ['metrics', 'health/ready', 'health/live', 'openapi.json', 'nowhere'])
        told[`${name} /${path}`] = await (await fetch(`${url}/${path}`)).text();
    told['the process list'] = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
    for (const [where, text] of Object.entries(told)) {
      expect(text.includes('AUTHORIZATION_FAILED') || text.includes('kafka-forbidden'), where).toBe(false);
      for (const secret of world.secrets) expect(text.includes(secret), `${where} holds a secret`).toBe(false);
    }
    expect(told['log of evaluator']!.length).toBeGreaterThan(500);
  });

  it('are not told apart by luck: without one permission of the table the service says what is missing', async () => {
    const errors: string[] = [];
    const logger = Object.assign(Object.create(silentLogger) as typeof silentLogger, {
      error: (_fields: object, text: string) => errors.push(text),
    });
    const bus = busWith(kafkaEnv('router'), logger);
    const sending = bus.producer().send([{ topic: world.topics.decision, partition: 0, key: 'm', value: 'forged' }]);
    sending.catch(() => undefined);
    await vi.waitFor(() => expect(errors.join()).toMatch(/forbids.*Permissions/), WAIT);
    await expect(bus.describeTopics([world.topics.decision])).resolves.toEqual([]);
    await bus.close();
  });
});

describe('a wrong password or certificate', () => {
  const opened: KafkaBus[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((bus) => bus.close())));
  const tls = (listener: string, more: Record<string, string> = {}): Record<string, string> => ({
    KAFKA_BROKERS: listener,
    KAFKA_SSL: 'true',
    KAFKA_SSL_CA: world.authority.cert,
    ...more,
  });
  const describing = (env: Record<string, string>): Promise<unknown> => {
    const bus = busWith(env);
    opened.push(bus);
    return bus.describeTopics(['x']);
  };

  it.each<[string, string, RegExp, () => Record<string, string>]>([
    ['PLAIN password', 'kafka-login-refused', /KAFKA_SASL_PASSWORD/, () => kafkaEnv('controller', 'wrong')],
    ['SCRAM password', 'kafka-login-refused', /KAFKA_SASL_PASSWORD/, () => kafkaEnv('router', 'wrong')],
    [
      'mechanism',
      'kafka-login-refused',
      /KAFKA_SASL_MECHANISM/,
      () => ({ ...kafkaEnv('router'), KAFKA_BROKERS: world.listener('TLS') }),
    ],
    [
      'authority',
      'kafka-certificate-untrusted',
      /KAFKA_SSL_CA/,
      () => tls(world.listener('TLS'), { KAFKA_SSL_CA: readFileSync(stranger().certFile, 'utf8') }),
    ],
    ['date at the broker', 'kafka-certificate-untrusted', /has expired/, () => tls(world.listener('EXPIRED'))],
    [
      'name at the broker',
      'kafka-certificate-untrusted',
      /other names.*127\.0\.0\.1/,
      () => tls(world.listener('OTHERNAME')),
    ],
    [
      'client certificate: none',
      'kafka-client-certificate-refused',
      /KAFKA_SSL_CERT/,
      () => tls(world.listener('MUTUAL')),
    ],
    [
      'client certificate of others',
      'kafka-client-certificate-refused',
      /KAFKA_SSL_CERT/,
      () => {
        const { cert, key } = stranger().issue('canaryctl');
        return tls(world.listener('MUTUAL'), { KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key });
      },
    ],
    ['port without TLS', 'kafka-unavailable', /does not speak TLS/, () => tls(world.plainListener)],
    ['port with TLS', 'kafka-unavailable', /wants TLS or a login/, () => ({ KAFKA_BROKERS: world.listener('TLS') })],
    ['no login', 'kafka-unavailable', /wants TLS or a login/, () => tls(world.listener('LOGIN'))],
  ])('is an error that says what to do: %s', async (_what, code, text, env) => {
    await expect(describing(env())).rejects.toMatchObject({ code, message: expect.stringMatching(text) as unknown });
  });

  it('of our own that has expired, or is none, is told before anything is tried', () => {
    const { cert, key } = world.authority.issue('canaryctl', { days: -1 });
    const load = () => busWith(tls('nowhere:1', { KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }));
    expect(load).toThrow(/KAFKA_SSL_CERT has expired/);
  });

  it('ends the start of an evaluator with the reason; a router serves on and says it loudly', async () => {
    const wrong = world.secret();
    const evaluator = start(
      'evaluator',
      {
        ...kafkaEnv('evaluator', wrong),
        ...redisEnv('evaluator'),
        PREDICTION_ID_KEYS: `0:${world.secret()}${'x'.repeat(43)}`,
      },
      'refused-evaluator',
    );
    await expect(evaluator).rejects.toThrow(/Kafka refuses the login.*KAFKA_SASL_PASSWORD/s);
    const router = await start(
      'router',
      {
        ...kafkaEnv('router', wrong),
        PREDICTION_ID_KEYS: `0:${'k'.repeat(43)}=`,
        ROUTER_DATA_DIR: join(world.folder, 'refused'),
      },
      'refused-router',
    );
    const log = (): string =>
      existsSync(logOf('refused-router')) ? readFileSync(logOf('refused-router'), 'utf8') : '';
    await vi.waitFor(() => expect(log()).toMatch(/"level":50.*Kafka refuses the login/), WAIT);
    expect((await fetch(`${router.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${router.url}/health/ready`)).status).toBe(503);
    await router.stop();
    expect(log()).not.toContain(wrong);
  });

  it('is put right without a restart when the file of the password changes', async () => {
    const env = kafkaEnv('controller', 'wrong');
    const bus = busWith(env, silentLogger, 'controller');
    opened.push(bus);
    const sent = bus.producer().send([{ topic: world.topics.command, partition: 0, key: 'x', value: 'x' }]);
    const follower = bus.follower({ topics: [world.topics.state], onBatch: () => undefined });
    const following = follower.caughtUp();
    await expect(bus.describeTopics(['x'])).rejects.toMatchObject({ code: 'kafka-login-refused' });
    writeFileSync(env['KAFKA_SASL_PASSWORD_FILE']!, world.passwords.controller);
    await Promise.all([sent, following]);
  });

  it('is told apart in Redis, too, and put right there by the file', async () => {
    const told: string[] = [];
    const logger = Object.assign(Object.create(silentLogger) as typeof silentLogger, {
      error: (...args: unknown[]) => told.push(JSON.stringify(args)),
      warn: (...args: unknown[]) => told.push(JSON.stringify(args)),
    });
    let url = world.redisUrl.replace('://', '://evaluator:wrong-password@');
    const tlsOptions = { ca: world.authority.cert };
    const untrusting = createRedis(url, { logger });
    await vi.waitFor(() => expect(told.join()).toMatch(/REDIS_SSL_CA/), WAIT);
    untrusting.disconnect();
    const redis = createRedis(url, { logger, tls: tlsOptions, currentUrl: () => url });
    await vi.waitFor(() => expect(told.join()).toMatch(/refuses the login.*REDIS_URL/), WAIT);
    url = world.redisUrl.replace('://', `://evaluator:${world.redisPasswords.evaluator}@`);
    await vi.waitFor(async () => expect(await redis.ping()).toBe('PONG'), WAIT);
    await expect(redis.flushall()).rejects.toThrow(/NOPERM/);
    expect(told.join()).not.toContain('wrong-password');
    redis.disconnect();
  });

  const stranger = (() => {
    let made: CertificateAuthority | undefined;
    return () => (made ??= new CertificateAuthority(world.folder, 'stranger'));
  })();
});
