import { ManualClock } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelServer } from './testing/model-server.js';
import { sendRaw } from './testing/raw-client.js';
import { RouterFixture } from './testing/router-fixture.js';
import { type ScriptedConnection, ScriptedServer } from './testing/scripted-server.js';
import { until } from './testing/until.js';

let f: RouterFixture;
let clock: ManualClock;
let stable: ModelServer;
let canary: ScriptedServer;

/** All predictions go to a canary that speaks bytes; stable answers {"from":"stable"}. */
async function start(onRequest: (connection: ScriptedConnection) => void, changes: object = {}): Promise<void> {
  canary = await ScriptedServer.start(onRequest);
  await f.apply({ urls: { v1: stable.url, v2: canary.url }, weights: { v1: 0, v2: 1 }, deadlineMs: 1000, ...changes });
}
const startAnswering = (answer: string): Promise<void> =>
  start(({ socket }) => {
    socket.write(answer, 'latin1');
    if (!answer.includes('wait')) socket.end();
  });
/** For an answer that is longer than what may be sent twice: stable is not asked in its place. */
const LONG = { body: Buffer.alloc(1_100_000) };

beforeEach(async () => {
  clock = new ManualClock(1_795_000_000_000);
  f = await RouterFixture.start({}, clock);
  stable = await ModelServer.answering({ from: 'stable' });
});
afterEach(async () => {
  await f.close();
  await Promise.all([stable.close(), canary.close()]);
});

describe('an answer that cannot be passed on', () => {
  const cases: [string, string, string][] = [
    ['nothing', '', 'broke-off'],
    ['a part of a head', 'HTTP/1.1 200 OK\r\nContent-Le', 'broke-off'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\nwait', 'malformed-head'],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}wait', 'malformed-head'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}wait', 'malformed-head'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nwait',
      'ambiguous-length',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}wait', 'ambiguous-length'],
    ['more than it announced', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nwait', 'excess-bytes'],
    ['a body where none can be', 'HTTP/1.1 204 No Content\r\n\r\nwait', 'excess-bytes'],
    ['another protocol, as if asked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nwait', 'protocol-switch'],
    ['too many headers', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(12_000)}wait`, 'head-too-long'],
  ];

  it.each(cases)('(%s) is an error of its version, and stable answers instead', async (_what, bytes, fault) => {
    await startAnswering(bytes);
    const answer = await f.predict();
    expect([answer.status, await answer.json(), answer.headers.get('x-model-version')]).toEqual([
      200,
      { from: 'stable' },
      'v1',
    ]);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error', httpStatus: 0, fallback: true });
    expect(await f.metrics()).toContain(
      `model_canary_router_upstream_faults_total{model="m",version="v2",fault="${fault}"} 1`,
    );
    await until(() => canary.open === 0);
  });

  it.each(cases)('(%s) is a 502 where stable cannot be asked', async (_what, bytes) => {
    await startAnswering(bytes);
    const answer = await f.predict(undefined, LONG);
    expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining('{"error":"the model server')]);
    expect(answer.headers.get('x-model-version')).toBe('v2');
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error' });
  });

  it.each([
    ['a body that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'],
    ['a chunk that breaks off', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf'],
    ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
    ['a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\nwait'],
    ['chunks and more', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\nwait'],
  ])('(%s) is cut off for the client too: it cannot take it for whole', async (_what, bytes) => {
    await startAnswering(bytes);
    const client = sendRaw(f.router.url, 'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    await until(() => client.closed());
    expect(client.received()).not.toMatch(/\r\n0\r\n\r\n$/);
    const body = client.received().split('\r\n\r\n').slice(1).join('\r\n\r\n');
    expect(body.length).toBeLessThan(bytes.includes('Length') ? 9 : 100);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'error' });
    await until(() => canary.open === 0);
  });
});

describe('a model server that is slow', () => {
  /** Sends a byte whenever it is asked to. */
  const dribble = (text: string): (() => void) => {
    let sent = 0;
    return () => {
      const socket = canary.connections.at(-1)?.socket;
      if (socket && !socket.destroyed && sent < text.length) socket.write(text[sent++]!);
    };
  };

  it.each([
    ['with its head', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', 504],
    ['with its body', `HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n${'x'.repeat(200)}`, 0],
  ])('%s, a byte a second, is given up at its deadline', async (_what, text, code) => {
    await start(() => undefined, { deadlineMs: 60_000 });
    const next = dribble(text);
    const client = sendRaw(
      f.router.url,
      `POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 1100000\r\n\r\n${'x'.repeat(1_100_000)}`,
    );
    await until(() => (canary.connections[0]?.received.length ?? 0) > 1_100_000);
    if (code === 0) {
      for (let i = 0; i < 50; i++) next();
      await until(() => client.received().includes('200 OK'));
    }
    for (let second = 0; second < 60; second++) {
      if (second < 20) next();
      clock.advance(1000);
    }
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'timeout', latencyMs: 60_000 });
    await until(() => canary.open === 0);
    if (code > 0) await until(() => client.received().includes(`HTTP/1.1 ${code}`));
    else await until(() => client.closed());
    client.socket.destroy();
  });

  it('never to be reached is a timeout too, and its connections are given up', async () => {
    await start(() => undefined);
    const waiting = Array.from({ length: 20 }, () => f.predict());
    await until(() => canary.connections.length === 20);
    clock.advance(1000);
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
    await until(() => canary.open === 0);
    await until(() => f.outcomes.length === 20);
    expect(new Set(f.outcomes.map(({ status }) => status))).toEqual(new Set(['timeout']));
  });
});

describe('an answer', () => {
  it('keeps what is for one connection only to itself: informational ones, trailers, and headers that are ours', async () => {
    const ours = ['X-Prediction-Id', 'x_model_version', 'X-MODEL-SHADOW'].map((name) => `${name}: forged\r\n`).join('');
    await startAnswering(
      `HTTP/1.1 103 Early Hints\r\n${ours}\r\nHTTP/1.1 200 OK\r\n${ours}Connection: x-secret, keep-alive\r\nX-Secret: forged\r\n` +
        `X-Kept: 1\r\nTransfer-Encoding: chunked\r\nTrailer: x-prediction-id\r\n\r\n2\r\n{}\r\n0\r\n${ours}\r\nwait`.replace(
          /wait$/,
          '',
        ),
    );
    const client = sendRaw(f.router.url, 'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    await until(() => client.received().endsWith('0\r\n\r\n'));
    expect(client.received()).not.toMatch(/forged|103|trailer/i);
    expect(client.received()).toMatch(/\r\nX-Kept: 1\r\n/);
    expect(client.received().match(/x-prediction-id/gi)).toHaveLength(1);
    client.socket.destroy();
  });

  it('whose first part is long in coming begins all the same', async () => {
    await start(({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'));
    const answer = await f.predict();
    expect([answer.status, answer.headers.get('x-model-version')]).toEqual([200, 'v2']);
    canary.connections[0]!.socket.write('2\r\n{}\r\n0\r\n\r\n');
    expect(await answer.text()).toBe('{}');
  });

  it('without a length lasts until its connection ends', async () => {
    await startAnswering('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it');
    const answer = await f.predict();
    expect([answer.status, await answer.text()]).toEqual([200, 'all of it']);
    expect(await f.outcome()).toMatchObject({ version: 'v2', status: 'ok' });
  });

  it('of 204 that claims a length has none', async () => {
    await startAnswering('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
    const answer = await f.predict();
    expect([answer.status, answer.headers.get('content-length')]).toEqual([204, null]);
  });
});
