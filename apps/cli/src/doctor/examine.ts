import {
  type BusRecord,
  checkTopics,
  cloudEventData,
  configuredTopics,
  type Cut,
  cutCodec,
  loadConfig,
  type MessageBus,
  ServiceConfig,
  type TopicNames,
  VERSION,
} from '@app/shared';
import { ApiClient } from '../api-client.js';
import { CliError } from '../cli-error.js';
import type { Terminal } from '../terminal.js';
import {
  clockFinding,
  type CoverageFacts,
  coverageFindings,
  failed,
  type Finding,
  lagFindings,
  notAsked,
  ok,
  redisFindings,
  warning,
} from './findings.js';

const WITHIN_MS = 15_000;
const CONTROLLER_CLOCK_WITHIN_MS = 5_000;
/** Between two cuts of an owner stand the verdicts of its models. */
const VERDICTS_READ_BACK = 2_000;
const NODE_MAJOR_MIN = 24;

/** Looks at everything that the environment names, each part whatever became of the others. */
export async function examine(terminal: Terminal, server: string | undefined): Promise<Finding[]> {
  const parts = await Promise.all([controllerFindings(terminal, server), kafkaFindings(terminal), redisPart(terminal)]);
  return [nodeFinding(terminal), ...parts.flat()];
}

function nodeFinding({ nodeVersion }: Terminal): Finding {
  const text = `canaryctl ${VERSION} on Node ${nodeVersion}`;
  if (Number(nodeVersion.split('.')[0]) >= NODE_MAJOR_MIN) return ok('versions', text);
  return warning('versions', text, `run it on Node ${NODE_MAJOR_MIN} or newer`);
}

async function controllerFindings(terminal: Terminal, server: string | undefined): Promise<Finding[]> {
  const api = new ApiClient(terminal, server);
  const findings: Finding[] = [];
  try {
    const me = await api.call((http) => http.GET('/api/v1/me'));
    findings.push(ok('controller', `${api.origin} answers; this is ${me.name} with the role ${me.role}`));
    findings.push(...(await controllerState(terminal, api)));
    findings.push(...coverageFindings(await coverageFacts(api)));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    findings.push(failed('controller', error.message, REMEDIES[error.code] ?? 'see what the controller logs'));
  }
  return findings;
}

const REMEDIES: Readonly<Record<string, string>> = {
  unreachable: 'start the controller, or name its address in CANARY_SERVER or --server',
  'not-allowed': 'set CANARY_TOKEN or CANARY_TOKEN_FILE to a token of its list',
  'not-the-api': 'name the address of the controller in CANARY_SERVER or --server',
};

async function controllerState(terminal: Terminal, api: ApiClient): Promise<Finding[]> {
  const startedMs = terminal.clock.nowMs();
  const signal = AbortSignal.timeout(CONTROLLER_CLOCK_WITHIN_MS);
  const ready = await terminal.fetch(new Request(`${api.base}/health/ready`, { signal }));
  const halfwayMs = (startedMs + terminal.clock.nowMs()) / 2;
  const { reasons = [] } = (await ready.json()) as { reasons?: string[] };
  const findings = [
    ready.ok
      ? ok('controller-ready', 'the controller is ready')
      : failed('controller-ready', `the controller is not ready: ${reasons.join('; ')}`, 'see to what it names'),
  ];
  const date = Date.parse(ready.headers.get('date') ?? '');
  // The header is cut to whole seconds: half of one is right in the mean.
  if (!Number.isNaN(date)) findings.push(clockFinding('controller', date + 500 - halfwayMs));
  const metrics = await (await terminal.fetch(new Request(`${api.base}/metrics`, { signal }))).text();
  const version = /model_canary_build_info\{[^}]*version="([^"]+)"/.exec(metrics)?.[1];
  if (version !== undefined)
    findings.push(
      version === VERSION
        ? ok('controller-version', `the controller is version ${version}, as this`)
        : warning(
            'controller-version',
            `the controller is version ${version}, this is ${VERSION}`,
            'use the canaryctl of the same release',
          ),
    );
  return findings;
}

/** Of every model whose open rollout waits for accuracy, over the last quarter of an hour. */
async function coverageFacts(api: ApiClient): Promise<CoverageFacts[]> {
  const { models } = await api.call((http) => http.GET('/api/v1/models'));
  const waiting = models.filter(({ state: { rollout } }) => {
    const open = rollout?.status === 'progressing' || rollout?.status === 'paused';
    return open && rollout.spec.checks.accuracy !== undefined;
  });
  const facts: CoverageFacts[] = [];
  for (const { state } of waiting) {
    const params = { path: { model: state.model }, query: { resolution: '1m' } } as const;
    const windows = await api
      .call((http) => http.GET('/api/v1/models/{model}/windows', { params }))
      .catch((error: unknown) => {
        if (error instanceof CliError) return null; // no window store: the controller says so itself
        throw error;
      });
    for (const version of Object.keys(state.weights)) {
      const figures = windows?.windows.flatMap(({ versions }) => versions[version] ?? []) ?? [];
      const sum = (key: 'routed' | 'labelled'): number => figures.reduce((total, f) => total + f[key], 0);
      if (figures.length > 0)
        facts.push({ model: state.model, version, routed: sum('routed'), labelled: sum('labelled') });
    }
  }
  return facts;
}

async function kafkaFindings(terminal: Terminal): Promise<Finding[]> {
  if (!terminal.env['KAFKA_BROKERS'])
    return [
      notAsked(
        'kafka',
        'Kafka was not asked',
        'set KAFKA_BROKERS (and TOPIC_PREFIX, KAFKA_SSL ...) as for the services',
      ),
    ];
  const config = loadConfig(ServiceConfig, terminal.env);
  const brokers = await Promise.all(config.KAFKA_BROKERS.split(',').map((broker) => brokerFinding(terminal, broker)));
  if (brokers.every(({ status }) => status === 'failed')) return brokers;
  const bus = terminal.connectBus();
  try {
    return [...brokers, ...(await withinTime(topicFindings(terminal, bus, configuredTopics(config))))];
  } catch (error) {
    const why = (error as Error).message;
    return [
      ...brokers,
      failed('kafka', `Kafka cannot be used: ${why}`, 'look at KAFKA_SSL, KAFKA_SASL_* and its ACLs'),
    ];
  } finally {
    await bus.close();
  }
}

async function brokerFinding(terminal: Terminal, broker: string): Promise<Finding> {
  const [, host, port] = /^(.+):(\d+)$/.exec(broker) ?? [];
  const check = `broker-${broker}`;
  try {
    await terminal.dial(host!, Number(port));
    return ok(check, `${broker} can be reached`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(
      check,
      `${broker} cannot be reached (${code})`,
      'start it, open the network to it, or take it out of KAFKA_BROKERS',
    );
  }
}

async function topicFindings(terminal: Terminal, bus: MessageBus, topics: TopicNames): Promise<Finding[]> {
  try {
    const { dataPartitions, controlPartitions } = await checkTopics(bus, topics);
    const text = `all topics are there and set up as they must be (${dataPartitions.outcome} partitions of outcomes, ${controlPartitions} of models)`;
    return [ok('topics', text), ...lagFindings(await lagFacts(terminal, bus, topics))];
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== 'missing-topic' && code !== 'wrong-topic-setting') throw error;
    return message.split('\n').map((line) => {
      const [text, ...remedy] = line.split('; ');
      return failed('topics', text!, remedy.join('; ') || 'canaryctl topics create');
    });
  }
}

async function lagFacts(terminal: Terminal, bus: MessageBus, topics: TopicNames) {
  const [outcome, label, verdict] = await Promise.all(
    [topics.outcome, topics.label, topics.verdict].map((t) => bus.offsets(t)),
  );
  const cuts = new Map<number, Cut>();
  const starts = new Map(
    verdict!.map(({ partition, low, end }) => [partition, Math.max(low, end - VERDICTS_READ_BACK)]),
  );
  const follower = bus.follower({
    topics: [topics.verdict],
    readCommitted: true,
    start: ({ partition }) => starts.get(partition),
    onBatch: ({ records }) => records.forEach((record) => noteCut(record, cuts)),
  });
  try {
    await follower.caughtUp();
  } finally {
    await follower.close();
  }
  const ends = (ranges: typeof outcome): number[] => {
    const byPartition: number[] = [];
    for (const { partition, end } of ranges ?? []) byPartition[partition] = end;
    return byPartition;
  };
  return {
    nowMs: terminal.clock.nowMs(),
    topics,
    cuts: [...cuts.values()],
    ends: { outcome: ends(outcome), label: ends(label) },
  };
}

function noteCut({ value, headers }: BusRecord, cuts: Map<number, Cut>): void {
  const read = cutCodec.decode(cloudEventData(value, headers ?? {}));
  if (read.ok) cuts.set(read.value.owner, read.value);
}

async function redisPart(terminal: Terminal): Promise<Finding[]> {
  const url = terminal.env['REDIS_URL'];
  if (!url) return [notAsked('redis', 'Redis was not asked', 'set REDIS_URL as for the evaluators')];
  try {
    const startedMs = terminal.clock.nowMs();
    const facts = await withinTime(terminal.redisFacts(url));
    const skewMs = facts.timeMs - (startedMs + terminal.clock.nowMs()) / 2;
    return [ok('redis', 'Redis answers'), ...redisFindings(facts), clockFinding('redis', skewMs)];
  } catch (error) {
    return [failed('redis', `Redis cannot be used: ${(error as Error).message}`, 'start it, or correct REDIS_URL')];
  }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`no answer within ${WITHIN_MS / 1000} s`)), WITHIN_MS);
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
