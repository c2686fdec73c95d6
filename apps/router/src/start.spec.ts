import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { type ServerResponse, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { ManualClock, classHash, modelHash } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelServer } from './testing/model-server.js';
import { RouterFixture } from './testing/router-fixture.js';
import { type RawClient, sendRaw } from './testing/raw-client.js';
import { until, untilSettled } from './testing/until.js';

let f: RouterFixture;
let servers: ModelServer[];

async function serving(...started: Promise<ModelServer>[]): Promise<ModelServer[]> {
  servers.push(...(await Promise.all(started)));
  return servers;
}
/** v1 stable and v2 canary on two servers; everything goes to the canary unless said otherwise. */
const both = (weights = { v1: 0, v2: 1 }) => ({ urls: { v1: servers[0]!.url, v2: servers[1]!.url }, weights });
const stableOnly = () => ({ urls: { v1: servers[0]!.url }, canary: undefined, weights: { v1: 1 } });
const raw = (text: string): RawClient => sendRaw(f.router.url, text);
/** Whether the router still takes new connections. */
function connects(): Promise<boolean> {
  const { socket } = raw('');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
/** A fresh router on a clock that stands still. */
async function onManualClock(): Promise<ManualClock> {
  await f.close();
  const clock = new ManualClock(1_795_000_000_000);
  f = await RouterFixture.start({}, clock);
  return clock;
}

beforeEach(async () => {
  servers = [];
  f = await RouterFixture.start({ ROUTER_OVERRIDE_HEADER: 'x-try-version', ROUTER_BODY_BYTES_MAX: '3000000' });
});
afterEach(async () => {
  await f.close();
  await Promise.all(servers.map((server) => server.close()));
});

describe('forwarding', () => {
  it('passes a megabyte there and back byte for byte, at the same path and query', async () => {
    await serving(
      ModelServer.start((_request, response, body) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-length': body.length });
        response.end(body);
      }),
    );
    await f.apply(stableOnly());
    const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 256));
    const headers = { 'Inference-Header-Content-Length': '17' };
    const answer = await f.predict('/v2/models/m/versions/3/infer?a=%20b&c', { body, headers });
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
    expect(servers[0]!.requests[0]).toMatchObject({
      url: '/v2/models/m/versions/3/infer?a=%20b&c',
      headers: { 'inference-header-content-length': '17', 'content-length': '1000000' },
    });
    expect(servers[0]!.requests[0]!.body.equals(body)).toBe(true);
  });

  it('strips /models/{model} from any other path, and keeps the base path of a version', async () => {
    await serving(ModelServer.answering({}));
    await f.apply({ ...stableOnly(), urls: { v1: `${servers[0]!.url}/base/` } });
    await f.predict('/models/m/v1/chat/completions?x');
    await f.predict('/v1/models/m:predict');
    expect(servers[0]!.requests.map((r) => r.url)).toEqual([
      '/base/v1/chat/completions?x',
      '/base/v1/models/m:predict',
    ]);
  });

  it('streams: each piece of an answer arrives before the next is made', async () => {
    let next: (() => void) | null = null;
    await serving(
      ModelServer.start((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let n = 0;
        next = () => (n < 3 ? response.write(`data: ${n++}\n\n`) : response.end('data: [DONE]\n\n'));
        next();
      }),
    );
    await f.apply({ ...stableOnly(), prediction: { pointer: '/x', kind: 'class', tolerance: 0 } });
    const answer = await f.predict('/models/m/v1/chat/completions');
    const pieces: string[] = [];
    for await (const piece of answer.body!) {
      pieces.push(Buffer.from(piece as Uint8Array).toString());
      next!();
    }
    expect(pieces).toEqual(['data: 0\n\n', 'data: 1\n\n', 'data: 2\n\n', 'data: [DONE]\n\n']);
    expect((await f.outcome()).firstByteMs).toBeGreaterThan(0);
  });

  it('waits for a slow reader without being late for it: the deadline is the version’s', async () => {
    const clock = await onManualClock();
    let answer: ServerResponse | null = null;
    await serving(
      ModelServer.start((request, response) => {
        if (request.url === '/hang') return;
        answer = response;
        response.writeHead(200);
        response.end(Buffer.alloc(20_000_000));
      }),
    );
    await f.apply({ ...stableOnly(), deadlineMs: 300 });
    const { socket, received } = raw('POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    await until(() => received().length > 0);
    socket.pause();
    await untilSettled(() => answer!.writableLength);
    expect(answer!.writableLength).toBeGreaterThan(0);
    const hanging = f.predict('/models/m/hang');
    await until(() => servers[0]!.requests.length === 2);
    clock.advance(500);
    expect((await hanging).status, 'late, in the same sweep').toBe(504);
    socket.resume();
    await until(() => received().length > 20_000_000);
    await until(() => f.outcomes.length === 2);
    expect(f.outcomes.map(({ status }) => status).sort()).toEqual(['ok', 'timeout']);
    socket.destroy();
  });

  it('cuts off a client that has stopped reading, whether the answer is complete or not', async () => {
    const clock = await onManualClock();
    await serving(
      ModelServer.start((request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(request.url === '/long' ? Buffer.alloc(20_000_000) : JSON.stringify('x'.repeat(200_000)));
      }),
    );
    await f.apply({ ...stableOnly(), prediction: { pointer: '', kind: 'class', tolerance: 0 } });
    // The short ones are complete in the router; together they are more than the kernel takes for a client.
    const head = (path: string) => `POST /models/m/${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`;
    const clients = [raw(head('long')), raw(head('short').repeat(100))];
    for (const { socket } of clients) socket.pause();
    await until(() => servers[0]!.requests.length > 20);
    await untilSettled(() => servers[0]!.requests.length);
    clock.advance(59_999);
    await f.predict('/models/m/short');
    expect(clients.map(({ closed }) => closed())).toEqual([false, false]);
    // On a busy machine some bytes may have found room just now: their client has a minute from then.
    clock.advance(60_000);
    // Who does not read hears of the end only when it writes; reading would be progress.
    await until(() => {
      for (const { socket } of clients) socket.write('\r\n');
      return clients.every(({ closed }) => closed());
    });
    expect(clients[0]!.received().length).toBeLessThan(20_000_000);
    expect(clients[1]!.received().length).toBeLessThan(100 * 200_000);
  });

  it('keeps headers of one connection and its own from going either way', async () => {
    await serving(
      ModelServer.start((_request, response) => {
        response.writeHead(200, [
          'X-Prediction-Id',
          'fake',
          'x-model-version',
          'fake',
          'Set-Cookie',
          'a',
          'Set-Cookie',
          'b',
        ]);
        response.end('{}');
      }),
    );
    await f.apply(stableOnly());
    const headers = { 'x-prediction-id': 'forged', 'X-Model-Version': 'v9', 'x-try-version': 'v1', 'x-keep': 'yes' };
    const answer = await f.predict(undefined, { headers });
    expect(answer.headers.get('x-model-version')).toBe('v1');
    expect(f.open(answer.headers.get('x-prediction-id')).versionIndex).toBe(1);
    expect(answer.headers.getSetCookie()).toEqual(['a', 'b']);
    const seen = servers[0]!.requests[0]!.headers;
    expect(seen).toMatchObject({ 'x-keep': 'yes', host: new URL(servers[0]!.url).host });
    for (const name of ['x-prediction-id', 'x-model-version', 'x-try-version']) expect(seen).not.toHaveProperty(name);
  });

  it('takes GETs of a model through too, and they are no predictions', async () => {
    await serving(ModelServer.answering({ name: 'm' }));
    await f.apply(stableOnly());
    const answer = await f.predict('/v2/models/m/ready', { method: 'GET', body: undefined });
    expect(await answer.json()).toEqual({ name: 'm' });
    expect(answer.headers.get('x-prediction-id')).toBeNull();
    await f.predict();
    await f.outcome();
    expect(f.outcomes).toHaveLength(1);
  });

  it('answers HEAD, 204 and 304 without a body and keeps the connection', async () => {
    await serving(
      ModelServer.start((request, response) => {
        response.writeHead(request.url!.endsWith('304') ? 304 : 204);
        response.end();
      }),
    );
    await f.apply(stableOnly());
    expect((await f.predict('/models/m/204')).status).toBe(204);
    expect((await f.predict('/models/m/304')).status).toBe(304);
    expect((await f.predict('/models/m/x', { method: 'HEAD', body: undefined })).status).toBe(204);
  });

  it('adds headers of its own, which a client cannot replace', async () => {
    await f.router.close();
    await f.startRouter({
      ROUTER_UPSTREAM_HEADERS: '{"*":{"authorization":"Bearer s","x-all":"1"},"v1":{"x-all":"2"}}',
    });
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    await f.predict(undefined, { headers: { Authorization: 'Bearer mine' } });
    expect(servers[0]!.requests[0]!.headers).toMatchObject({ authorization: 'Bearer s', 'x-all': '2' });
  });
});

describe('refusing', () => {
  const error = async (answer: Response): Promise<[number, string]> => [
    answer.status,
    ((await answer.json()) as { error: string }).error,
  ];

  it('says 404 for an unknown model and 400 for a path that climbs', async () => {
    expect(await error(await f.predict('/v2/models/nobody/infer'))).toEqual([404, 'unknown model nobody']);
    const climbing = raw('POST /models/m/../x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    await until(() => climbing.received().includes('dot segments'));
    expect(climbing.received()).toMatch(/^HTTP\/1.1 400 /);
  });

  it('says 503 while it may only not know the model yet', async () => {
    await f.router.close();
    f.bus.setUnavailable(true);
    await f.startRouter();
    expect(await error(await f.predict())).toEqual([503, expect.stringContaining('no weights are known')]);
    const ready = await fetch(`${f.router.url}/health/ready`);
    expect(ready.status).toBe(503);
    f.bus.setUnavailable(false);
  });

  it('says 413 for a body that is announced too long, or turns out to be, and the sender can read it', async () => {
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    expect(await error(await f.predict(undefined, { body: Buffer.alloc(3_000_001) }))).toMatchObject([413, /too long/]);
    const answer = new Promise<number>((resolve, reject) => {
      const request = httpRequest(`${f.router.url}/v2/models/m/infer`, { method: 'POST' }, (response) => {
        resolve(response.statusCode!);
        request.destroy();
      });
      request.on('error', reject);
      for (let i = 0; i < 5; i++) request.write(Buffer.alloc(1_000_000));
    });
    expect(await answer).toBe(413);
    expect(servers[0]!.requests).toHaveLength(0);
  });

  it('asks for a body only if it will read it: Expect 100-continue', async () => {
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    const head = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ';
    const small = raw(`${head}2\r\n\r\n`);
    await until(() => small.received().includes('100 Continue'));
    small.socket.write('{}');
    await until(() => small.received().includes('200 OK'));
    const big = raw(`${head}3000001\r\n\r\n`);
    await until(() => big.received().includes('413'));
    expect(big.received()).not.toContain('100 Continue');
    small.socket.destroy();
    big.socket.destroy();
  });

  it('takes a request that offers an upgrade as a plain one', async () => {
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    const upgrade = raw(
      'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nContent-Length: 2\r\n\r\n{}',
    );
    await until(() => upgrade.received().includes('200 OK'));
    expect(servers[0]!.requests[0]!.headers).not.toHaveProperty('http2-settings');
    upgrade.socket.destroy();
  });
});

describe('a prediction', () => {
  it('is recorded once, with an id that says what its outcome says', async () => {
    await serving(ModelServer.answering({}), ModelServer.answering({ outputs: [{ data: [7] }] }));
    await f.apply({ ...both(), prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 } });
    const answer = await f.predict(undefined, { headers: { 'x-user-id': 'ann' } });
    expect(await answer.json()).toEqual({ outputs: [{ data: [7] }] });
    const id = answer.headers.get('x-prediction-id');
    const outcome = await f.outcome();
    expect(outcome).toMatchObject({
      predictionId: id,
      model: 'm',
      version: 'v2',
      generation: 1,
      bucket: 0,
      sequence: 0,
      status: 'ok',
      httpStatus: 200,
      prediction: 7,
    });
    expect(f.open(id)).toMatchObject({
      modelHash: modelHash('m'),
      generation: 1,
      versionIndex: 2,
      arm: 'canary',
      routedAt: outcome.routedAt,
      sinceBucketMs: 0,
      unit: outcome.unit,
      valueKind: 'class',
      value: classHash('7'),
      counted: true,
    });
  });

  it('has no class in its id when the answer is too long, compressed, not JSON or an error', async () => {
    const answers = [
      { 'content-type': 'application/json', 'content-encoding': 'br' },
      { 'content-type': 'text/plain' },
    ];
    await serving(
      ModelServer.start((request, response) => {
        const n = Number(request.url!.slice(1));
        response.writeHead(n === 2 ? 422 : 200, answers[n] ?? { 'content-type': 'application/json' });
        response.end(n === 3 ? JSON.stringify({ x: 'y'.repeat(300_000) }) : '{"x":1}');
      }),
    );
    await f.apply({ ...stableOnly(), prediction: { pointer: '/x', kind: 'class', tolerance: 0 } });
    for (let n = 0; n < 4; n++) {
      const answer = await f.predict(`/models/m/${n}`);
      expect(f.open(answer.headers.get('x-prediction-id')).valueKind).toBe('none');
      await answer.arrayBuffer().catch(() => undefined);
    }
  });

  it('has its class from an answer in chunks too, unless they come to too much: those go on as they come', async () => {
    const long = JSON.stringify({ x: 'y'.repeat(700_000) });
    await serving(
      ModelServer.start((request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
        const body = request.url === '/long' ? long : '{"x":1}';
        for (let at = 0; at < body.length; at += 4 + Math.floor(body.length / 5)) {
          response.write(body.slice(at, at + 4 + Math.floor(body.length / 5)));
        }
        response.end();
      }),
    );
    await f.apply({ ...stableOnly(), prediction: { pointer: '/x', kind: 'class', tolerance: 0 } });
    const short = await f.predict('/models/m/short');
    expect(f.open(short.headers.get('x-prediction-id'))).toMatchObject({ valueKind: 'class', value: classHash('1') });
    expect(await short.text()).toBe('{"x":1}');
    const answer = await f.predict('/models/m/long');
    expect(f.open(answer.headers.get('x-prediction-id')).valueKind).toBe('none');
    expect(await answer.text()).toBe(long);
  });

  it('goes with all others of its bucket, which ends by saying so', async () => {
    await serving(ModelServer.answering({}), ModelServer.answering({}));
    await f.apply(both({ v1: 0.5, v2: 0.5 }));
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => f.predict(undefined, { headers: { 'x-user-id': `u${i}` } })),
    );
    await until(() => f.buckets.some((b) => b.final));
    const bucket = f.buckets.find((b) => b.final)!;
    for (const version of ['v1', 'v2']) {
      const outcomes = f.outcomes.filter((o) => o.version === version && o.bucket === bucket.bucket);
      expect(bucket.versions[version]).toEqual({
        routed: outcomes.length,
        intended: outcomes.length,
        pending: 0,
        dropped: 0,
      });
    }
    const lane = f.records.filter((r) => r.kind !== 'tick' && r.lane === bucket.lane);
    expect(lane.map((r) => (r.kind === 'tick' ? -1 : r.sequence))).toEqual(lane.map((_, i) => i));
  });

  it('stays on its version by the user header, and by our cookie when that is on', async () => {
    await f.router.close();
    await f.startRouter({ ROUTER_USER_COOKIE: 'true' });
    await serving(ModelServer.answering({}), ModelServer.answering({}));
    await f.apply(both({ v1: 0.5, v2: 0.5 }));
    const first = await f.predict();
    const cookie = first.headers.getSetCookie()[0]!.split(';')[0]!;
    const versions = new Set<string | null>();
    for (let i = 0; i < 10; i++) {
      const answer = await f.predict(undefined, { headers: { cookie } });
      expect(answer.headers.getSetCookie()).toEqual([]);
      versions.add(answer.headers.get('x-model-version'));
    }
    expect([...versions]).toEqual([first.headers.get('x-model-version')]);
  });

  it('by a tester is shown and not counted, and a version that is not there is refused', async () => {
    await serving(ModelServer.answering({}), ModelServer.answering({}));
    await f.apply(both({ v1: 1, v2: 0 }));
    const answer = await f.predict(undefined, { headers: { 'x-try-version': 'v2' } });
    expect(answer.headers.get('x-model-version')).toBe('v2');
    expect(f.open(answer.headers.get('x-prediction-id')).counted).toBe(false);
    const outcome = await f.outcome();
    expect(outcome).toMatchObject({ version: 'v2', override: true });
    expect(outcome).not.toHaveProperty('bucket');
    const unknown = await f.predict(undefined, { headers: { 'x-try-version': 'v7' } });
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: 'model m has no version v7; it has: v1, v2' },
    ]);
  });
});

describe('a canary that fails', () => {
  const expectFallback = async (answer: Response, ending: object): Promise<void> => {
    expect([answer.status, await answer.text()]).toEqual([200, '{"from":"stable"}']);
    expect(answer.headers.get('x-model-version')).toBe('v1');
    const attribution = f.open(answer.headers.get('x-prediction-id'));
    expect(attribution).toMatchObject({ versionIndex: 1, arm: 'stable', counted: false });
    const outcome = await f.outcome();
    expect(outcome).toMatchObject({ version: 'v2', fallback: true, ...ending });
    expect(outcome.predictionId).toBe(answer.headers.get('x-prediction-id'));
    await f.router.close(); // nothing comes after it
    expect(f.outcomes).toHaveLength(1);
  };
  const stable = () => ModelServer.answering({ from: 'stable' });

  it('by being away is replaced by stable, once, and the outcome stays the canary’s', async () => {
    const [, gone] = await serving(stable(), stable());
    await gone!.close();
    await f.apply(both());
    await expectFallback(await f.predict(), { status: 'error', httpStatus: 0 });
    expect(servers[0]!.requests[0]!.body.toString()).toBe('{"inputs":[]}');
  });

  it('by a 5xx is replaced by stable', async () => {
    await serving(stable(), ModelServer.answering({ error: 'x' }, 503));
    await f.apply(both());
    await expectFallback(await f.predict(), { status: 'error', httpStatus: 503 });
  });

  it('by not answering in time is replaced by stable, and its connection is cut', async () => {
    await serving(
      stable(),
      ModelServer.start(() => undefined),
    );
    const clock = await onManualClock();
    await f.apply({ ...both(), deadlineMs: 100 });
    const answer = f.predict();
    await until(() => servers[1]!.requests.length === 1);
    clock.advance(100);
    await expectFallback(await answer, { status: 'timeout', httpStatus: 0, latencyMs: 100 });
    await until(() => servers[1]!.aborted === 1);
  });

  it('by having too much to do is replaced by stable', async () => {
    let release: (() => void) | null = null;
    await serving(
      stable(),
      ModelServer.start((_request, response) => (release = () => void response.end('{}'))),
    );
    const state = both();
    await f.apply({ ...state, maxConcurrency: 1 });
    const first = f.predict();
    await until(() => release !== null);
    const second = await f.predict();
    release!();
    expect((await first).headers.get('x-model-version')).toBe('v2');
    await until(() => f.outcomes.length === 2);
    expect(f.outcomes[0]).toMatchObject({ version: 'v2', fallback: true, status: 'overloaded', latencyMs: 0 });
    expect(f.outcomes[0]!.predictionId).toBe(second.headers.get('x-prediction-id'));
    expect(second.headers.get('x-model-version')).toBe('v1');
  });

  it('in the middle of an answer that is held back is replaced by stable', async () => {
    await serving(
      stable(),
      ModelServer.start((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
        response.write('{"half":', () => response.destroy());
      }),
    );
    await f.apply({ ...both(), prediction: { pointer: '/from', kind: 'class', tolerance: 0 } });
    await expectFallback(await f.predict(), { status: 'error', httpStatus: 200 });
  });

  it('in the middle of an answer that is on its way takes the client’s connection with it', async () => {
    let breakOff: (() => void) | null = null;
    await serving(
      stable(),
      ModelServer.start((_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half');
        breakOff = () => void response.destroy();
      }),
    );
    await f.apply(both());
    const answer = await f.predict();
    breakOff!();
    await expect(answer.text()).rejects.toThrow();
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error', httpStatus: 200 });
  });

  it('is not replaced for a body too long to send twice', async () => {
    await serving(stable(), ModelServer.answering({ error: 'x' }, 500));
    await f.apply(both());
    const answer = await f.predict(undefined, { body: Buffer.alloc(1_100_000) });
    expect([answer.status, answer.headers.get('x-model-version')]).toEqual([500, 'v2']);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error', httpStatus: 500 });
  });

  it('by a 4xx is not replaced: that is an answer', async () => {
    await serving(stable(), ModelServer.answering({ error: 'schema' }, 422));
    await f.apply(both());
    expect((await f.predict()).status).toBe(422);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error', httpStatus: 422 });
  });

  it('together with stable gives stable’s failure to the client and one outcome, the canary’s', async () => {
    await serving(ModelServer.answering({ error: 'both' }, 500), ModelServer.answering({ error: 'x' }, 503));
    await f.apply(both());
    const answer = await f.predict();
    expect([answer.status, await answer.text()]).toEqual([500, '{"error":"both"}']);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error', httpStatus: 503, fallback: true });
  });
});

describe('a stable that fails', () => {
  it.each([
    ['away', 502, 'error'],
    ['hanging', 504, 'timeout'],
    ['overloaded', 503, 'overloaded'],
  ])('by being %s is answered with %d', async (how, code, status) => {
    const clock = await onManualClock();
    await serving(ModelServer.start(() => undefined));
    const url = how === 'away' ? 'http://127.0.0.1:1' : servers[0]!.url;
    await f.apply({
      ...stableOnly(),
      urls: { v1: url },
      deadlineMs: 60,
      maxConcurrency: how === 'overloaded' ? 1 : 100,
    });
    const first = f.predict();
    if (how !== 'away') await until(() => servers[0]!.requests.length === 1);
    if (how === 'hanging') clock.advance(60);
    const answer = how === 'overloaded' ? await f.predict() : await first;
    expect(answer.status).toBe(code);
    expect(await answer.json()).toHaveProperty('error');
    expect(await f.outcome()).toMatchObject({ version: 'v1', status });
    clock.advance(60);
    await first;
  });
});

describe('a client that goes away', () => {
  it('takes its request to the model server with it, and is no error', async () => {
    await serving(
      ModelServer.answering({}),
      ModelServer.start(() => undefined),
    );
    await f.apply(both());
    const gone = new AbortController();
    const answer = f.predict(undefined, { signal: gone.signal });
    await until(() => servers[1]!.requests.length === 1);
    gone.abort();
    await expect(answer).rejects.toThrow();
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'cancelled', httpStatus: 0 });
    await until(() => servers[1]!.aborted === 1);
    expect(servers[0]!.requests).toHaveLength(0);
  });

  it('in the middle of its own request leaves nothing behind', async () => {
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    const { socket } = raw('POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf');
    await f.predict(); // by now the router has read the half
    socket.destroy();
    await f.predict();
    await f.router.close();
    expect(f.outcomes).toHaveLength(2);
    expect(servers[0]!.requests).toHaveLength(2);
  });
});

describe('the router’s own paths', () => {
  it('say that it lives, that it is ready and what it measures', async () => {
    const get = async (path: string) => (await fetch(`${f.router.url}${path}`)).json();
    expect(await get('/health/live')).toEqual({ live: true });
    expect(await get('/health/ready')).toEqual({ ready: true, reasons: [] });
    expect(await get('/v2/health/ready')).toEqual({ ready: true });
    expect(await get('/v2')).toMatchObject({ name: 'model-canary-router' });
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    await f.predict();
    await f.outcome();
    const metrics = await f.metrics();
    for (const line of [
      'model_canary_router_weight_ratio{model="m",version="v1"} 1',
      'model_canary_router_predictions_total{model="m",version="v1",status="ok"} 1',
      'model_canary_router_outcomes_total{model="m",version="v1",state="acknowledged"} 1',
      'model_canary_router_weights_current 1',
    ]) {
      expect(metrics).toContain(line);
    }
  });
});

describe('weights', () => {
  it('are followed, never to an older generation, and a state that cannot be served changes nothing', async () => {
    await serving(ModelServer.answering({}), ModelServer.answering({}));
    await f.apply({ ...both({ v1: 0, v2: 1 }), generation: 5 });
    const version = async () => (await f.predict()).headers.get('x-model-version');
    expect(await version()).toBe('v2');
    await f.publish({ ...both({ v1: 1, v2: 0 }), generation: 4 });
    await f.publish({ ...both(), urls: {}, generation: 6 });
    await f.publishRubbish('m');
    await f.apply({ ...stableOnly(), model: 'n', generation: 1 });
    expect(await version()).toBe('v2');
    await f.apply({ ...both({ v1: 1, v2: 0 }), generation: 7 });
    expect(await version()).toBe('v1');
  });

  it('are served from disk without Kafka, and outcomes wait for it', async () => {
    await serving(ModelServer.answering({}));
    await f.apply({ ...stableOnly(), generation: 3 });
    await f.router.close();
    f.bus.setUnavailable(true);
    await f.startRouter();
    expect((await f.predict()).status).toBe(200);
    expect((await fetch(`${f.router.url}/health/ready`)).status).toBe(200);
    f.bus.setUnavailable(false);
    expect(await f.outcome()).toMatchObject({ generation: 3 });
  });

  it('are never older than those on disk, not after a restart either', async () => {
    await serving(ModelServer.answering({}), ModelServer.answering({}));
    await f.apply({ ...both({ v1: 0, v2: 1 }), generation: 5 });
    await f.router.close();
    // Another Kafka, which lags behind: as after the restore of a backup.
    const older = await RouterFixture.start({ ROUTER_DATA_DIR: f.dataDir });
    await older.publish({ ...both({ v1: 1, v2: 0 }), generation: 4 });
    await older.apply({ ...stableOnly(), model: 'n', generation: 1 });
    expect((await older.predict()).headers.get('x-model-version')).toBe('v2');
    await older.apply({ ...both({ v1: 1, v2: 0 }), generation: 6 });
    expect((await older.predict()).headers.get('x-model-version')).toBe('v1');
    await older.close();
  });

  it('that are damaged on disk are not served: without Kafka the router is not ready', async () => {
    await serving(ModelServer.answering({}));
    await f.apply({ ...stableOnly(), generation: 3 });
    await f.router.close();
    const directory = join(f.dataDir, 'weights');
    const [file] = readdirSync(directory).map((name) => join(directory, name));
    writeFileSync(file!, readFileSync(file!, 'utf8').slice(0, -5));
    f.bus.setUnavailable(true);
    await f.startRouter();
    expect((await fetch(`${f.router.url}/health/ready`)).status).toBe(503);
    expect((await f.predict()).status).toBe(503);
    f.bus.setUnavailable(false);
    await until(async () => (await f.predict()).status === 200);
    expect((await f.outcome()).generation).toBe(3);
  });

  it('end with a tombstone', async () => {
    await serving(ModelServer.answering({}));
    await f.apply(stableOnly());
    await f.publishTombstone('m');
    await until(async () => (await f.predict()).status === 404);
  });
});

describe('closing', () => {
  it('finishes what is under way, refuses nothing before, and loses no outcome', async () => {
    let release: (() => void) | null = null;
    await serving(ModelServer.start((_request, response) => (release = () => void response.end('{}'))));
    await f.apply(stableOnly());
    const answer = f.predict();
    await until(() => release !== null);
    const closed = f.router.close();
    release!();
    expect((await answer).headers.get('connection')).toBe('close');
    await closed;
    await until(() => f.buckets.some((b) => b.final));
    expect(f.outcomes).toHaveLength(1);
  });

  it('asks also who only looks at its health to go away, and does not wait for them', async () => {
    await serving(ModelServer.answering({}));
    await f.router.close();
    await f.startRouter({ ROUTER_DRAIN_DELAY_MS: '100' });
    const probe = 'GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n';
    const kept = raw(probe);
    await until(() => kept.received().includes('200 OK'));
    const closed = f.router.close();
    kept.socket.write(probe);
    await until(() => kept.closed());
    expect(kept.received().match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    expect(kept.received()).toMatch(/connection: close/i);
    await closed;
  });

  it('answers what comes on connections that were there, once, when new ones are not taken any more', async () => {
    await serving(ModelServer.answering({}));
    await f.router.close();
    await f.startRouter({ ROUTER_DRAIN_DELAY_MS: '300' });
    await f.apply(stableOnly());
    const prediction = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n';
    const [used, fresh] = [raw(prediction), raw('')];
    await until(() => used.received().includes('200 OK'));
    const closed = f.router.close();
    // Seldom enough that the router does not take it for somebody who is still coming.
    while (await connects()) await new Promise((resolve) => setTimeout(resolve, 400));
    for (const { socket } of [used, fresh]) socket.write(prediction);
    await until(() => used.closed() && fresh.closed());
    expect(used.received().match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
    for (const { received } of [used, fresh]) expect(received()).toMatch(/connection: close/i);
    await closed;
    expect(f.outcomes).toHaveLength(3);
  });
});
