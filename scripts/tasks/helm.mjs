import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, bin, runTool } from './processes.mjs';
import { say } from './say.mjs';

/** What judges the chart, each pinned; too much to be installed for everybody. */
const TOOLS = join(ROOT, '.cache', 'helm');
const GO_PROGRAMS = ['helm.sh/helm/v3/cmd/helm@v3.19.0', 'github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0'];
/** Schemas of Kubernetes' own resources, in the form that kubeconform reads. */
const SCHEMAS = 'kubernetes-validate==1.37.0';
/** Validators of custom resources. */
const MODELS = [
  '@kubernetes-models/keda@2.0.0',
  '@kubernetes-models/prometheus-operator@6.0.0',
  '@kubernetes-models/strimzi-kafka-operator@1.0.1',
];
const WANTED = JSON.stringify([GO_PROGRAMS, SCHEMAS, MODELS]);
const INSTALLED = join(TOOLS, 'installed.json');

/** Builds what is missing (helm takes some minutes) and tests the chart. Resolves with whether all passed. */
export async function testHelm(args) {
  if (!existsSync(INSTALLED) || readFileSync(INSTALLED, 'utf8') !== WANTED) {
    say('Building helm and kubeconform and fetching schemas (some minutes, only this first time) ...');
    mkdirSync(TOOLS, { recursive: true });
    const env = { ...process.env, GOBIN: join(TOOLS, 'bin'), GOFLAGS: '' };
    const steps = [
      ...GO_PROGRAMS.map((program) => ['go', ['install', program], { env, cwd: TOOLS }]),
      ['python3', ['-m', 'venv', join(TOOLS, 'venv')]],
      [join(TOOLS, 'venv', 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', SCHEMAS]],
      ['npm', ['install', '--prefix', TOOLS, '--no-save', '--ignore-scripts', '--no-audit', ...MODELS], { cwd: TOOLS }],
    ];
    for (const [program, given, options] of steps) {
      const { status, error } = spawnSync(program, given, { stdio: ['ignore', 2, 2], ...options });
      if (status === 0) continue;
      say(
        `The chart cannot be tested: that needs go, python3 with venv, npm and their registries (${program} failed${error ? `: ${error.message}` : ''}).`,
      );
      return false;
    }
    writeFileSync(INSTALLED, WANTED);
  }
  const config = ['--config', 'vitest.helm.config.ts'];
  return (await runTool(bin('vitest'), ['run', ...config, ...args], { show: true })).code === 0;
}
