import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type LocalStack, startLocalStack } from '../../../deploy/local/local-stack.js';
import { freePort } from '../../../deploy/local/ports.js';
import { readmeFile } from './readme-commands.js';
import { type Ran, Shell, type Started } from './shell.js';

const ROOT = new URL('../../../', import.meta.url).pathname;
const PATIENCE = { timeout: 180_000, interval: 100 };
const INPUT = '{"inputs":[{"name":"number","shape":[1],"datatype":"INT64","data":[17]}]}';

/** Runs the README's commands in its order, with ports and addresses of this machine in the place of those it names. */
export class ReadmeStory {
  private readonly folder = mkdtempSync(join(tmpdir(), 'readme-'));
  private readonly shell: Shell;
  private readonly ports = new Map<string, number>();
  private stack: LocalStack | null = null;
  private predictionId = '';

  constructor() {
    const path = [join(this.folder, 'prefix', 'bin'), dirname(process.execPath), process.env['PATH']].join(':');
    this.shell = new Shell(ROOT, {
      ...process.env,
      PATH: path,
      npm_config_prefix: join(this.folder, 'prefix'),
      NO_COLOR: '1',
    });
  }

  async close(): Promise<void> {
    await this.shell.close();
    await this.stack?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Until the first canary is rolled back, and then Ctrl-C: the whole takes minutes. */
  async demo(line: string): Promise<void> {
    const demo = this.shell.start(line);
    await expect.poll(() => demo.out, PATIENCE).toMatch(/rolled back: .*(accuracy|errors)/);
    demo.signal('SIGINT');
    expect((await demo.end()).code).not.toBeNull();
  }

  async standalone(line: string): Promise<void> {
    for (const name of ['ROUTER', 'CONTROLLER', 'EVALUATOR'])
      this.shell.env[`${name}_PORT`] = String(await this.port(name));
    this.shell.env['CANARY_SERVER'] = `http://127.0.0.1:${this.ports.get('CONTROLLER')}`;
    await this.ready(this.shell.start(inFront(line)), 'CONTROLLER', 'ROUTER');
  }

  async modelServer(line: string): Promise<void> {
    const [, port] = /--port (\d+)/.exec(line)!;
    const server = this.shell.start(inFront(line).replace(port!, String(await this.port(port!))));
    await expect.poll(() => server.out, PATIENCE).toContain('listening');
  }

  users(line: string): void {
    const [router, controller] = ['ROUTER', 'CONTROLLER'].map((name) => `http://127.0.0.1:${this.ports.get(name)}`);
    this.shell.start(`${inFront(line)} --router ${router} --controller ${controller}`);
  }

  /** With the file copied, where it names ports. */
  async applyExample(line: string): Promise<void> {
    const [, file] = /-f (\S+)/.exec(line)!;
    const copy = join(this.folder, file!.replaceAll('/', '-'));
    const text = readFileSync(join(ROOT, file!), 'utf8');
    writeFileSync(
      copy,
      text.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${this.ports.get(port)}`),
    );
    await this.succeeds(line.replace(file!, copy));
  }

  /** Until it has shown that the canary gets its share, and then Ctrl-C; what ran so far ends with it. */
  async watch(line: string): Promise<void> {
    const watch = this.shell.start(line);
    await expect.poll(() => watch.out, PATIENCE).toMatch(/WEIGHT +v2 set 10/);
    watch.signal('SIGINT');
    await watch.end();
    await this.shell.close();
  }

  async install(line: string): Promise<void> {
    await this.succeeds(line);
    expect((await this.succeeds('canaryctl --version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const name of ['ROUTER_PORT', 'CONTROLLER_PORT', 'EVALUATOR_PORT', 'CANARY_SERVER'])
      delete this.shell.env[name];
  }

  async exportKafka(line: string): Promise<void> {
    this.stack ??= await startLocalStack();
    this.shell.export(this.here(line));
  }

  exportController(line: string): void {
    this.shell.export(this.here(line));
  }

  async createTopics(line: string): Promise<void> {
    // One broker keeps one copy.
    await this.succeeds(line.replace('--replication-factor 3', '--replication-factor 1'));
  }

  async secrets(line: string): Promise<void> {
    await this.succeeds(this.here(line));
  }

  async service(line: string): Promise<void> {
    const [, name] = /start:(\w+)/.exec(line)!;
    const key = name!.toUpperCase();
    const port = await this.port(key);
    this.shell.env['ROUTER_DATA_DIR'] = join(this.folder, 'router');
    const here = this.here(line).replaceAll(/HTTP_HOST=\S+ |HTTP_PORT=\S+ /g, '');
    await this.ready(this.shell.start(`HTTP_PORT=${port} ${here}`), key);
  }

  async register(line: string): Promise<void> {
    for (const [version, wrong] of [
      ['9001', '0.1'],
      ['9002', '0.02'],
    ] as const)
      await this.modelServer(`node examples/model-server.mjs --port ${version} --wrong ${wrong} &`);
    writeFileSync(join(this.folder, 'register.yaml'), this.withModels(readmeFile('register.yaml')));
    await this.succeeds(this.here(line));
  }

  async predict(line: string): Promise<void> {
    const here = this.here(line).replace('{"inputs":[...]}', INPUT);
    // curl's meter goes to the other stream, and may come first.
    await expect.poll(async () => (await this.shell.run(here)).out, PATIENCE).toMatch(/^HTTP\/1\.1 200 OK/m);
    const { out } = await this.shell.run(here);
    expect(out).toMatch(/^x-model-version: v1/m);
    this.predictionId = /^x-prediction-id: (\S+)/m.exec(out)![1]!;
  }

  async sendLabels(line: string): Promise<void> {
    appendFileSync(
      join(this.folder, 'labels.jsonl'),
      `${JSON.stringify({ predictionId: this.predictionId, label: 7 })}\n`,
    );
    expect((await this.succeeds(this.here(line))).out).toContain('1 labels sent');
  }

  async lint(line: string): Promise<void> {
    writeFileSync(join(this.folder, 'rollout.yaml'), this.withModels(readmeFile('rollout.yaml')));
    expect((await this.succeeds(this.here(line))).out).toMatch(/rollout.yaml: right, 3 steps/);
  }

  async apply(line: string): Promise<void> {
    expect((await this.succeeds(this.here(line))).out).toContain('digits-1 begins as soon as v2 is ready');
    await expect
      .poll(async () => (await this.shell.run('canaryctl get digits')).out, PATIENCE)
      .toContain('Progressing');
    // It is aborted soon, and what the evaluator thought of it replayed: on a busy machine that takes a moment.
    await expect
      .poll(async () => (await this.shell.run('canaryctl explain digits')).out, PATIENCE)
      .not.toMatch(/There is no verdict yet|^$/);
  }

  /** Somebody ends it meanwhile: the exit code says so. */
  async status(line: string): Promise<void> {
    const waiting = this.shell.start(line);
    await this.succeeds('canaryctl abort digits --reason "seen enough"');
    expect(await waiting.end()).toMatchObject({ code: 2, out: expect.stringContaining('seen enough') as string });
  }

  async replay(line: string): Promise<void> {
    const stricter = this.withModels(readmeFile('rollout.yaml')).replace('maxDrop: 0.02', 'maxDrop: 0.01');
    writeFileSync(join(this.folder, 'stricter.yaml'), stricter);
    const { code, out } = await this.shell.run(this.here(line));
    expect(code, out).toBe(0);
    expect(out).toMatch(/digits: \d+ verdicts? in \d+ cuts?/);
  }

  async exportRecords(line: string): Promise<void> {
    await this.succeeds(this.here(line));
    expect(readFileSync(join(this.folder, 'records.jsonl'), 'utf8').split('\n').length).toBeGreaterThan(5);
  }

  private async succeeds(line: string): Promise<Ran> {
    const ran = await this.shell.run(line);
    expect(ran.code, `${line}\n${ran.out}`).toBe(0);
    return ran;
  }

  /** The line with files, addresses and the prefix of this run. */
  private here(line: string): string {
    const url = (name: string): string => `127.0.0.1:${this.ports.get(name)}`;
    return line
      .replaceAll(/kafka-1:9092(,kafka-2:9092)?/g, this.stack?.kafkaBrokers ?? '')
      .replaceAll('redis://redis:6379', this.stack?.redisUrl ?? '')
      .replaceAll('TOPIC_PREFIX=ml.', `TOPIC_PREFIX=${this.prefix}`)
      .replaceAll('controller:8080', url('CONTROLLER'))
      .replaceAll('router:8081', url('ROUTER'))
      .replaceAll(
        /(?<![\w/])(prediction-id-keys|controller-token|register\.yaml|rollout\.yaml|stricter\.yaml|labels\.jsonl|records\.jsonl)/g,
        `${this.folder}/$1`,
      );
  }

  private readonly prefix = `readme-${Date.now()}.`;

  private withModels(file: string): string {
    return file
      .replaceAll('digits-v1.models:9001', `127.0.0.1:${this.ports.get('9001')}`)
      .replaceAll('digits-v2.models:9001', `127.0.0.1:${this.ports.get('9002')}`);
  }

  private async port(name: string): Promise<number> {
    const port = await freePort();
    this.ports.set(name, port);
    return port;
  }

  private async ready(service: Started, ...names: string[]): Promise<void> {
    const statuses = () =>
      Promise.all(
        names.map(async (name) => {
          if (service.isOver) throw new Error(`${service.line} has ended:\n${service.out}`);
          const url = `http://127.0.0.1:${this.ports.get(name)}/health/ready`;
          return fetch(url).then(
            ({ status }) => status,
            () => 0,
          );
        }),
      );
    await expect.poll(statuses, PATIENCE).toEqual(names.map(() => 200));
  }
}

/** Without the `&` at its end: the shell here waits for nobody. */
const inFront = (line: string): string => line.replace(/ &$/, '');

type Step = (story: ReadmeStory, line: string) => unknown;

/** Who runs which command of the README: the story itself, or what is named. One that is not listed fails the specs. */
export const STEPS: readonly (readonly [pattern: RegExp, run: Step | { readonly runBy: string }])[] = [
  [/^npm run demo$/, (story, line) => story.demo(line)],
  [/^npm test$/, { runBy: '.ci/run' }],
  [/^npm run build$/, { runBy: 'test/e2e/driver/build-services.ts' }],
  [/^npm run start:standalone &$/, (story, line) => story.standalone(line)],
  [/^node examples\/model-server\.mjs .*&$/, (story, line) => story.modelServer(line)],
  [/^node examples\/users\.mjs &$/, (story, line) => story.users(line)],
  [/^npm run canaryctl -- apply -f examples\/\S+$/, (story, line) => story.applyExample(line)],
  [/^npm run canaryctl -- get digits -w$/, (story, line) => story.watch(line)],
  [/^npm run pack:cli && npm install --global \.\/dist\/canaryctl-\*\.tgz$/, (story, line) => story.install(line)],
  [/^export KAFKA_BROKERS=/, (story, line) => story.exportKafka(line)],
  [/^export CANARY_SERVER=/, (story, line) => story.exportController(line)],
  [/^canaryctl topics create /, (story, line) => story.createTopics(line)],
  [/^(printf|openssl) .*> \S+$/, (story, line) => story.secrets(line)],
  [/npm run start:(router|evaluator|controller)$/, (story, line) => story.service(line)],
  [/^canaryctl apply -f register\.yaml$/, (story, line) => story.register(line)],
  [/^curl /, (story, line) => story.predict(line)],
  [/^canaryctl labels send /, (story, line) => story.sendLabels(line)],
  [/^canaryctl lint -f rollout\.yaml /, (story, line) => story.lint(line)],
  [/^canaryctl apply -f rollout\.yaml$/, (story, line) => story.apply(line)],
  [/^canaryctl status digits --wait$/, (story, line) => story.status(line)],
  [/^canaryctl replay /, (story, line) => story.replay(line)],
  [/^canaryctl export digits /, (story, line) => story.exportRecords(line)],
];
