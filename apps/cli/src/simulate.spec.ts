import {
  type Chance,
  REHEARSAL_ENDS,
  type RehearsalLine,
  type RehearsalReport,
  type RehearsalRequest,
} from '@app/shared';
import { describe, expect, it } from 'vitest';
import { runAtTerminal } from './testing/fake-terminal.js';

const FILE = `
model: fraud
stable: { version: v1, url: http://a:1 }
canary: { version: v2, url: http://b:2 }
prediction: { pointer: /class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0, v2: 1 } }
`;

const chance = (count: number, time: Chance['time']): Chance => ({
  count,
  share: count / 200,
  interval: [0.1, 0.9],
  time,
});
const report: RehearsalReport = {
  runs: 200,
  elapsedMs: 20_000,
  seed: 1,
  abandoned: 0,
  ends: {
    promoted: chance(150, { median: 600_000, p90: 900_000 }),
    'rolled-back': chance(10, { median: 8_000, p90: 9_500 }),
    paused: chance(0, null),
    undecided: chance(40, { median: 2_700_000, p90: 2_700_000 }),
  },
  sinceFault: null,
  rolledBackBy: [{ name: 'errorRate', share: 1 }],
  steps: [
    {
      step: 0,
      reached: 200,
      passed: 150,
      time: { median: 500_000, p90: 800_000 },
      lastChecks: [
        { name: 'latency.p99', share: 0.75 },
        { name: 'accuracy', share: 0.25 },
      ],
      waitedFor: [{ name: 'latency.p99', share: 1 }],
    },
    {
      step: 1,
      reached: 150,
      passed: 150,
      time: { median: 60_000, p90: 60_000 },
      lastChecks: [],
      waitedFor: [{ name: 'min-duration', share: 1 }],
    },
  ],
  weakestCheck: { name: 'latency.p99', share: 0.8 },
  advice: [{ field: 'steps.0', code: 'undecided', message: 'give the canary a larger share' }],
  notes: ['pauses are approved at once'],
};
const lines: readonly RehearsalLine[] = [
  { kind: 'progress', runs: 1, elapsedMs: 100, ends: { promoted: 1, 'rolled-back': 0, paused: 0, undecided: 0 } },
  {
    kind: 'progress',
    runs: 160,
    elapsedMs: 16_000,
    ends: { promoted: 150, 'rolled-back': 10, paused: 0, undecided: 0 },
  },
  { kind: 'report', report },
];

async function simulate(options: string, said: readonly RehearsalLine[] = lines, file = FILE) {
  let request: RehearsalRequest | undefined;
  const done = await runAtTerminal(['simulate', '-f', 'rollout.yaml', ...options.split(' ').filter(Boolean)], {
    readFile: async () => file,
    rehearse: async function* (given) {
      request = given;
      yield* said;
    },
  });
  return { ...done, request };
}

describe('canaryctl simulate', () => {
  it('shows the chances, the steps, the weakest check and the advice', async () => {
    const { exit, out } = await simulate('--rate 200 --errors 0.01 --degrade accuracy=-0.02 --users 2000');
    expect(exit).toBe(0);
    for (const line of [
      /^fraud: 200 rollouts rehearsed in 20s \(seed 1\)$/m,
      /^traffic +200 predictions\/s, from 2,000 users, 1 % errors, latency p50 50ms p99 160ms, 90 % right/m,
      /^canary +accuracy -2 points$/m,
      /^promoted +75 % +\[10, 90\] +10m +15m$/m,
      /^rolled back +5 % +\[10, 90\] +8s +9\.5s$/m,
      /^undecided after \d+m +20 % +\[10, 90\]$/m,
      /^1 +v1 90 % · v2 10 % +100 % +8m +13m +latency p99 75 %, accuracy 25 %$/m,
      /^2 +v1 0 % · v2 100 % +75 % +1m +1m +its least duration$/m,
      /^The weakest check is latency p99: steps wait for it 80 % of the time\. Rolled back by error rate 100 %\.$/m,
      /^advice give the canary a larger share$/m,
      /^note: pauses are approved at once$/m,
    ])
      expect(out).toMatch(line);
    expect(out).not.toMatch(/^paused/m);
  });

  it('tells how far it is on standard error, a few times', async () => {
    expect((await simulate('--rate 200')).err).toBe(
      '1 rollout: 1 promoted\n160 rollouts: 150 promoted, 10 rolled back\n',
    );
  });

  it('gives the report as JSON, with what it was made for', async () => {
    const { out } = await simulate('--rate 200 -o json');
    expect(JSON.parse(out)).toMatchObject({ ...report, traffic: { predictionsPerSecond: 200 }, canary: { errors: 0 } });
  });

  it('says that it was stopped early', async () => {
    const stopped: RehearsalReport = { ...report, abandoned: 2 };
    expect((await simulate('--rate 200', [{ kind: 'report', report: stopped }])).out).toMatch(
      /note: stopped: 2 rollouts/,
    );
    const ends = Object.fromEntries(REHEARSAL_ENDS.map((end) => [end, chance(0, null)])) as RehearsalReport['ends'];
    const nothing: RehearsalReport = { ...stopped, runs: 0, ends, steps: [], notes: [], advice: [] };
    const { out } = await simulate('--rate 200', [{ kind: 'report', report: nothing }]);
    expect(out).toMatch(/^fraud: 0 rollouts rehearsed in 20s \(seed 1\)\nstopped: .*\n$/);
  });

  it('fails when the rehearsal does', async () => {
    const { exit, err } = await simulate('--rate 200', [{ kind: 'failed', message: 'out of memory' }]);
    expect([exit, err]).toEqual([1, 'error: the rehearsal broke down: out of memory\n']);
    expect((await simulate('--rate 200', [])).err).toMatch(/ended without a report/);
  });

  it('takes twenty seconds unless told otherwise', async () => {
    const limits = async (options: string) => {
      const { runs, forMs } = (await simulate(`--rate 200 ${options}`)).request!;
      return [runs, forMs];
    };
    expect(await limits('')).toEqual([null, 20_000]);
    expect(await limits('--runs 1000')).toEqual([1000, null]);
    expect(await limits('--for 2m')).toEqual([null, 120_000]);
    expect(await limits('--runs 50 --for 1m')).toEqual([50, 60_000]);
  });

  it('reads what traffic there is, and all that is wrong with the canary', async () => {
    const { request } = await simulate(
      '--rate 12.5 --latency p50=20ms,p99=90ms --accuracy .8 --labels-after 1m --labels-missing .1 --jobs 3 --seed 9 --within 2h' +
        ' --degrade errors=+.05 --degrade errors=-0.01 --degrade latency=x1.3 --degrade dead-after=100s',
    );
    expect(request).toMatchObject({
      traffic: {
        predictionsPerSecond: 12.5,
        errorRate: 0.02,
        latency: { p50Ms: 20, p99Ms: 90 },
        accuracy: 0.8,
        labelsAfterMs: 60_000,
        labelsMissing: 0.1,
        users: null,
      },
      canary: { errors: expect.closeTo(0.04, 9) as number, accuracy: 0, latencyRatio: 1.3, deadAfterMs: 100_000 },
      jobs: 3,
      seed: 9,
      withinMs: 7_200_000,
    });
  });

  it.each([
    ['--rate 0', '--rate 0: write predictions per second, above 0'],
    ['--rate ten', '--rate ten: write predictions'],
    ['--rate 5 --errors 2', '--errors 2: write a fraction'],
    ['--rate 5 --accuracy 90%', '--accuracy 90%: write a fraction'],
    ['--rate 5 --latency 50', '--latency 50: write milliseconds, p99 above p50'],
    ['--rate 5 --latency p50=50,p99=20', '--latency p50=50,p99=20: write'],
    [
      '--rate 5 --latency p50=50,p99=9000 --degrade latency=x2',
      '--latency p50=50,p99=9000: write a p99 below canary.deadline',
    ],
    ['--rate 5 --degrade errors=0.05', '--degrade errors=0.05: write errors=+0.05'],
    ['--rate 5 --degrade latency=1.3', '--degrade latency=1.3: write'],
    ['--rate 5 --degrade speed=x2', '--degrade speed=x2: write'],
    ['--rate 5 --degrade dead-after=soon', '--degrade dead-after=soon: write'],
    ['--rate 5 --runs 0', '--runs 0: write a whole number'],
    ['--rate 5 --for 20', '--for 20: write a duration'],
    ['', "required option '--rate <predictions/s>'"],
  ])('refuses %s as wrong usage', async (options, why) => {
    const { exit, err, request } = await simulate(options);
    expect([exit, request]).toEqual([64, undefined]);
    expect(err).toContain(why);
  });

  it('refuses a wrong file with line and column, and one without a canary', async () => {
    expect((await simulate('--rate 5', lines, FILE.replace('0.9', '0.8'))).err).toMatch(
      /rollout\.yaml:7:\d+: steps\.0/,
    );
    const registration = 'model: m\nstable: { version: v1, url: http://a:1 }\n';
    expect((await simulate('--rate 5', lines, registration)).err).toMatch(/registers m and has no canary/);
  });
});
