import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TOPIC_TABLE, TOPICS } from '@app/shared';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ALL, LEAST, STRIMZI } from './values.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const TOOLS = join(ROOT, '.cache', 'helm');
const CHART = join(ROOT, 'deploy', 'helm', 'model-canary');
const KUBERNETES = ['1.27.0', '1.31.0', '1.37.0'];
const folder = mkdtempSync(join(tmpdir(), 'helm-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}
interface Validated {
  validate(): void;
}
type Model = new (data: object) => Validated;

function run(program: string, args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(join(TOOLS, 'bin', program), args, { encoding: 'utf8', input });
  return { status, stdout, stderr };
}

function helm(command: 'template' | 'lint', values: object) {
  const file = join(folder, 'values.yaml');
  writeFileSync(file, JSON.stringify(values));
  const named = command === 'template' ? ['canary', CHART, '--namespace', 'ml'] : [CHART, '--strict'];
  return run('helm', [command, ...named, '--values', file]);
}

function rendered(values: object): { text: string; manifests: Manifest[] } {
  const { status, stdout, stderr } = helm('template', values);
  expect(status, stderr).toBe(0);
  const manifests = parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
  return { text: stdout, manifests };
}

const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  expect(found, `${kind} ${name}`).toBeDefined();
  return found!;
};

const SETS = [
  ['the least', LEAST],
  ['everything', ALL],
  ['Strimzi', STRIMZI],
] as const;

describe.each(SETS)('the chart with %s', (_, values) => {
  test('passes helm lint', () => {
    const { status, stdout } = helm('lint', values);
    expect(status, stdout).toBe(0);
  });

  test.each(KUBERNETES)('is what Kubernetes %s takes, to the last field', (version) => {
    const python = readdirSync(join(TOOLS, 'venv', 'lib'))[0]!;
    const schemas = join(
      TOOLS,
      'venv',
      'lib',
      python,
      'site-packages',
      'kubernetes_validate',
      'kubernetes-json-schema',
    );
    const location = `${schemas}/{{ .NormalizedKubernetesVersion }}-local{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
    const args = [
      '-strict',
      '-summary',
      '-kubernetes-version',
      version,
      '-schema-location',
      location,
      '-skip',
      CUSTOM.join(','),
    ];
    const { status, stdout, stderr } = run('kubeconform', args, rendered(values).text);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/Valid: \d+, Invalid: 0, Errors: 0/);
  });

  test('has custom resources that their operators take', async () => {
    for (const manifest of rendered(values).manifests) {
      const source = MODELS[manifest.kind];
      if (!source) continue;
      const path = createRequire(join(TOOLS, 'package.json')).resolve(source(manifest.apiVersion));
      const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Readonly<Record<string, Model>>;
      const model = new module[manifest.kind]!(manifest);
      expect(() => model.validate(), `${manifest.kind} ${manifest.metadata.name}`).not.toThrow();
    }
  });

  test('labels everything as Kubernetes recommends, each name once', () => {
    const { manifests } = rendered(values);
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind, metadata } of manifests)
      expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({
        'app.kubernetes.io/name': 'model-canary',
        'app.kubernetes.io/instance': 'canary',
        'app.kubernetes.io/part-of': 'model-canary',
        'app.kubernetes.io/managed-by': 'Helm',
      });
  });
});

const CUSTOM = ['ScaledObject', 'ServiceMonitor', 'PrometheusRule', 'KafkaTopic', 'KafkaUser'];
const MODELS: Readonly<Record<string, (apiVersion: string) => string>> = {
  ScaledObject: (version) => `@kubernetes-models/keda/${version}/ScaledObject`,
  ServiceMonitor: (version) => `@kubernetes-models/prometheus-operator/${version}/ServiceMonitor`,
  PrometheusRule: (version) => `@kubernetes-models/prometheus-operator/${version}/PrometheusRule`,
  KafkaTopic: (version) => `@kubernetes-models/strimzi-kafka-operator/${version}/KafkaTopic`,
  KafkaUser: (version) => `@kubernetes-models/strimzi-kafka-operator/${version}/KafkaUser`,
};

describe('what is switched on', () => {
  test('by default: three services with probes and budgets, a job for the topics, and nothing for operators', () => {
    const { manifests } = rendered(LEAST);
    const kinds = manifests.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(
      [
        'Deployment',
        'Deployment',
        'Job',
        'PodDisruptionBudget',
        'PodDisruptionBudget',
        'PodDisruptionBudget',
        'Service',
        'Service',
        'Service',
        'Service',
        'ServiceAccount',
        'StatefulSet',
      ].sort(),
    );
    for (const [kind, component] of [
      ['StatefulSet', 'router'],
      ['Deployment', 'evaluator'],
      ['Deployment', 'controller'],
    ] as const) {
      expect(find(manifests, kind, `canary-model-canary-${component}`).spec).toMatchObject({
        template: {
          spec: {
            terminationGracePeriodSeconds: 20,
            containers: [
              {
                livenessProbe: { httpGet: { path: '/health/live' } },
                readinessProbe: { httpGet: { path: '/health/ready' } },
                securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
              },
            ],
          },
        },
      });
      expect(find(manifests, 'PodDisruptionBudget', `canary-model-canary-${component}`).spec).toMatchObject({
        maxUnavailable: 1,
        selector: { matchLabels: { 'app.kubernetes.io/component': component } },
      });
    }
  });

  test('no secret stands in a manifest, and no variable has one as its value', () => {
    const { text } = rendered(ALL);
    expect(text).not.toMatch(/name: (KAFKA_SASL_PASSWORD|REDIS_URL|PREDICTION_ID_KEYS|CONTROLLER_TOKENS?),/);
    expect(text).not.toMatch(/^kind: Secret$/m);
  });

  test('Strimzi makes every topic as the code has it, under names that Kubernetes takes, and the job is gone', () => {
    const { manifests } = rendered(STRIMZI);
    expect(manifests.some(({ kind }) => kind === 'Job')).toBe(false);
    const topics = manifests
      .filter(({ kind }) => kind === 'KafkaTopic')
      .map(({ spec }) => spec as { topicName: string; config: object });
    expect(topics.map(({ topicName }) => topicName).sort()).toEqual(
      TOPICS.map((role) => `ML.${TOPIC_TABLE[role].defaultName}`).sort(),
    );
    const outcome = topics.find(({ topicName }) => topicName.endsWith('prediction-outcome'));
    expect(outcome).toMatchObject({ config: { 'message.timestamp.type': 'LogAppendTime', 'min.insync.replicas': 2 } });
    for (const { kind, metadata } of manifests) expect(metadata.name, kind).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
    const controller = find(manifests, 'KafkaUser', 'canary-model-canary-controller').spec as {
      authorization: { acls: unknown[] };
    };
    expect(controller.authorization.acls).toContainEqual({
      resource: { type: 'transactionalId', name: 'ML.controller-', patternType: 'prefix' },
      operations: ['Write', 'Describe'],
    });
  });

  test('KEDA has the replicas of evaluators to itself', () => {
    const { spec } = find(rendered(ALL).manifests, 'Deployment', 'canary-model-canary-evaluator');
    expect(spec).not.toHaveProperty('replicas');
  });

  test('wrong values are refused before anything is rendered', () => {
    for (const [values, why] of [
      [{}, 'brokers'],
      [{ ...LEAST, router: { replica: 3 } }, 'replica'],
    ] as const) {
      const { status, stderr } = helm('template', values);
      expect(status).not.toBe(0);
      expect(stderr).toContain(why);
    }
  });
});
