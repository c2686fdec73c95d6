import { type Cut, ManualClock, topicNames } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { runAtTerminal } from '../testing/fake-terminal.js';
import { clockFinding, coverageFindings, lagFindings, type RedisFacts, redisFindings } from './findings.js';

const NOW_MS = 1_795_356_190_000;
const topics = topicNames();
const redis: RedisFacts = { version: '7.2.4', timeMs: NOW_MS, policy: 'noeviction', usedBytes: 1e7, maxBytes: 0 };
const cut = (positions: Cut['positions'], asOf = NOW_MS - 500): Cut => ({
  kind: 'cut',
  schemaVersion: 1,
  owner: 0,
  number: 1,
  positions,
  logTimes: { outcome: [asOf], label: [asOf] },
  asOf,
  known: {},
});

describe('what is found', () => {
  it.each<[string, Partial<RedisFacts>, string, string]>([
    ['an old Redis', { version: '6.2.0' }, 'redis-version', 'failed'],
    ['one that throws away', { policy: 'allkeys-lru' }, 'redis-policy', 'failed'],
    ['one that does not tell its policy', { policy: undefined }, 'redis-policy', 'warning'],
    ['one that is nearly full', { usedBytes: 9e8, maxBytes: 1e9 }, 'redis-memory', 'warning'],
  ])('%s comes with its remedy', (_, facts, check, status) => {
    const found = redisFindings({ ...redis, ...facts });
    expect(found.filter((finding) => finding.status !== 'ok')).toEqual([
      expect.objectContaining({ check, status, remedy: expect.stringMatching(/\w/) as string }),
    ]);
  });

  it('a good Redis and clocks that go together are all well', () => {
    expect([...redisFindings(redis), clockFinding('redis', -900)].every(({ status }) => status === 'ok')).toBe(true);
  });

  it('a clock that is off is named with how much and which way', () => {
    expect(clockFinding('controller', 65_000)).toMatchObject({
      status: 'warning',
      text: "the clock of controller is 1m5s ahead of this machine's",
    });
  });

  it('lag is what the verdicts do not rest on yet, of the partition farthest behind', () => {
    const facts = { nowMs: NOW_MS, topics, ends: { outcome: [100_000, 70_000], label: [10, 10] } };
    const cuts = [cut({ outcome: [99_000, 10_000], label: [10, 10] })];
    expect(lagFindings({ ...facts, cuts })).toMatchObject([
      { check: 'lag-outcome', status: 'warning', text: expect.stringContaining('60,000 records') as string },
      { check: 'lag-label', status: 'ok' },
      { check: 'evaluator', status: 'ok' },
    ]);
    const old = [cut({ outcome: [100_000, 70_000], label: [10, 10] }, NOW_MS - 600_000)];
    expect(lagFindings({ ...facts, cuts: old }).at(-1)).toMatchObject({ check: 'evaluator', status: 'warning' });
    expect(lagFindings({ ...facts, cuts: [] })).toMatchObject([{ check: 'evaluator', status: 'warning' }]);
  });

  it('labels that are missing are found, once there was traffic enough to tell', () => {
    const facts = { model: 'digits', version: 'v2' };
    expect(
      coverageFindings([
        { ...facts, routed: 1000, labelled: 100 },
        { ...facts, routed: 1000, labelled: 700 },
        { ...facts, routed: 50, labelled: 0 },
      ]).map(({ status }) => status),
    ).toEqual(['warning', 'ok', 'ok']);
  });
});

describe('canaryctl doctor', () => {
  const clock = new ManualClock(NOW_MS);
  const state = {
    model: 'digits',
    weights: { v1: 0.9, v2: 0.1 },
    rollout: { status: 'progressing', spec: { checks: { accuracy: {} } } },
  };
  const answers: Readonly<Record<string, () => Response>> = {
    '/api/v1/me': () => Response.json({ name: 'ci', role: 'operate', by: 'token' }),
    '/api/v1/models': () => Response.json({ models: [{ state, verdict: null }] }),
    '/api/v1/models/digits/windows': () =>
      Response.json({
        windows: [{ versions: { v1: { routed: 900, labelled: 800 }, v2: { routed: 100, labelled: 0 } } }],
      }),
    '/health/ready': () =>
      Response.json({ ready: true, reasons: [] }, { headers: { date: new Date(NOW_MS - 30_000).toUTCString() } }),
    '/metrics': () => new Response('model_canary_build_info{version="0.0.9"} 1\n'),
  };
  const fetch = async (request: Request): Promise<Response> =>
    answers[new URL(request.url).pathname]?.() ?? new Response('{}', { status: 404 });

  it('looks at all that is named, whatever became of the rest, and says what was not', async () => {
    const { exit, out } = await runAtTerminal(['doctor', '-o', 'json'], { clock, fetch });
    expect(exit).toBe(0);
    const { findings } = JSON.parse(out) as { findings: { check: string; status: string }[] };
    expect(findings.map(({ check, status }) => [check, status])).toEqual([
      ['versions', 'ok'],
      ['controller', 'ok'],
      ['controller-ready', 'ok'],
      ['clock-controller', 'warning'],
      ['controller-version', 'warning'],
      ['labels-digits-v1', 'ok'],
      ['labels-digits-v2', 'warning'],
      ['kafka', 'not-asked'],
      ['redis', 'not-asked'],
    ]);
  });

  it('ends with 1 when something failed, each failure with its remedy', async () => {
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    const { exit, out } = await runAtTerminal(['doctor'], {
      clock,
      env: { KAFKA_BROKERS: 'kafka-1:9092', REDIS_URL: 'redis://redis:6379' },
      fetch: async () => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: refused })),
      dial: async () => Promise.reject(refused),
      redisFacts: async () => Promise.reject(new Error('WRONGPASS')),
    });
    expect(exit).toBe(1);
    expect(out).toMatch(
      /FAILED {3}the controller at .* cannot be reached \(ECONNREFUSED\).*\n +-> start the controller/,
    );
    expect(out).toMatch(/FAILED {3}kafka-1:9092 cannot be reached \(ECONNREFUSED\)\n +-> start it/);
    expect(out).toMatch(/FAILED {3}Redis cannot be used: WRONGPASS\n/);
  });

  it('names topics that are missing', async () => {
    const { out } = await runAtTerminal(['doctor'], {
      clock,
      fetch,
      env: { KAFKA_BROKERS: 'a:1' },
      dial: async () => {},
    });
    expect(out).toMatch(
      /FAILED {3}these topics do not exist: prediction-outcome, .*\n +-> create them with: canaryctl topics create/,
    );
  });
});
