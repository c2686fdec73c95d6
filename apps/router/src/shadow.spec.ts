import { type Pair, partitionOf } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelServer } from './testing/model-server.js';
import { RouterFixture, topics } from './testing/router-fixture.js';
import { until } from './testing/until.js';

let f: RouterFixture;
let servers: ModelServer[];
let pairs: { readonly partition: number; readonly key: string; readonly pair: Pair }[];

/** v1 serves everybody; v2 gets copies. */
async function shadowed(stable: ModelServer, canary: ModelServer, changes = {}, env = {}): Promise<void> {
  servers = [stable, canary];
  f = await RouterFixture.start(env);
  f.bus.follower({
    topics: [topics.label],
    onBatch: ({ partition, records }) => {
      for (const { key, value } of records)
        pairs.push({ partition, key: String(key), pair: JSON.parse(String(value)) as Pair });
    },
  });
  await f.apply({
    urls: { v1: stable.url, v2: canary.url },
    weights: { v1: 1, v2: 0 },
    shadow: { version: 'v2', fraction: 1 },
    prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
    ...changes,
  });
}

const saying = (label: string): Promise<ModelServer> => ModelServer.answering({ class: label });
/** Answers when it is told to. */
async function waiting(): Promise<{ server: ModelServer; answer: () => void }> {
  const waits: (() => void)[] = [];
  const server = await ModelServer.start((_request, response) => {
    waits.push(() => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 13 });
      response.end('{"class":"b"}');
    });
  });
  return { server, answer: () => waits.splice(0).forEach((go) => go()) };
}

beforeEach(() => {
  servers = [];
  pairs = [];
});
afterEach(async () => {
  await f.close();
  await Promise.all(servers.map((server) => server.close()));
});

describe('a shadow step', () => {
  it('sends the canary what stable gets, answers from stable, and pairs both answers where the label will come', async () => {
    await shadowed(await saying('a'), await saying('b'));
    const answer = await f.predict('/v2/models/m/infer?x', { body: '{"inputs":[7]}' });
    expect(await answer.json()).toEqual({ class: 'a' });
    expect(answer.headers.get('x-model-version')).toBe('v1');
    await until(() => pairs.length === 1);
    const id = answer.headers.get('x-prediction-id')!;
    const [copied] = servers[1]!.requests;
    expect(String(copied!.body)).toBe('{"inputs":[7]}');
    expect(copied!.url).toBe('/v2/models/m/infer?x');
    expect(copied!.headers['x-model-shadow']).toBe('1');
    expect(servers[0]!.requests[0]!.headers).not.toHaveProperty('x-model-shadow');
    expect(pairs[0]).toEqual({
      key: id,
      partition: partitionOf(id, 4),
      pair: {
        kind: 'pair',
        schemaVersion: 1,
        predictionId: id,
        stable: 'a',
        canary: 'b',
        agree: false,
        status: { stable: 'ok', canary: 'ok' },
      },
    });
  });

  it("shows the copy's outcome as the canary's, in no bucket and of no evidence", async () => {
    await shadowed(await saying('a'), await saying('a'));
    await f.predict();
    await until(() => f.outcomes.length === 2);
    const copy = f.outcomes.find(({ version }) => version === 'v2')!;
    expect(copy).toMatchObject({ shadow: true, status: 'ok', httpStatus: 200, prediction: 'a' });
    expect(copy).not.toHaveProperty('bucket');
    expect(f.open(copy.predictionId)).toMatchObject({ counted: false, arm: 'canary', versionIndex: 2 });
    const primary = f.outcomes.find(({ version }) => version === 'v1')!;
    expect(primary.bucket).toBeDefined();
    expect(primary).not.toHaveProperty('shadow');
    expect(f.open(primary.predictionId)).toMatchObject({ counted: true, arm: 'stable' });
  });

  it('does not let the user wait for the canary', async () => {
    const canary = await waiting();
    await shadowed(await saying('a'), canary.server);
    const answer = await f.predict();
    expect(answer.status).toBe(200);
    await answer.text();
    await until(() => canary.server.requests.length === 1);
    expect(pairs).toEqual([]);
    canary.answer();
    await until(() => pairs.length === 1);
    expect(pairs[0]!.pair).toMatchObject({ stable: 'a', canary: 'b', agree: false });
  });

  it.each([
    ['fails', 500],
    ['refuses the input', 422],
  ])('keeps from the user that the canary %s, and says so in the pair', async (_how, status) => {
    await shadowed(await saying('a'), await ModelServer.answering({ error: 'no' }, status));
    expect((await f.predict()).status).toBe(200);
    await until(() => pairs.length === 1);
    expect(pairs[0]!.pair).toMatchObject({ stable: 'a', canary: null, status: { stable: 'ok', canary: 'error' } });
    expect(pairs[0]!.pair).not.toHaveProperty('agree');
  });

  it('counts a canary that is not there, and one that never answers', async () => {
    const gone = await saying('b');
    await shadowed(await saying('a'), gone);
    await gone.close();
    expect((await f.predict()).status).toBe(200);
    await until(() => pairs.length === 1);
    expect(pairs[0]!.pair.status).toEqual({ stable: 'ok', canary: 'error' });
  });

  it('gives a canary that hangs up at its deadline', async () => {
    const canary = await waiting();
    await shadowed(await saying('a'), canary.server, { deadlineMs: 100 });
    await f.predict();
    await until(() => pairs.length === 1);
    expect(pairs[0]!.pair.status).toEqual({ stable: 'ok', canary: 'timeout' });
    const ofCanary = () => f.outcomes.find(({ version }) => version === 'v2');
    await until(() => ofCanary() !== undefined);
    expect(ofCanary()).toMatchObject({ status: 'timeout', httpStatus: 0 });
  });

  it("pairs stable's failures too: an outage of both is not the canary's", async () => {
    await shadowed(await ModelServer.answering({}, 500), await saying('b'));
    expect((await f.predict()).status).toBe(500);
    await until(() => pairs.length === 1);
    expect(pairs[0]!.pair).toMatchObject({ stable: null, status: { stable: 'error', canary: 'ok' } });
  });

  it.each([
    ['of the canary', { maxConcurrency: 2 }, {}, 'overloaded'],
    ['of all copies', {}, { ROUTER_SHADOW_IN_FLIGHT_MAX: '2' }, 'too-many'],
  ])('drops copies beyond the bound %s, and counts them', async (_whose, changes, env, result) => {
    const canary = await waiting();
    await shadowed(await saying('a'), canary.server, changes, env);
    for (let i = 0; i < 5; i++) expect((await f.predict()).status).toBe(200);
    await until(() => canary.server.requests.length === 2);
    expect(await f.metrics()).toContain(
      `model_canary_router_shadow_copies_total{model="m",version="v2",result="${result}"} 3`,
    );
    canary.answer();
    await until(() => pairs.length === 2);
  });

  it('copies no body above a megabyte', async () => {
    await shadowed(await saying('a'), await saying('b'));
    expect((await f.predict(undefined, { body: Buffer.alloc(1024 * 1024 + 1) })).status).toBe(200);
    expect(await f.metrics()).toContain('result="too-long"} 1');
    expect(servers[1]!.requests).toEqual([]);
  });

  it('copies the fraction asked for, and nothing once it is over', async () => {
    await shadowed(await saying('a'), await saying('a'), { shadow: { version: 'v2', fraction: 0.5 } });
    for (let i = 0; i < 100; i++) await f.predict();
    await until(() => pairs.length === servers[1]!.requests.length);
    expect(pairs.length).toBeGreaterThan(25);
    expect(pairs.length).toBeLessThan(75);
    const before = servers[1]!.requests.length;
    const urls = { v1: servers[0]!.url, v2: servers[1]!.url };
    await f.apply({ urls, weights: { v1: 1, v2: 0 }, generation: 2 });
    for (let i = 0; i < 20; i++) await f.predict();
    expect(servers[1]!.requests.length).toBe(before);
  });

  it('copies nothing while the rollout is paused: a later decision at the same generation', async () => {
    await shadowed(await saying('a'), await saying('a'));
    await f.predict();
    await until(() => pairs.length === 1);
    const urls = { v1: servers[0]!.url, v2: servers[1]!.url };
    await f.publish({ urls, weights: { v1: 1, v2: 0 }, sequence: 2 });
    await f.apply({ model: 'n', urls, generation: 7 }); // is read after it
    for (let i = 0; i < 10; i++) await f.predict();
    expect(servers[1]!.requests).toHaveLength(1);
  });

  it('lets testers reach the canary by name, and copies none of what they send', async () => {
    await shadowed(await saying('a'), await saying('b'), {}, { ROUTER_OVERRIDE_HEADER: 'x-try-version' });
    expect(await (await f.predict(undefined, { headers: { 'x-try-version': 'v2' } })).json()).toEqual({ class: 'b' });
    expect(servers[1]!.requests[0]!.headers).not.toHaveProperty('x-model-shadow');
    await f.predict();
    await until(() => pairs.length === 1);
    expect(servers[1]!.requests).toHaveLength(2);
  });

  it('says nothing of copies that its own end cuts off', async () => {
    const canary = await waiting();
    await shadowed(await saying('a'), canary.server);
    await f.predict();
    await until(() => canary.server.requests.length === 1);
    await f.router.close();
    expect(pairs).toEqual([]);
    expect(f.outcomes.filter(({ version }) => version === 'v2')).toEqual([]);
  });
});
