import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChurnTally, churnConnections } from './testing/connection-churn.js';
import { ModelServer } from './testing/model-server.js';
import { type RawClient, sendRaw } from './testing/raw-client.js';
import { RouterFixture } from './testing/router-fixture.js';
import { seededRandom } from './testing/seeded-random.js';
import { until, untilSettled } from './testing/until.js';

const HEAD = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\n';
const WHOLE = `${HEAD}Content-Length: 2\r\n\r\n{}`;

let f: RouterFixture;
let server: ModelServer;
let clients: RawClient[];

function raw(text: string): RawClient {
  const client = sendRaw(f.router.url, text);
  clients.push(client);
  return client;
}
const statuses = ({ received }: RawClient): number[] =>
  [...received().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
async function start(answer: Parameters<typeof ModelServer.start>[0], env: Record<string, string> = {}): Promise<void> {
  server = await ModelServer.start(answer);
  f = await RouterFixture.start(env);
  await f.apply({ urls: { v1: server.url }, canary: undefined, weights: { v1: 1 } });
}
const startAnswering = (env: Record<string, string> = {}): Promise<void> =>
  start((_request, response) => void response.end('{}'), env);

async function stop(): Promise<void> {
  await f.close();
  await server.close();
}

beforeEach(() => {
  clients = [];
});
afterEach(() => {
  for (const { socket } of clients) socket.destroy();
});

describe('a request whose end two readers may see in different places', () => {
  beforeAll(() => startAnswering());
  afterAll(stop);

  it.each([
    ['a length and chunks', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['two lengths that differ', `${HEAD}Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}`],
    ['a list of lengths', `${HEAD}Content-Length: 2, 2\r\n\r\n{}`],
    ['a signed length', `${HEAD}Content-Length: +2\r\n\r\n{}`],
    ['a negative length', `${HEAD}Content-Length: -2\r\n\r\n{}`],
    ['a length in another base', `${HEAD}Content-Length: 0x2\r\n\r\n{}`],
    ['an empty length', `${HEAD}Content-Length:\r\n\r\n{}`],
    ['a length beyond all numbers', `${HEAD}Content-Length: ${'9'.repeat(30)}\r\n\r\n{}`],
    ['a blank before the colon', `${HEAD}Content-Length : 2\r\n\r\n{}`],
    ['a name with a blank of another alphabet', `${HEAD}Content-Length\xa0: 2\r\n\r\n{}`],
    ['an encoding in disguise', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['an encoding after a vertical tab', `${HEAD}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
    ['chunks that are not the last encoding', `${HEAD}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    ['chunks twice', `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['no encoding by name', `${HEAD}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    ['a folded encoding', `${HEAD}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${HEAD}X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['bare line feeds', WHOLE.replaceAll('\r\n', '\n')],
    ['one bare line feed', `${HEAD}X-A: 1\nContent-Length: 2\r\n\r\n{}`],
    ['a bare line feed at its end', `${HEAD}Content-Length: 2\r\n\n{}`],
    ['a bare carriage return', `${HEAD}X-A: 1\rContent-Length: 9\r\nContent-Length: 2\r\n\r\n{}`],
    ['a NUL', `${HEAD}X-A: \0\r\nContent-Length: 2\r\n\r\n{}`],
    ['no colon', `${HEAD}X-A\r\nContent-Length: 2\r\n\r\n{}`],
    ['no host', 'POST /v2/models/m/infer HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'],
    ['two hosts', `${HEAD}Host: i\r\nContent-Length: 2\r\n\r\n{}`],
    ['a size of a chunk that is none', `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n`],
    ['a size of a chunk beyond all numbers', `${HEAD}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n{}\r\n`],
    ['a bare line feed after a size', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n`],
    ['no line break after a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n`],
    ['a version that is none', WHOLE.replace('1.1', '1.2')],
    ['a method that is none', WHOLE.replace('POST', 'BREW')],
    ['a blank in its target', WHOLE.replace('/infer', '/in fer')],
    ['bytes of no alphabet in its target', WHOLE.replace('/infer', '/\xe9')],
  ])('(%s) is refused, reaches nobody, and its connection ends', async (_what, text) => {
    const client = raw(text);
    await until(() => client.closed());
    // Where the parser stops only after the request has begun, the connection is cut without a word.
    expect(statuses(client).filter((status) => status !== 400)).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  it('(an encoding that is not understood) is refused with 501', async () => {
    const client = raw(`${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
    await until(() => statuses(client).length === 1);
    expect(statuses(client)).toEqual([501]);
    expect(server.requests).toEqual([]);
  });

  it('(anything, damaged at random) makes the model server see nothing that was not routed', async () => {
    const parts = [WHOLE, `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, WHOLE];
    const hidden = 'POST /v2/models/m/smuggled HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n';
    for (let seed = 1; seed <= 250; seed++) {
      const random = seededRandom(seed);
      const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)]!;
      let text = `${pick(parts)}${pick(parts)}`.replace('{}', random() < 0.2 ? hidden : '{}');
      for (let hurts = Math.floor(random() * 3); hurts > 0; hurts--) {
        const at = Math.floor(random() * text.length);
        const wrong = [
          '\r',
          '\n',
          '\r\n',
          ' ',
          '\t',
          '\0',
          ':',
          '0',
          ',',
          'Transfer-Encoding: chunked\r\n',
          '\r\n\r\n',
        ];
        text = text.slice(0, at) + pick(wrong) + text.slice(at + (random() < 0.5 ? 1 : 0));
      }
      raw(text);
    }
    await untilSettled(() => clients.reduce((sum, { received }) => sum + received().length, server.requests.length));
    for (const { socket } of clients) socket.destroy();
    await f.router.close();
    // Each was routed by us: one that another hid would have no outcome. Those cut off early may not have got there.
    const answers = clients.flatMap(({ received }) => [...received().matchAll(/\r\nx-model-version: /g)]);
    expect(f.outcomes.filter(({ status }) => status === 'ok').length).toBeGreaterThanOrEqual(answers.length);
    expect(server.requests.length).toBeLessThanOrEqual(f.outcomes.length);
    expect(answers.length).toBeGreaterThan(50);
    expect(server.requests.filter(({ headers }) => headers.host !== new URL(server.url).host)).toEqual([]);
  });
});

describe('a request', () => {
  afterEach(stop);

  it('may follow another on its connection before that is answered: answers come in order', async () => {
    await startAnswering();
    const client = raw([1, 2, 3].map((n) => WHOLE.replace('infer', `infer?${n}`)).join(''));
    await until(() => statuses(client).length === 3);
    expect(server.requests.map(({ url }) => url).sort()).toEqual([1, 2, 3].map((n) => `/v2/models/m/infer?${n}`));
    await until(() => f.outcomes.length === 3);
    const ids = [...client.received().matchAll(/x-prediction-id: (\S+)/g)].map(([, id]) => id);
    expect(ids.sort()).toEqual(f.outcomes.map(({ predictionId }) => predictionId).sort());
  });

  it('of the old protocol gets an answer of the old protocol: no chunks, and the connection ends', async () => {
    await start((_request, response) => {
      response.write('{');
      response.end('}');
    });
    const client = raw('POST /v2/models/m/infer HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}');
    await until(() => client.closed());
    expect(client.received()).toMatch(/\r\n\r\n\{\}$/);
    expect(client.received()).not.toMatch(/transfer-encoding/i);
  });

  it('that expects something else than to continue is refused with 417', async () => {
    await startAnswering();
    const client = raw(`${HEAD}Expect: tea\r\nContent-Length: 2\r\n\r\n{}`);
    await until(() => statuses(client).length === 1);
    expect(statuses(client)).toEqual([417]);
    expect(server.requests).toEqual([]);
  });

  it('for an unknown model is not asked for its body', async () => {
    await startAnswering();
    const client = raw(`${HEAD.replace('/m/', '/nobody/')}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
    await until(() => statuses(client).length === 1);
    expect(statuses(client)).toEqual([404]);
  });

  it('to open a tunnel is refused', async () => {
    await startAnswering();
    const client = raw('CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n');
    await until(() => client.closed());
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['long', `X-A: ${'x'.repeat(20_000)}\r\n`],
    ['many', 'a:\r\n'.repeat(2050)],
  ])('with headers that are too %s is refused with 431', async (_what, lines) => {
    await startAnswering();
    const client = raw(`${HEAD}${lines}Content-Length: 2\r\n\r\n{}`);
    await until(() => client.closed());
    expect(statuses(client)).toEqual([431]);
    expect(server.requests).toEqual([]);
  });

  it('cannot set a header of ours: not in any spelling, nor as a trailer', async () => {
    await startAnswering();
    const names = ['X-Prediction-Id', 'X-Model-Version', 'X-Model-Shadow'];
    const lines = names.flatMap((name) => [`${name}: forged`, `${name.replaceAll('-', '_')}: forged`]).join('\r\n');
    const client = raw(`${HEAD}${lines}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n${lines}\r\n\r\n`);
    await until(() => statuses(client).length === 1);
    const [request] = server.requests;
    expect(Object.keys(request!.headers).filter((name) => /^x[-_]/.test(name))).toEqual([]);
    expect(JSON.stringify(request!.headers)).not.toContain('forged');
    expect(client.received()).not.toContain('forged');
  });
});

describe('a slow client', () => {
  afterEach(stop);

  it.each([
    ['before its first byte', ''],
    ['in its head', HEAD],
    ['in its body', `${HEAD}Content-Length: 100\r\n\r\nhalf`],
    ['in a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhalf`],
  ])('that stops %s is sent away with 408', async (_where, text) => {
    await startAnswering({ ROUTER_CLIENT_TIMEOUT_MS: '200' });
    const client = raw(text);
    await until(() => client.closed());
    expect(statuses(client)).toEqual([408]);
    expect(server.requests).toEqual([]);
    await f.router.close();
    expect(f.outcomes).toEqual([]);
  });

  it('holds memory for its body only as long as it is there', async () => {
    await startAnswering({ ROUTER_BUFFER_BYTES_MAX: String(1024 * 1024) });
    const body = 'x'.repeat(600_000);
    const half = `${HEAD}Content-Length: 700000\r\n\r\n${body}`;
    let slow = raw(half);
    const other = (): Promise<Response> => f.predict(undefined, { body });
    await until(async () => {
      // It may have come while the other one's body was there, and been refused itself.
      if (slow.received() !== '') slow = raw(half);
      return (await other()).status === 503;
    });
    slow.socket.destroy();
    await until(async () => (await other()).status === 200);
  });
});

describe('a client that goes away', () => {
  afterEach(stop);

  const stages: [string, string, string[]][] = [
    ['before it says anything', '', []],
    ['in its head', 'POST /v2/models/m/in', []],
    ['in its body', `${HEAD}Content-Length: 100\r\n\r\nhalf`, []],
    ['while it waits', WHOLE.replace('infer', 'wait'), ['cancelled']],
    ['in its answer', WHOLE.replace('infer', 'half'), ['cancelled']],
    ['after its answer', WHOLE, ['ok']],
  ];
  it.each(stages)('%s leaves nothing behind', async (_when, text, expected) => {
    await start((request, response) => {
      if (request.url!.endsWith('infer')) response.end('{}');
      else if (request.url!.endsWith('half')) response.write('half of it');
    });
    for (const reset of [false, true]) {
      const client = raw(text);
      if (expected.length > 0) await until(() => server.requests.length === (reset ? 2 : 1));
      if (text.includes('half ') || expected[0] === 'ok') await until(() => client.received().includes('200 OK'));
      if (reset) client.socket.resetAndDestroy();
      else client.socket.destroy();
      await until(() => f.outcomes.length === expected.length * (reset ? 2 : 1));
    }
    expect(f.outcomes.map(({ status }) => status)).toEqual([...expected, ...expected]);
    expect((await f.predict()).status).toBe(200);
    await until(async () => (await f.metrics()).includes('model_canary_router_in_flight{model="m",version="v1"} 0'));
    await until(() => f.buckets.every((bucket) => bucket.final || bucket.ageMs < 1000));
  });
});

describe('a thousand connections, used well and badly', () => {
  afterEach(stop);

  it('leave nothing behind', async () => {
    await start((request, response) => void (request.url!.endsWith('/slow') || response.end('{}')));
    const path = '/v2/models/m/infer';
    const tally = new ChurnTally();
    await churnConnections(f.router.url, {
      connections: 1000,
      concurrency: 50,
      random: seededRandom(7),
      path,
      onOver: (used) => tally.add(used),
    });
    expect(tally.all).toMatchObject({ connections: 1000, unanswered: 0, notConnected: 0, stuck: 0 });
    expect(tally.all.answered).toBeGreaterThan(200);
    await until(async () => (await f.metrics()).includes('model_canary_router_in_flight{model="m",version="v1"} 0'));
    // Every one that reached a version has its outcome, and every bucket is complete.
    await f.router.close();
    const final = () => f.buckets.filter((bucket) => bucket.final);
    await until(() => final().reduce((sum, { versions }) => sum + versions['v1']!.routed, 0) === f.outcomes.length);
    expect(new Set(f.outcomes.map(({ status }) => status))).toEqual(new Set(['ok', 'cancelled']));
  });
});
