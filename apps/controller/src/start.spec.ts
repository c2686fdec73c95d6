import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Decision,
  labelDelayBin,
  loadConfig,
  MemoryBus,
  type Problem,
  type RolloutState,
  type Verdict,
  type WindowReader,
} from '@app/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { check, verdict } from '../test/builders.js';
import { until, World } from '../test/controller-fixture.js';
import { ControllerConfig } from './config.js';

const FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002 }
prediction: { pointer: /class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0.5, v2: 0.5 } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: 10m } }
`;

interface View {
  readonly state: RolloutState;
  readonly verdict: Verdict | null;
}
interface Done {
  readonly decisions: readonly Decision[];
  readonly state: RolloutState;
}
interface Refused {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly Problem[];
}

let world: World;
const given = async (): Promise<World> => {
  world = await World.create();
  await world.controller();
  return world;
};
const givenStarted = async (): Promise<World> => {
  await given();
  expect((await world.post('/api/v1/rollouts', FILE)).status).toBe(201);
  await world.decided('started');
  return world;
};
afterEach(() => world?.close());

describe('a rollout', () => {
  test('goes the whole way on the evaluator’s word, and the decision topic alone tells it', async () => {
    await givenStarted();
    expect(world.probe.asked).toEqual(['http://127.0.0.1:9002']);
    for (const action of ['weight-changed', 'weight-changed', 'promoted'] as const) {
      const { sequence } = world.state();
      await world.judge('pass');
      await until(() => world.states.get('digits')!.sequence > sequence);
      await world.decided(action);
    }
    expect(world.decisions.map((d) => [d.sequence, d.action, d.to['v2']])).toEqual([
      [1, 'registered', 0],
      [2, 'started', 0.1],
      [3, 'weight-changed', 0.5],
      [4, 'weight-changed', 1],
      [5, 'promoted', 1],
    ]);
    expect(world.state()).toMatchObject({ stable: 'v2', weights: { v1: 0, v2: 1 } });
    const { body } = await world.get<View>('/api/v1/models/digits');
    expect(body.state.rollout?.status).toBe('promoted');
    expect(body.verdict?.result).toBe('pass');
  });

  test('is rolled back with the reason, the figures and the limit', async () => {
    await givenStarted();
    await world.judge('fail', {
      reason: { code: 'errors-too-many', text: '6.1 % errors against 2.0 %, limit +1 point' },
    });
    expect(await world.decided('rolled-back')).toMatchObject({
      to: { v1: 1, v2: 0 },
      reason: { code: 'errors-too-many', checks: [{ check: 'errorRate', limit: 0.01 }] },
      safeToRemove: ['v2'],
    });
    const { body } = await world.get<{ decisions: Decision[] }>('/api/v1/models/digits/history');
    expect(body.decisions).toEqual(world.decisions);
  });

  test('waits for a canary that is not ready, and begins when it is', async () => {
    await given();
    world.probe.answer = { ready: false, detail: 'connection refused' };
    await world.post('/api/v1/rollouts', FILE);
    await world.decided('held');
    expect(world.state().rollout?.status).toBe('waiting-ready');
    const asked = world.probe.asked.length;
    world.probe.answer = { ready: true, detail: '200' };
    world.clock.advance(2000);
    await world.decided('started');
    expect(world.probe.asked.length).toBe(asked + 1);
  });

  test('is held when the evaluator falls silent; its cuts are no verdicts, and nothing is wrong with them', async () => {
    await givenStarted();
    await world.judge('continue');
    const one = { outcome: [1], label: [1] };
    const cut = { kind: 'cut', schemaVersion: 1, owner: 0, number: 5, positions: one, logTimes: one, known: {} };
    const value = Buffer.from(JSON.stringify({ ...cut, asOf: world.clock.nowMs() + 29_000 }));
    world.clock.advance(29_000);
    await world.send({ topic: world.topics.verdict, partition: 0, key: '0', value });
    await world.send({ topic: world.topics.verdict, partition: 1, key: '1', value });
    world.clock.advance(1_000);
    expect((await world.decided('held')).reason.code).toBe('evaluator-silent');
    expect(world.deadLetters).toEqual([]);
  });
});

describe('commands', () => {
  test('promote, pause, resume, abort, undo and the traffic by hand answer with what they caused', async () => {
    await givenStarted();
    const act = async (action: string, body: unknown = {}): Promise<[number, string[]]> => {
      const answer = await world.post<Done>(`/api/v1/models/digits/${action}`, body, { 'x-actor': 'ann' });
      return [answer.status, answer.body.decisions.map((d) => `${d.actor}: ${d.action}`)];
    };
    expect(await act('pause')).toEqual([200, ['ann: paused']]);
    expect(await act('resume')).toEqual([200, ['ann: resumed']]);
    expect(await act('abort', { reason: 'busy' })).toEqual([200, ['ann: aborted']]);
    expect((await act('retry'))[0]).toBe(200);
    await world.decided('started');
    expect(world.state().rollout?.rollout).toBe('digits-2');
    expect(await act('promote', { reason: 'looks good' })).toEqual([200, ['ann: weight-changed']]);
    expect(await act('promote-full')).toEqual([200, ['ann: promoted']]);
    expect(await act('undo')).toEqual([200, ['ann: undone']]);
    const traffic = await world.put<Done>('/api/v1/models/digits/traffic', {
      weights: { v1: 0.9, v2: 0.1 },
      reason: 'by hand',
    });
    expect(traffic.body.state.weights).toEqual({ v1: 0.9, v2: 0.1 });
    expect(world.state().weights).toEqual({ v1: 0.9, v2: 0.1 });
  });

  test('are refused with the code and the remedy, and nothing changes', async () => {
    await givenStarted();
    const { state } = (await world.get<View>('/api/v1/models/digits')).body;
    const refused = await world.post<Refused>('/api/v1/models/digits/resume');
    expect(refused).toMatchObject({
      status: 409,
      type: 'application/problem+json',
      body: { code: 'not-paused', status: 409 },
    });
    const undo = await world.post<Refused>('/api/v1/models/digits/undo', {});
    expect(undo.body).toMatchObject({ code: 'rollout-open', detail: expect.stringContaining('abort') as string });
    const other = await world.post<Refused>('/api/v1/rollouts', FILE.replace('0.9, v2: 0.1', '0.8, v2: 0.2'));
    expect(other.body).toMatchObject({
      status: 422,
      code: 'rollout-open',
      detail: expect.stringContaining('digits has an open rollout, digits-1') as string,
    });
    expect((await world.get<View>('/api/v1/models/digits')).body.state).toEqual(state);
  });

  test('retry only what was rolled back or aborted', async () => {
    await givenStarted();
    const retry = async () => (await world.post<Refused>('/api/v1/models/digits/retry', {})).body;
    expect(await retry()).toMatchObject({ status: 422, code: 'rollout-open' });
    await world.post('/api/v1/models/digits/promote-full', {});
    expect(await retry()).toMatchObject({ status: 409, code: 'nothing-to-retry' });
  });

  test('act once for one Idempotency-Key, also side by side', async () => {
    await givenStarted();
    const promote = () => world.post<Done>('/api/v1/models/digits/promote', {}, { 'idempotency-key': 'night-job-7' });
    const answers = await Promise.all([promote(), promote()]);
    answers.push(await promote());
    expect(new Set(answers.map((a) => JSON.stringify(a.body.decisions)))).toHaveProperty('size', 1);
    expect(world.actions()).toEqual(['registered', 'started', 'weight-changed']);
  });

  test.each([
    ['abort without a reason', 'POST', 'models/digits/abort', {}, 'reason'],
    ['abort with an empty reason', 'POST', 'models/digits/abort', { reason: ' ' }, 'reason'],
    ['an unknown field', 'POST', 'models/digits/promote', { full: true }, 'full'],
    ['traffic of 10 and 90', 'PUT', 'models/digits/traffic', { weights: { v1: 90, v2: 10 } }, 'weights'],
    ['traffic in per cent', 'PUT', 'models/digits/traffic', { weights: { v1: '90%', v2: '10%' } }, 'weights.v1'],
    ['no traffic', 'PUT', 'models/digits/traffic', {}, 'weights'],
    ['a label without an id', 'POST', 'labels', { label: 3 }, '0.predictionId'],
    [
      'a list with a bad label',
      'POST',
      'labels',
      [
        { predictionId: 'a', label: 1 },
        { predictionId: 'b', label: null },
      ],
      '1.label',
    ],
  ])('%s is 422 and names the field', async (_, method, path, body, field) => {
    await givenStarted();
    const answer = await world.request<Refused>(method, `/api/v1/${path}`, body, {});
    expect(answer).toMatchObject({ status: 422, type: 'application/problem+json' });
    expect(answer.body.errors.map((e) => e.field)).toContain(field);
    expect(answer.body.errors[0]!.message).not.toBe('');
    expect(world.actions()).toEqual(['registered', 'started']);
  });

  test('for a model nobody knows are 404', async () => {
    await given();
    expect(await world.post<Refused>('/api/v1/models/nobody/promote')).toMatchObject({
      status: 404,
      body: { code: 'unknown-model' },
    });
  });
});

describe('applying', () => {
  test.each([
    ['traffic_split of 10 and 90', FILE.replace('v1: 0.9, v2: 0.1', 'v1: 90, v2: 10'), 'steps.0.traffic_split'],
    ['falling steps', FILE.replace('v1: 0.5, v2: 0.5', 'v1: 0.95, v2: 0.05'), 'steps.1.traffic_split'],
    ['an unknown key', `${FILE}\nfoo: 1`, 'foo'],
    ['a bad URL', FILE.replace('http://127.0.0.1:9002', 'nonsense'), 'canary.url'],
    ['YAML that does not parse', 'model: [', ''],
  ])('%s is 422 with the field, and nothing changes', async (_, file, field) => {
    await given();
    const { status, body } = await world.post<Refused>('/api/v1/rollouts', file);
    expect(status).toBe(422);
    expect(body.errors.map((e) => e.field)).toContain(field);
    expect((await world.get<{ models: View[] }>('/api/v1/models')).body.models).toEqual([]);
  });

  test('the same file twice acts once: 201, then 200', async () => {
    await givenStarted();
    const again = await world.post<{ changed: boolean; rollout: string }>('/api/v1/rollouts', FILE);
    expect(again).toMatchObject({ status: 200, body: { changed: false, rollout: 'digits-1' } });
    expect(world.state().rolloutCount).toBe(1);
  });

  test('a dry run changes nothing, says how long it will take, and refuses what an apply would', async () => {
    await given();
    const dry = await world.post<{ estimate: { totalMs: number }; rollout: string }>(
      '/api/v1/rollouts?dryRun=true&predictionsPerSecond=500',
      FILE,
    );
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true, changed: true, rollout: 'digits-1' } });
    expect(dry.body.estimate.totalMs).toBeGreaterThan(60_000);
    expect((await world.get<{ models: View[] }>('/api/v1/models')).body.models).toEqual([]);
    await world.post('/api/v1/rollouts', FILE);
    await world.decided('started');
    const other = await world.post<Refused>('/api/v1/rollouts?dryRun=true', FILE.replace('10m', '20m'));
    expect(other.body).toMatchObject({ status: 422, code: 'rollout-open' });
  });

  test('accepts the file as JSON too, and tells the present traffic from the windows', async () => {
    const windows: WindowReader = {
      read: (_model, { fromMs }) =>
        Promise.resolve([
          {
            startMs: fromMs,
            durationMs: 10_000,
            versions: new Map([
              ['v1', { routed: 5000, errors: 1, labelled: 2, right: 1, latency: new Map([[265, 10]]), labelDelay: new Map([[labelDelayBin(3000), 2]]) }], // prettier-ignore
            ]),
          },
        ]),
    };
    world = await World.create();
    await world.controller({ windows });
    const file = {
      model: 'digits',
      stable: { version: 'v1', url: 'http://a' },
      canary: { version: 'v2', url: 'http://b' },
      steps: [{ traffic_split: { v1: 0.5, v2: 0.5 } }, { traffic_split: { v1: 0, v2: 1 } }],
    };
    const { status, body } = await world.post<{ estimate: { predictionsPerSecond: number } }>('/api/v1/rollouts', file);
    expect(status).toBe(201);
    expect(body.estimate.predictionsPerSecond).toBe(500);
    const shown = await world.get<{ windows: { versions: Record<string, unknown> }[] }>(
      '/api/v1/models/digits/windows?resolution=1m',
    );
    expect(shown.body.windows[0]?.versions['v1']).toMatchObject({
      routed: 5000,
      errors: 1,
      latencyMs: { p50: expect.closeTo(200, -1) as number },
      labelDelayMs: { p50: expect.closeTo(3000, -3) as number },
    });
    expect((await world.get<Refused>('/api/v1/models/digits/windows?from=0')).status).toBe(422);
  });
});

describe('labels', () => {
  test('go to the topic, keyed by prediction id: one, a list, or {labels}', async () => {
    await given();
    const label = (predictionId: string) => ({ predictionId, label: 7 });
    expect(await world.post('/api/v1/labels', label('a'))).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await world.post('/api/v1/labels', [label('b'), label('c')])).toMatchObject({ body: { accepted: 2 } });
    expect(await world.post('/api/v1/labels', { labels: [label('d')] })).toMatchObject({ body: { accepted: 1 } });
    const keys: string[] = [];
    const follower = world.bus.follower({
      topics: [world.topics.label],
      onBatch: (b) => b.records.forEach((r) => keys.push(r.key!.toString())),
    });
    await follower.caughtUp();
    expect(keys.sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('what cannot be used', () => {
  test('goes to the dead letters with its coordinates and cause, and the next record is handled', async () => {
    await givenStarted();
    const { topics } = world;
    const partition = 0;
    const bad = (topic: string, value: Buffer | null, key: string | null = 'digits') => ({
      topic,
      partition,
      key,
      value,
    });
    await world.send(
      bad(topics.command, Buffer.from('{')),
      bad(topics.command, null),
      bad(
        topics.command,
        Buffer.from(
          '{"schemaVersion":1,"commandId":"x","model":"digits","action":"fly","actor":"","reason":"","at":1}',
        ),
      ),
      bad(
        topics.command,
        Buffer.from(
          '{"schemaVersion":1,"commandId":"x","model":"digits","action":"apply","actor":"","reason":"","at":1,"spec":{"model":3}}',
        ),
      ),
      bad(topics.verdict, Buffer.alloc(900_000, 'x')),
      { ...bad(topics.verdict, Buffer.from(JSON.stringify({ ...verdict(world.state(), 'pass'), model: 'nobody' }))) },
    );
    await world.judge('pass');
    await world.decided('weight-changed');
    await until(() => world.deadLetters.length === 6);
    const causes = world.deadLetters.map((d) => d.cause.code).sort();
    expect(causes).toContain('not-json');
    expect(causes).toContain('tombstone');
    expect(causes.filter((c) => c === 'unknown-model' || c === 'wrong-partition')).toHaveLength(1);
    expect(
      world.deadLetters.every((d) => d.partition === partition && d.by === 'controller' && d.cause.text !== ''),
    ).toBe(true);
    expect(new Set(world.deadLetters.map((d) => `${d.topic}@${d.offset}`))).toHaveProperty('size', 6);
  });

  test('stands in rollout-state: a dead letter too, and the model goes on with the state its owner has', async () => {
    await givenStarted();
    const topic = world.topics.state;
    const other = Buffer.from(JSON.stringify({ ...world.state(), model: 'other' }));
    await world.send(
      { topic, partition: 0, key: 'digits', value: Buffer.from('{') },
      { topic, partition: 0, key: 'digits', value: other },
    );
    await until(() => world.deadLetters.length === 2);
    expect(world.deadLetters.map((d) => [d.topic, d.partition, d.cause.code])).toEqual([
      [topic, 0, 'not-json'],
      [topic, 0, 'other-model'],
    ]);
    await world.judge('pass');
    await world.decided('weight-changed');
  });

  test('is told anew by a controller that begins', async () => {
    await given();
    await world.controllers[0]!.close();
    await world.send({ topic: world.topics.state, partition: 1, key: 'lost', value: Buffer.from('{') });
    await world.controller();
    await until(() => world.deadLetters.some((d) => d.topic === world.topics.state && d.cause.code === 'not-json'));
  });
});

describe('the event stream', () => {
  test('tells decisions, verdicts and states as they come, and goes on after Last-Event-ID', async () => {
    await givenStarted();
    const live = await world.events('/api/v1/events?model=digits');
    await world.judge('continue');
    const verdictSeen = await live.until(({ event }) => event === 'verdict');
    expect(verdictSeen.data).toMatchObject({ result: 'continue' });
    const from = live.lastEventId;
    live.close();
    await world.post('/api/v1/models/digits/pause');
    await world.decided('paused');
    await world.post('/api/v1/models/digits/resume');
    await world.decided('resumed');
    const again = await world.events('/api/v1/events?model=digits&kind=decision', from);
    await again.until(({ data }) => (data as Decision).action === 'resumed');
    expect(again.seen.map(({ data }) => (data as Decision).action)).toEqual(['paused', 'resumed']);
    const state = await world.events('/api/v1/events?model=digits&kind=state', from);
    const last = await state.until(({ data }) => (data as RolloutState).sequence === 4);
    expect(last.data).toMatchObject({ rollout: { status: 'progressing' }, decisions: [], commands: [] });
  });

  test('goes on after a restart of the controller, and an id it cannot go on from gets a reset', async () => {
    await givenStarted();
    const live = await world.events('/api/v1/events?model=digits');
    await world.post('/api/v1/models/digits/pause');
    await live.until(({ event }) => event === 'decision');
    const from = live.lastEventId;
    await world.post('/api/v1/models/digits/resume');
    await world.decided('resumed');
    await world.controllers.shift()!.close();
    await world.controller();
    await until(async () => (await world.get<View>('/api/v1/models/digits')).status === 200);
    const again = await world.events('/api/v1/events?model=digits&kind=decision', from);
    expect((await again.until(({ event }) => event === 'decision')).data).toMatchObject({ action: 'resumed' });
    for (const id of ['decision:digits/1', 'd0.zzzz']) {
      const lost = await world.events('/api/v1/events', id);
      expect((await lost.until(() => true)).event).toBe('reset');
    }
  });

  test('of the fleet tells the lines that changed, and those that did while nobody listened', async () => {
    await givenStarted();
    await world.judge('continue', { checks: [check('errorRate'), check('accuracy', { result: 'fail' })] });
    const live = await world.events('/api/v1/fleet/events');
    await world.post('/api/v1/models/digits/pause');
    type Change = { models: { model: string; rollout: { status: string } }[] };
    await live.until(({ data }) => (data as Change).models[0]?.rollout.status === 'paused');
    const from = live.lastEventId;
    live.close();
    await world.post('/api/v1/models/digits/resume');
    await world.decided('resumed');
    const again = await world.events('/api/v1/fleet/events', from);
    await again.until(({ data }) => (data as Change).models[0]?.rollout.status === 'progressing');
    const { body } = await world.get<{ models: unknown[] }>('/api/v1/fleet');
    expect(body.models).toMatchObject([
      {
        model: 'digits',
        stable: 'v1',
        canary: 'v2',
        weights: { v1: 0.9, v2: 0.1 },
        rollout: { status: 'progressing', step: 0, steps: 3, held: null },
        verdict: { result: 'continue', counted: { stable: 9000, canary: 1000 }, worst: { check: 'accuracy' } },
        last: { action: 'resumed' },
      },
    ]);
  });
});

describe('the rollouts of a model', () => {
  test('are listed, and each tells its decisions and how its verdicts developed', async () => {
    await givenStarted();
    for (const seconds of [1, 2, 3]) await world.judge('continue', { asOf: world.clock.nowMs() + seconds * 1000 });
    await world.post('/api/v1/models/digits/abort', { reason: 'wrong artefact' });
    await world.decided('aborted');
    const path = '/api/v1/models/digits/rollouts';
    const listed = await world.get<{ rollouts: unknown[] }>(path);
    expect(listed.body.rollouts).toMatchObject([
      {
        rollout: 'digits-1',
        status: 'aborted',
        canary: 'v2',
        reason: expect.stringContaining('wrong artefact') as string,
      },
    ]);
    const { body } = await world.get<{ decisions: Decision[] }>(`${path}/digits-1`);
    expect(body.decisions.map(({ action }) => action)).toEqual(['started', 'aborted']);
    type Series = { at: number[]; checks: { check: string; low: number[] }[] };
    await until(async () => (await world.get<Series>(`${path}/digits-1/verdicts`)).body.at.length === 3);
    const series = (await world.get<Series>(`${path}/digits-1/verdicts`)).body;
    expect(series.checks).toMatchObject([{ check: 'errorRate', low: [-0.004, -0.004, -0.004] }]);
    for (const unknown of [`${path}/digits-9`, `${path}/digits-9/verdicts`, '/api/v1/models/none/rollouts'])
      expect((await world.get(unknown)).status).toBe(404);
  });
});

describe('the console', () => {
  test('is served on every page of it with a strict policy, and its files for ever', async () => {
    world = await World.create();
    const folder = await mkdtemp(join(tmpdir(), 'console-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<title>Model Canary</title>');
    await writeFile(join(folder, 'assets', 'index-abc.js'), '1');
    await world.controller({ console: folder, env: { CONTROLLER_TOKEN: 'correct-horse-battery' } });
    const { url } = world.controllers[0]!;
    for (const page of ['/', '/new', '/models/digits', '/models/digits/rollouts/digits-1']) {
      const response = await fetch(url + page);
      expect([page, response.status, await response.text()]).toEqual([page, 200, '<title>Model Canary</title>']);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
      expect(response.headers.get('cache-control')).toBe('no-cache');
    }
    const script = await fetch(`${url}/assets/index-abc.js`);
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${url}/assets/../index.html`)).status).toBe(404);
    const missing = await fetch(`${url}/assets/none.js`);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']); // prettier-ignore
    await rm(folder, { recursive: true });
  });

  test('that is not built says so, and is told whether it is to offer actions', async () => {
    world = await World.create();
    await world.controller({ console: null, env: { CONSOLE_READ_ONLY: 'true' } });
    expect(await world.get<Refused>('/')).toMatchObject({ status: 404, body: { code: 'no-console' } });
    const { body } = await world.get('/api/v1/console');
    expect(body).toEqual({ readOnly: true, nowMs: world.clock.nowMs() });
  });
});

describe('the API itself', () => {
  test('wants the token where one is set, and says so without telling why it is wrong', async () => {
    world = await World.create();
    await world.controller({ env: { CONTROLLER_TOKEN: 'correct-horse-battery' } });
    expect(await world.get<Refused>('/api/v1/models')).toMatchObject({ status: 401, body: { code: 'token-required' } });
    expect((await world.get('/api/v1/models', { authorization: 'Bearer wrong-horse-battery' })).status).toBe(401);
    const authorization = 'Bearer correct-horse-battery';
    expect((await world.get('/api/v1/models', { authorization })).status).toBe(200);
    await world.post('/api/v1/rollouts', FILE, { authorization });
    await world.decided('started');
    expect(world.decisions[0]?.actor).toBe('operator');
  });

  test('does not start beyond loopback without a token', async () => {
    world = await World.create();
    await expect(world.controller({ env: { HTTP_HOST: '0.0.0.0' } })).rejects.toMatchObject({ code: 'token-required' });
  });

  test('does not start without its topics, and names them', async () => {
    world = await World.create();
    const bus = new MemoryBus();
    await expect(world.controller({ bus })).rejects.toThrow('rollout-verdict');
    await bus.close();
  });

  test('shows each check of an open rollout in base units, and its status, until it has ended', async () => {
    await givenStarted();
    await world.judge('continue');
    const metrics = async (): Promise<string> => (await world.get<string>('/metrics')).body;
    await until(async () => (await metrics()).includes('model_canary_check_value'));
    const text = await metrics();
    for (const line of [
      'model_canary_rollout_status_info{model="digits",status="progressing"} 1',
      'model_canary_rollouts{status="progressing"} 1',
      'model_canary_rollouts{status="paused"} 0',
      'model_canary_rollout_step{model="digits"} 1',
      'model_canary_verdict_age_seconds{model="digits"} 0',
      'model_canary_check_limit{model="digits",check="errorRate",unit="ratio"} 0.01',
      'model_canary_build_info{service="controller",version="0.1.0"',
      'model_canary_controller_lag_records{topic="rollout-verdict",partition="',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/model_canary_check_log_evidence\{model="digits",check="errorRate",side="fail"\} -?\d/);
    expect(text).toMatch(/model_canary_nodejs_eventloop_lag_p99_seconds \d/);
    await world.post('/api/v1/models/digits/abort', { reason: 'seen enough' });
    await until(async () =>
      (await metrics()).includes('model_canary_rollout_status_info{model="digits",status="aborted"} 1'),
    );
    expect(await metrics()).not.toMatch(/^model_canary_check_value\{/m);
  });

  test('serves OpenAPI, a page for it, health and metrics', async () => {
    await givenStarted();
    const openapi = await world.get<{
      openapi: string;
      paths: Record<string, Record<string, { parameters?: { name: string; in: string; required?: boolean }[] }>>;
      components: { schemas: object };
    }>('/openapi.json');
    expect(openapi.body.openapi).toBe('3.1.0');
    expect(Object.keys(openapi.body.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/rollouts',
        '/api/v1/models/{model}/promote',
        '/api/v1/labels',
        '/api/v1/events',
      ]),
    );
    const parameters = Object.values(openapi.body.paths).flatMap((path) =>
      Object.values(path).flatMap((operation) => operation.parameters ?? []),
    );
    expect(parameters.filter((parameter) => parameter.in === 'header' && parameter.required)).toEqual([]);
    expect(openapi.body.components.schemas).toHaveProperty('RolloutState');
    expect((await world.get<string>('/docs')).body).toContain('swagger');
    expect((await world.get('/health/live')).status).toBe(200);
    const { body } = await world.get<string>('/metrics');
    expect(body).toContain('model_canary_version_weight_ratio{model="digits",version="v2"} 0.1');
    expect(body).toContain('model_canary_decisions_total{action="started",reason="canary-ready"} 1');
    expect(body).toContain('model_canary_controller_owned_partitions 2');
  });

  test('answers a method that a path does not take with 405 and those it takes', async () => {
    await given();
    for (const [path, allow] of [
      ['/api/v1/models', 'GET, HEAD'],
      ['/api/v1/models/digits/traffic', 'PUT'],
      ['/health/live', 'GET, HEAD'],
    ] as const) {
      const response = await fetch(`${world.controllers[0]!.url}${path}`, { method: 'DELETE', body: '{' });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allow]);
      expect(await response.json()).toMatchObject({
        code: 'method-not-allowed',
        detail: expect.stringContaining(allow) as string,
      });
    }
    expect((await world.request('DELETE', '/api/v1/nothing', undefined, {})).status).toBe(404);
  });

  test('refuses headers of any length, and says so as everything else', async () => {
    await given();
    const response = await fetch(`${world.controllers[0]!.url}/api/v1/me`, {
      headers: { 'x-long': 'x'.repeat(40_000) },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([431, 'application/problem+json']);
    expect(await response.json()).toMatchObject({ status: 431, code: 'headers-too-large' });
  });

  test.each([
    ['JSON that does not parse', '{', 'application/json', 400],
    ['a type nobody reads', 'x', 'application/octet-stream', 415],
    ['a body that is too large', 'x'.repeat(3_000_000), 'text/yaml', 413],
  ])('%s is a problem with its status', async (_, body, type, status) => {
    await given();
    const response = await fetch(`${world.controllers[0]!.url}/api/v1/rollouts`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ status });
  });
});

test('a command that nobody answers is 504 with the key to ask again', async () => {
  const bus = new MemoryBus();
  world = await World.create(bus);
  await world.controller({ env: { COMMAND_TIMEOUT_MS: '100' } });
  await world.post('/api/v1/rollouts', FILE);
  await world.decided('started');
  bus.setUnavailable(true);
  const answer = await world.post<Refused>('/api/v1/models/digits/promote', {}, { 'idempotency-key': 'k' });
  expect(answer).toMatchObject({
    status: 504,
    body: { code: 'no-answer', detail: expect.stringContaining('Idempotency-Key: k') as string },
  });
  expect((await world.get('/health/ready')).status).toBe(503);
  expect((await world.get('/health/live')).status).toBe(200);
  bus.setUnavailable(false);
  await world.decided('weight-changed');
});

test('the configuration refuses what is wrong by name', () => {
  expect(() => loadConfig(ControllerConfig, { KAFKA_BROKERS: 'a:1', CONTROLLER_TOKEN: 'short' })).toThrow(
    'CONTROLLER_TOKEN',
  );
});
