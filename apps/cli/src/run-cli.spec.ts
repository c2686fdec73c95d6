import { type CheckResult, type Decision, ManualClock, MemoryBus, type RolloutState, type Verdict } from '@app/shared';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { Terminal } from './terminal.js';
import { type CliRun, runAtTerminal, wordsOf } from './testing/fake-terminal.js';

const NOW_MS = new Date(2026, 10, 22, 14, 2, 11).getTime();
const ROLLOUT_FILE = `
model: fraud
stable: { version: v1, url: http://a:1 }
canary: { version: v2, url: http://b:2 }
prediction: { pointer: /class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0.5, v2: 0.5 } }
  - { traffic_split: { v1: 0, v2: 1 } }
`;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly authorization: string | null;
  readonly actor: string | null;
}

type Answer = { readonly status?: number; readonly body: unknown } | Error;

/** A controller that answers each path with the next of its answers, the last one for ever. */
class FakeController {
  readonly calls: Call[] = [];
  constructor(private readonly answers: Readonly<Record<string, readonly Answer[]>> = {}) {}

  readonly fetch: Terminal['fetch'] = async (request) => {
    const { method, headers } = request;
    const url = new URL(request.url);
    const text = await request.text();
    const json = headers.get('content-type') === 'application/json';
    const path = url.pathname + url.search;
    this.calls.push({
      method,
      path,
      body: json ? (JSON.parse(text) as unknown) : text,
      authorization: headers.get('authorization'),
      actor: headers.get('x-actor'),
    });
    const seen = this.calls.filter((call) => call.path === path).length;
    const answers = this.answers[`${method} ${path}`] ?? [{ status: 404, body: { title: 'no such path' } }];
    const answer = answers[Math.min(seen, answers.length) - 1]!;
    if (answer instanceof Error) throw answer;
    return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 });
  };
}

async function run(
  command: string,
  controller = new FakeController(),
  change: Partial<Terminal> = {},
): Promise<CliRun> {
  const clock = new ManualClock(NOW_MS);
  return runAtTerminal(wordsOf(command), {
    clock,
    fetch: controller.fetch,
    readFile: async () => ROLLOUT_FILE,
    sleep: async (ms) => clock.advance(ms),
    ...change,
  });
}

const accuracy: CheckResult = {
  check: 'accuracy',
  gating: true,
  stable: { n: 9000, bad: 792, value: 0.912 },
  canary: { n: 9101, bad: 846, value: 0.907 },
  difference: -0.005,
  interval: [-0.011, 0.001],
  limit: -0.01,
  unit: 'fraction',
  evidence: { fail: -0.5, pass: 1.2 },
  result: 'continue',
  predictionsToGo: 3100,
};
const latency: CheckResult = {
  ...accuracy,
  check: 'latency.p99',
  stable: { n: 9000, bad: 90, value: 84 },
  canary: { n: 9101, bad: 95, value: 88 },
  difference: 4,
  interval: [1, 7],
  limit: 20,
  unit: 'ms',
  result: 'pass',
};
const verdict: Verdict = {
  kind: 'verdict',
  schemaVersion: 1,
  verdictId: 'x',
  engineVersion: '1',
  model: 'fraud',
  rollout: 'fraud-1',
  step: 1,
  generation: 2,
  result: 'continue',
  reason: { code: 'continue', text: 'the accuracy interval crosses the limit' },
  checks: [accuracy, latency],
  evidence: { lnE: -0.5, lnLimit: 4.6 },
  asOf: NOW_MS,
  counted: { stable: 9103, canary: 9101 },
  forecast: { predictionsToGo: 6200, minutesToGo: 6 },
  cut: { owner: 0, number: 9, positions: { outcome: [], label: [] } },
};
const decision: Decision = {
  schemaVersion: 1,
  decisionId: 'fraud/3',
  sequence: 3,
  model: 'fraud',
  rollout: 'fraud-1',
  action: 'weight-changed',
  from: { v1: 0.9, v2: 0.1 },
  to: { v1: 0.5, v2: 0.5 },
  generation: 3,
  phase: 'progressing',
  step: 1,
  reason: { code: 'passed', text: 'all checks passed', checks: [{ ...accuracy, result: 'pass' }, latency] },
  cause: { kind: 'verdict', verdictId: 'x' },
  actor: 'system',
  at: NOW_MS - 720_000,
  safeToRemove: [],
};
type Rollout = NonNullable<RolloutState['rollout']>;

interface View {
  readonly state: RolloutState;
  readonly verdict: Verdict;
}

function viewOf(rollout: Partial<Rollout> = {}): View {
  const version = { deadlineMs: 10_000, maxConcurrency: 1024 };
  const urls = { v1: 'http://a:1', v2: 'http://b:2' };
  const traffic = (v2: number) =>
    ({ kind: 'traffic', weights: { v1: 1 - v2, v2 }, atLeast: { predictions: 1000, durationMs: 60_000 } }) as const;
  const spec: Rollout['spec'] = {
    model: 'fraud',
    stable: { version: 'v1', url: urls.v1, ...version },
    canary: { version: 'v2', url: urls.v2, ...version },
    prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
    warmup: { predictions: 200, durationMs: 30_000 },
    steps: [traffic(0.1), traffic(0.5), { kind: 'pause' }, traffic(1)],
    checks: { errorRate: { maxIncrease: 0.01, max: 0.5, strict: false } },
    onInconclusive: 'pause',
    alpha: 0.01,
    beta: 0.05,
  };
  const state: RolloutState = {
    schemaVersion: 1,
    model: 'fraud',
    sequence: 3,
    generation: 3,
    updatedAt: NOW_MS,
    salt: 'fraud-1',
    stable: 'v1',
    canary: 'v2',
    weights: { v1: 0.5, v2: 0.5 },
    versions: { v1: { index: 0, url: urls.v1, ...version }, v2: { index: 1, url: urls.v2, ...version } },
    rollout: {
      rollout: 'fraud-1',
      spec,
      status: 'progressing',
      stable: 'v1',
      canary: 'v2',
      step: 1,
      phases: [],
      startedAt: NOW_MS - 1_000_000,
      stepStartedAt: NOW_MS - 720_000,
      ...rollout,
    },
    rolloutCount: 1,
    versionIndexMax: 1,
    versionIndexes: { v1: 0, v2: 1 },
    decisions: [decision],
    commands: [],
  };
  return { state, verdict };
}

const modelAnswers = (...views: View[]) =>
  new FakeController({ 'GET /api/v1/models/fraud': views.map((body) => ({ body })) });

describe('get', () => {
  it('prints weights set and actual, each check with its interval and limit, and the last decision', async () => {
    const { exit, out } = await run('get fraud', modelAnswers(viewOf()));
    expect(exit).toBe(0);
    expect(out).toBe(
      [
        'NAME       fraud                STATUS  Progressing (step 2/4, 12m)',
        'WEIGHT     v2 set 50 · actual 50 (n=18,204)  NEXT  verdict about 6m',
        'CHECK         stable   canary   difference [95% interval]   LIMIT    n       VERDICT',
        'accuracy      0.912    0.907    -0.5pp [-1.1,+0.1]          -1.0pp   9,101   ? undecided',
        'latency p99   84ms     88ms     +4ms [+1,+7]                +20ms    9,101   pass',
        'LAST       13:50:11 weight changed: all checks passed',
        '',
      ].join('\n'),
    );
  });

  it('tells a person what is awaited from them', async () => {
    const { out } = await run('get fraud', modelAnswers(viewOf({ status: 'paused', step: 2 })));
    expect(out).toMatch(/Paused \(step 3\/4, 12m\)/);
    expect(out).toMatch(/a person: canaryctl promote, resume or abort fraud/);
  });

  it('says that nothing counts yet, instead of a forecast from nothing', async () => {
    const { state } = viewOf();
    const none: CheckResult = {
      ...latency,
      limit: 0,
      stable: null,
      difference: null,
      interval: null,
      result: 'no-data',
    };
    const empty: CheckResult = { ...none, canary: { n: 0, bad: 0, value: null } };
    const forecast = { predictionsToGo: null, minutesToGo: null };
    const early = { ...verdict, checks: [empty], counted: { stable: 0, canary: 0 }, forecast };
    const { out } = await run('get fraud', modelAnswers({ state, verdict: early }));
    expect(out).toMatch(/NEXT {2}the first predictions that count, after the warm-up/);
    expect(out).toMatch(/^latency p99 +- +- +- +- +0 +not compared yet$/m);
  });

  it('gives the rollout file back as YAML, and everything as JSON', async () => {
    const yaml = await run('get fraud -o yaml', modelAnswers(viewOf()));
    expect(parse(yaml.out)).toMatchObject({
      model: 'fraud',
      steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, {}, {}, {}],
    });
    const json = await run('get fraud -o json', modelAnswers(viewOf()));
    expect(JSON.parse(json.out)).toEqual(JSON.parse(JSON.stringify(viewOf())));
  });

  it('watches until the rollout has ended, and prints only what is new', async () => {
    const ended = viewOf({ status: 'promoted' });
    const { out } = await run(
      'get fraud -w',
      modelAnswers(viewOf(), viewOf(), { ...ended, state: { ...ended.state, sequence: 4 } }),
    );
    expect(out.match(/^NAME.*$/gm)).toEqual([
      expect.stringContaining('Progressing'),
      expect.stringContaining('Promoted'),
    ]);
  });
});

describe('status', () => {
  it.each([
    ['promoted', 0],
    ['rolled-back', 2],
    ['aborted', 2],
    ['paused', 3],
    ['progressing', 3],
  ] as const)('%s exits with %d', async (status, exit) => {
    expect((await run('status fraud', modelAnswers(viewOf({ status })))).exit).toBe(exit);
  });

  it('--wait waits for the end', async () => {
    const controller = modelAnswers(viewOf(), viewOf(), viewOf({ status: 'rolled-back' }));
    const { exit, out } = await run('status fraud --wait', controller);
    expect([exit, controller.calls.length]).toEqual([2, 3]);
    expect(out).toMatch(/^fraud: Rolled back \(v2 at step 2\/4\): all checks passed\n$/);
  });

  it('--wait stops where a person is waited for, but not at a pause that ends by itself', async () => {
    const byItself = viewOf({
      status: 'paused',
      pause: { code: 'step', text: '', since: NOW_MS, until: NOW_MS + 1000 },
    });
    const controller = modelAnswers(byItself, viewOf(), viewOf({ status: 'paused' }));
    expect((await run('status fraud --wait', controller)).exit).toBe(3);
    expect(controller.calls.length).toBe(3);
  });

  it('--wait gives up after --timeout', async () => {
    const { exit } = await run('status fraud --wait --timeout 1m', modelAnswers(viewOf()));
    expect(exit).toBe(3);
  });

  it('--wait outlives a restart of the controller, but not its end', async () => {
    const away = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const back = { body: viewOf({ status: 'promoted' }) };
    const path = 'GET /api/v1/models/fraud';
    expect(
      (await run('status fraud --wait', new FakeController({ [path]: [{ body: viewOf() }, away, back] }))).exit,
    ).toBe(0);
    expect((await run('status fraud --wait', new FakeController({ [path]: [{ body: viewOf() }, away] }))).exit).toBe(1);
  });
});

describe('list, history and explain', () => {
  it('list has one line a model with its worst check', async () => {
    const { out } = await run('list', new FakeController({ 'GET /api/v1/models': [{ body: { models: [viewOf()] } }] }));
    expect(out.split('\n')[1]).toMatch(
      /^fraud +Progressing \(step 2\/4, 12m\) +v1 -> v2 +50 % +accuracy continue +weight changed/,
    );
  });

  it('history says what moved, what the metrics said, and the result', async () => {
    const answer = { body: { model: 'fraud', decisions: [decision] } };
    const { out } = await run('history fraud', new FakeController({ 'GET /api/v1/models/fraud/history': [answer] }));
    expect(out.split('\n')[0]).toMatch(/STEP +ACTION +TRAFFIC +METRICS +DECISION +RESULT/);
    expect(out.split('\n')[1]).toMatch(
      /2 +weight-changed +-> v1 50 % · v2 50 % +2 passed +all checks passed +progressing/,
    );
  });

  it('history wraps its reasons to the screen', async () => {
    const text = 'all checks passed, and then the reason went on and on about every single one of them in turn';
    const body = { model: 'fraud', decisions: [{ ...decision, reason: { ...decision.reason, text } }] };
    let out = '';
    const stdout = { write: (line: string) => (out += line), isTTY: true, columns: 120 };
    await run('history fraud', new FakeController({ 'GET /api/v1/models/fraud/history': [{ body }] }), { stdout });
    expect(out.split('\n').length).toBeGreaterThan(3);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('explain gives each check its evidence and what it still needs', async () => {
    const { out } = await run('explain fraud', modelAnswers(viewOf()));
    expect(out).toMatch(/it is rolled back at 99 : 1/);
    expect(out).toMatch(/accuracy: \? undecided\n {2}stable 0.912 \(9,000\), canary 0.907 \(9,101\), limit -1.0pp/);
    expect(out).toMatch(/about 3,100 more canary predictions until a pass/);
  });
});

describe('apply and lint', () => {
  it('apply sends the file as it is and says what will happen', async () => {
    const controller = new FakeController({
      'POST /api/v1/rollouts?dryRun=true': [
        { body: { dryRun: true, changed: true, rollout: null, warnings: [], estimate: null } },
      ],
    });
    const { exit, out } = await run('apply -f rollout.yaml --dry-run', controller);
    expect(exit).toBe(0);
    expect(controller.calls[0]).toMatchObject({ method: 'POST', body: ROLLOUT_FILE });
    expect(out).toMatch(/would be carried out; nothing was done\nhow long it takes .* lint --rate/);
  });

  it('a wrong file is refused with its place, before the controller is asked', async () => {
    const controller = new FakeController();
    const readFile = async () => ROLLOUT_FILE.replace('{ v1: 0.9, v2: 0.1 }', '{ v1: 90, v2: 10 }');
    const { exit, err } = await run('apply -f rollout.yaml', controller, { readFile });
    expect([exit, controller.calls.length]).toEqual([1, 0]);
    expect(err).toMatch(
      /rollout.yaml:7:22: steps.0.traffic_split: 90 and 10 are not fractions.*write v1: 0.9, v2: 0.1/,
    );
  });

  it('lint says how long the steps take, at any traffic', async () => {
    const { exit, out } = await run('lint -f rollout.yaml --rate 500');
    expect(exit).toBe(0);
    expect(out).toMatch(/right, 3 steps from v1 to v2/);
    expect(out).toMatch(/at 500 predictions\/s: about \d+m/);
    expect(out).toMatch(/step 1 {2}v1 90 % · v2 10 %: \d+m\d*s?, for the labels of accuracy/);
  });

  it('lint -o json is machine-readable, refusals too', async () => {
    expect(JSON.parse((await run('lint -f x -o json')).out)).toMatchObject({ ok: true, spec: { model: 'fraud' } });
    const { err } = await run('lint -f x -o json', undefined, { readFile: async () => 'model: [' });
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'bad-rollout-file', problems: [{ code: 'not-yaml' }] } });
  });
});

describe('acting', () => {
  const answer = { body: { result: { commandId: 'c', result: 'applied', sequence: 3 }, state: viewOf().state } };

  it.each([
    ['promote fraud', 'POST', '/api/v1/models/fraud/promote', { reason: '' }],
    ['promote fraud --full --reason "by hand"', 'POST', '/api/v1/models/fraud/promote-full', { reason: 'by hand' }],
    ['pause fraud', 'POST', '/api/v1/models/fraud/pause', { reason: '' }],
    ['resume fraud', 'POST', '/api/v1/models/fraud/resume', { reason: '' }],
    ['retry fraud', 'POST', '/api/v1/models/fraud/retry', { reason: '' }],
    ['undo fraud', 'POST', '/api/v1/models/fraud/undo', { reason: '' }],
    ['abort fraud --reason wrong', 'POST', '/api/v1/models/fraud/abort', { reason: 'wrong' }],
    [
      'set-traffic fraud v1=0.9 v2=0.1 --reason fix',
      'PUT',
      '/api/v1/models/fraud/traffic',
      { weights: { v1: 0.9, v2: 0.1 }, reason: 'fix' },
    ],
  ])('%s', async (command, method, path, body) => {
    const controller = new FakeController({ [`${method} ${path}`]: [answer] });
    const { exit, out } = await run(command, controller, { env: { CANARY_TOKEN: 's3cret', USER: 'ada' } });
    expect(controller.calls).toEqual([{ method, path, body, authorization: 'Bearer s3cret', actor: 'ada' }]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^fraud: Progressing .*, v1 50 % · v2 50 %\nall checks passed\n$/);
  });

  it('sends labels in order, and none when one of them is wrong', async () => {
    const controller = new FakeController({ 'POST /api/v1/labels': [{ body: {} }] });
    const line = (label: unknown) => JSON.stringify({ predictionId: 'p', label });
    const ok = await run('labels send', controller, { readFile: async () => `${line(3)}\n\n${line('a')}\n` });
    expect(ok.out).toBe('2 labels sent\n');
    expect(controller.calls[0]?.body).toEqual({
      labels: [
        { predictionId: 'p', label: 3 },
        { predictionId: 'p', label: 'a' },
      ],
    });
    const bad = await run('labels send -f labels.jsonl', controller, { readFile: async () => `${line(3)}\nrubbish\n` });
    expect([bad.exit, controller.calls.length]).toEqual([1, 1]);
    expect(bad.err).toMatch(/labels.jsonl:2: the record is not JSON/);
  });
});

/** One broker for several commands, each of which closes its connection. */
class KeptBus extends MemoryBus {
  override async close(): Promise<void> {}
}

describe('topics', () => {
  const env = { KAFKA_BROKERS: 'kafka:9092', TOPIC_PREFIX: 'team-a.' };

  it('create makes what is missing, and check says what is', async () => {
    const bus = new KeptBus({ clock: new ManualClock() });
    const connectBus = () => bus;
    const missing = await run('topics check', undefined, { env, connectBus });
    expect(missing.exit).toBe(1);
    expect(missing.err).toMatch(/do not exist: team-a.prediction-outcome.*canaryctl topics create/);
    expect((await run('topics create --data-partitions 3', undefined, { env, connectBus })).exit).toBe(0);
    expect((await run('topics check', undefined, { env, connectBus })).out).toMatch(/all topics are there/);
  });

  it('names the variable that is missing', async () => {
    const { exit, err } = await run('topics create');
    expect(exit).toBe(1);
    expect(err).toMatch(/KAFKA_BROKERS: a comma-separated list/);
  });
});

describe('what goes wrong', () => {
  it('a refusal of the API is told with its fields', async () => {
    const body = {
      title: 'Unprocessable',
      detail: 'the file was refused',
      code: 'bad',
      errors: [{ field: 'a', code: 'b', message: 'a is wrong: write b' }],
    };
    const { exit, err } = await run(
      'apply -f x',
      new FakeController({ 'POST /api/v1/rollouts': [{ status: 422, body }] }),
    );
    expect(exit).toBe(1);
    expect(err).toBe('error: the file was refused\n  a is wrong: write b\n');
  });

  it('a controller that is not there, and a token that is wrong, come with the way out', async () => {
    const away = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const gone = await run('list', new FakeController({ 'GET /api/v1/models': [away] }));
    expect(gone.err).toMatch(/http:\/\/127.0.0.1:8080 cannot be reached \(ECONNREFUSED\).*CANARY_SERVER/);
    const refused = await run('list', new FakeController({ 'GET /api/v1/models': [{ status: 401, body: {} }] }));
    expect(refused.err).toMatch(/CANARY_TOKEN/);
  });

  it.each([
    'frobnicate',
    'abort fraud',
    'get',
    'set-traffic fraud v1',
    'get fraud -o toml',
    'status fraud --wait --timeout soon',
    'set-traffic fraud v1=ten --reason x',
    'list --server ftp://a',
  ])('%s is a mistake of usage: 64', async (command) => {
    expect((await run(command)).exit).toBe(64);
  });

  it('every command shows an example', async () => {
    const names =
      'init,apply,lint,simulate,list,get,status,history,explain,report,promote,pause,resume,retry,undo,abort,set-traffic,labels send,replay,export,topics create,topics check,doctor,completion';
    for (const name of names.split(',')) {
      const { exit, out } = await run(`${name} --help`);
      expect([exit, out]).toEqual([0, expect.stringMatching(/Example:\n.*canaryctl/)]);
    }
  });
});
