import { type Server, createServer } from 'node:net';
import { ManualClock } from '@app/shared/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedConnection, ScriptedServer } from '../testing/scripted-server.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../testing/tls-certificate.js';
import { until } from '../testing/until.js';
import { UpstreamClient } from './upstream-client.js';
import type { AnswerControl, AnswerHandler, UpstreamFault, UpstreamTarget } from './upstream-connection.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEAD = 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n';

let clock: ManualClock;
let servers: ScriptedServer[];
let clients: UpstreamClient[];
beforeEach(() => {
  clock = new ManualClock(1000);
  servers = [];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await Promise.all(servers.map((server) => server.close()));
});

async function serve(onRequest?: (connection: ScriptedConnection, n: number) => void): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(onRequest);
  servers.push(server);
  return server;
}
const answering = (answer: string) => serve(({ socket }) => void socket.write(answer, 'latin1'));
function clientOf(port: number, tls: UpstreamTarget['tls'] = null): UpstreamClient {
  const client = new UpstreamClient({ host: '127.0.0.1', port, tls }, clock);
  clients.push(client);
  return client;
}

/** Who asks: what it was told. */
class Asking implements AnswerHandler {
  sent = 0;
  httpStatus = 0;
  body = '';
  end: 'ended' | UpstreamFault | null = null;
  control: AnswerControl | null = null;
  /** Called with what it was told. */
  hook: (what: 'send' | 'head' | 'body') => void = () => undefined;

  onSend(control: AnswerControl): void {
    this.control = control;
    this.sent++;
    this.hook('send');
  }
  onHead({ httpStatus }: { httpStatus: number }): void {
    this.httpStatus = httpStatus;
    this.hook('head');
  }
  onBody(bytes: Buffer): void {
    this.body += bytes.toString('latin1');
    this.hook('body');
  }
  onEnd(last: Buffer | null): void {
    if (this.end) throw new Error(`ended twice: ${this.end}`);
    if (last) this.body += last.toString('latin1');
    this.end = 'ended';
  }
  onFailure(fault: UpstreamFault): void {
    if (this.end) throw new Error(`ended twice: ${this.end}`);
    this.end = fault;
  }
  async over(): Promise<this> {
    await until(() => this.end !== null);
    return this;
  }
}

function ask(client: UpstreamClient, { head = HEAD, body = null as Buffer | null, isHead = false } = {}): Asking {
  const asking = new Asking();
  // In two pieces, as it may have been read.
  const half = Math.ceil((body?.length ?? 0) / 2);
  const pieces = body && { pieces: [body.subarray(0, half), body.subarray(half)], length: body.length };
  client.send({ head, body: pieces, isHead }, asking);
  return asking;
}

describe('connections to a model server', () => {
  it('carry one request after the other, each with its answer', async () => {
    const server = await serve(({ socket }, n) => void socket.write(OK.replace('ok', `${n} `)));
    const client = clientOf(server.port);
    for (const body of ['1 ', '2 ', '3 '])
      expect(await ask(client).over()).toMatchObject({ end: 'ended', httpStatus: 200, body, sent: 1 });
    expect(server.connections).toHaveLength(1);
    expect(server.connections[0]!.received).toBe(HEAD.repeat(3));
  });

  it('are as many as requests are under way, and the one used last is used first', async () => {
    const held: ScriptedConnection[] = [];
    const server = await serve((connection, n) => (n === 1 ? held.push(connection) : connection.socket.write(OK)));
    const client = clientOf(server.port);
    const asked = [ask(client), ask(client), ask(client)];
    await until(() => held.length === 3);
    for (const [i, { socket }] of held.entries()) {
      socket.write(OK);
      await until(() => asked.filter(({ end }) => end === 'ended').length === i + 1);
    }
    for (let i = 0; i < 4; i++) await ask(client).over();
    expect(client.size).toBe(3);
    expect(server.connections.map((c) => (c === held[2] ? 5 : 1))).toEqual(
      server.connections.map(({ received }) => received.length / HEAD.length),
    );
  });

  it('send head and body whole, however long the body is', async () => {
    const lengths = [1, 16_384, 16_385, 3_000_000];
    const server = await serve();
    const client = clientOf(server.port);
    for (const [i, length] of lengths.entries()) {
      const body = Buffer.alloc(length, 'abcdefg\xff', 'latin1');
      const head = `POST / HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n`;
      const asking = ask(client, { head, body });
      await until(() => server.connections[i]?.received.length === head.length + length);
      expect(server.connections[i]!.received).toBe(head + body.toString('latin1'));
      asking.control!.abort();
    }
  });

  it.each([
    ['says so', OK.replace('\r\n', '\r\nConnection: close\r\n')],
    ['speaks the old protocol', OK.replace('HTTP/1.1', 'HTTP/1.0')],
    ['does not keep it open long enough', OK.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n')],
  ])('are used once if the server %s', async (_what, answer) => {
    const server = await answering(answer);
    const client = clientOf(server.port);
    for (let i = 0; i < 2; i++) expect(await ask(client).over()).toMatchObject({ end: 'ended', body: 'ok' });
    expect(server.connections).toHaveLength(2);
    await until(() => server.open === 0);
    expect(client.size).toBe(0);
  });

  it.each([
    ['4 s', OK, 4000],
    ['a second less than the server says', OK.replace('\r\n', '\r\nKeep-Alive: timeout=3\r\n'), 2000],
    ['4 s even if the server says more', OK.replace('\r\n', '\r\nKeep-Alive: timeout=75\r\n'), 4000],
  ])('are not used after %s of idleness, and closed', async (_what, answer, idleMs) => {
    const server = await answering(answer);
    const client = clientOf(server.port);
    await ask(client).over();
    clock.advance(idleMs - 1);
    await ask(client).over();
    expect(server.connections).toHaveLength(1);
    clock.advance(idleMs);
    await until(() => server.open === 0);
    expect(client.size).toBe(0);
    await ask(client).over();
    expect(server.connections).toHaveLength(2);
  });

  it('are closed when bytes come that nobody asked for', async () => {
    const server = await answering(OK);
    const client = clientOf(server.port);
    await ask(client).over();
    server.connections[0]!.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged');
    await until(() => server.open === 0);
    expect(client.size).toBe(0);
    expect(await ask(client).over()).toMatchObject({ body: 'ok' });
  });

  it('are forgotten when the server closes them', async () => {
    const server = await answering(OK);
    const client = clientOf(server.port);
    await ask(client).over();
    server.connections[0]!.socket.end();
    await until(() => client.size === 0);
    expect(await ask(client).over()).toMatchObject({ body: 'ok', sent: 1 });
  });

  it('are not used again if an answer came before the request was out whole', async () => {
    const server = await serve(({ socket }) => {
      socket.pause();
      socket.write('HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n');
    });
    const client = clientOf(server.port);
    const body = Buffer.alloc(20_000_000);
    const asking = ask(client, { head: `POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`, body });
    expect(await asking.over()).toMatchObject({ end: 'ended', httpStatus: 413 });
    expect(client.size).toBe(0);
  });

  it('that are idle close with their client, those in use after their answer', async () => {
    const held: ScriptedConnection[] = [];
    const server = await serve((connection, n) => (n === 1 ? connection.socket.write(OK) : held.push(connection)));
    const client = clientOf(server.port);
    const asked = [ask(client), ask(client)];
    await Promise.all(asked.map((asking) => asking.over()));
    const last = ask(client);
    await until(() => held.length === 1);
    client.close();
    await until(() => server.open === 1);
    held[0]!.socket.write(OK);
    expect(await last.over()).toMatchObject({ end: 'ended', body: 'ok' });
    await until(() => server.open === 0);
  });

  it('are all cut by destroy(), and whoever waits is told', async () => {
    const server = await serve();
    const client = clientOf(server.port);
    const asked = [ask(client), ask(client)];
    await until(() => server.connections.length === 2);
    client.destroy();
    expect(asked.map(({ end }) => end)).toEqual(['broke-off', 'broke-off']);
    await until(() => server.open === 0);
  });
});

describe('a request', () => {
  it('that meets a kept connection which the server has closed is sent once more, over a new one', async () => {
    const server = await serve(({ socket }, n) => (n === 1 ? socket.write(OK) : socket.destroy()));
    const client = clientOf(server.port);
    await ask(client).over();
    expect(await ask(client).over()).toMatchObject({ end: 'ended', body: 'ok', sent: 2 });
    expect(server.connections).toHaveLength(2);
  });

  it('is not sent a third time', async () => {
    let answers = 1;
    const server = await serve(({ socket }) => (answers-- > 0 ? socket.write(OK) : socket.destroy()));
    const client = clientOf(server.port);
    await ask(client).over();
    expect(await ask(client).over()).toMatchObject({ end: 'broke-off', sent: 2 });
    expect(server.connections).toHaveLength(2);
  });

  it.each([
    ['over a new connection', 1, ''],
    ['after a part of the answer', 2, 'H'],
    ['after an informational answer', 2, 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('is not sent again if the server closes %s', async (_what, at, beginning) => {
    const server = await serve(({ socket }, n) => (n < at ? socket.write(OK) : socket.end(beginning)));
    const client = clientOf(server.port);
    for (let n = 1; n < at; n++) await ask(client).over();
    expect(await ask(client).over()).toMatchObject({ end: 'broke-off', sent: 1 });
    expect(server.connections).toHaveLength(1);
    expect(client.size).toBe(0);
  });

  it('that was given up is not sent again', async () => {
    const server = await serve(({ socket }, n) => n === 1 && socket.write(OK));
    const client = clientOf(server.port);
    await ask(client).over();
    const asking = ask(client);
    await until(() => server.connections[0]!.received.length === 2 * HEAD.length);
    asking.control!.abort();
    await until(() => server.open === 0);
    expect(asking).toMatchObject({ end: null, sent: 1 });
    expect([client.size, server.connections.length]).toEqual([0, 1]);
  });

  it.each(['send', 'head', 'body'] as const)('can be given up when %s is told', async (at) => {
    const server = await serve(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    const client = clientOf(server.port);
    const asking = new Asking();
    const told: string[] = [];
    asking.hook = (what) => {
      told.push(what);
      if (what === at) asking.control!.abort();
    };
    client.send({ head: HEAD, body: null, isHead: false }, asking);
    await until(() => client.size === 0);
    await until(() => server.open === 0);
    expect(told.at(-1)).toBe(at);
    expect(asking.end).toBeNull();
  });

  it('fails where nobody listens', async () => {
    const server = await serve();
    await server.close();
    expect(await ask(clientOf(server.port)).over()).toMatchObject({ end: 'unreachable' });
  });

  it('fails if the connection is not there after 5 s', async () => {
    const [full, port] = await deafServer();
    const client = clientOf(port);
    // The first are taken by the backlog, whose owner never accepts; the others wait for a place in it.
    const asked = Array.from({ length: 8 }, () => ask(client));
    await until(() => client.size === 8);
    clock.advance(4999);
    const later = ask(client);
    clock.advance(1);
    await until(() => asked.some(({ end }) => end === 'unreachable'));
    expect(later.end).toBeNull();
    full.close();
  });

  it.each<[string, UpstreamFault]>([
    ['SSH-2.0-OpenSSH_9\r\n', 'malformed-head'],
    ['HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'malformed-head'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 'ambiguous-length'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'malformed-chunk'],
    ['HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n', 'protocol-switch'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, 'head-too-long'],
    [`${OK}HTTP/1.1 200 OK\r\n`, 'excess-bytes'],
  ])('that is answered with %j fails, and its connection is closed', async (answer, fault) => {
    const server = await answering(answer);
    const client = clientOf(server.port);
    expect(await ask(client).over()).toMatchObject({ end: fault });
    expect(client.size).toBe(0);
    await until(() => server.open === 0);
  });
});

describe('an answer', () => {
  it('may end with its connection, which then had to be closed, not cut', async () => {
    const server = await serve(({ socket }, n) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nall ');
      socket.write('of it', () =>
        n === 1 && server.connections.length === 1 ? socket.end() : socket.resetAndDestroy(),
      );
    });
    const client = clientOf(server.port);
    expect(await ask(client).over()).toMatchObject({ end: 'ended', body: 'all of it' });
    expect(await ask(client).over()).toMatchObject({ end: 'broke-off' });
    expect(client.size).toBe(0);
  });

  it('to a HEAD has no body, and the connection lives on', async () => {
    const server = await answering('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n');
    const client = clientOf(server.port);
    const head = 'HEAD / HTTP/1.1\r\nHost: h\r\n\r\n';
    for (let i = 0; i < 2; i++)
      expect(await ask(client, { head, isHead: true }).over()).toMatchObject({ end: 'ended', body: '' });
    expect(server.connections).toHaveLength(1);
  });

  it('is read no faster than it is wanted, and the connection can be used again afterwards', async () => {
    const length = 30_000_000;
    const server = await serve(({ socket }, n) => {
      if (n > 1) return void socket.write(OK);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
      socket.write(Buffer.alloc(length));
    });
    const client = clientOf(server.port);
    const asking = new Asking();
    let bytes = 0;
    asking.onBody = (piece) => {
      bytes += piece.length;
      asking.control!.pause();
    };
    asking.onEnd = () => (asking.end = 'ended');
    client.send({ head: HEAD, body: null, isHead: false }, asking);
    await until(() => bytes > 0);
    // As long as nothing is read, the server cannot get rid of it all.
    const { socket } = server.connections[0]!;
    for (let i = 0, before = -1; i < 3; i++, before = bytes) {
      await new Promise((resolve) => setImmediate(resolve));
      if (before !== -1) expect(bytes).toBe(before);
      expect(socket.writableLength).toBeGreaterThan(0);
    }
    asking.onBody = () => asking.control!.pause();
    while (asking.end === null) {
      asking.control!.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ask(client).over()).toMatchObject({ end: 'ended', body: 'ok' });
    expect(server.connections).toHaveLength(1);
  });
});

describe('over TLS', () => {
  const tls = { ca: TEST_CERTIFICATE, servername: 'localhost' };
  const serveTls = async (onRequest: (connection: ScriptedConnection, n: number) => void) => {
    const server = await ScriptedServer.start(onRequest, { cert: TEST_CERTIFICATE, key: TEST_KEY });
    servers.push(server);
    return server;
  };

  it('everything is the same', async () => {
    const server = await serveTls(({ socket }, n) => n > 1 && socket.write(n === 3 ? `${OK}more` : OK));
    const client = clientOf(server.port, tls);
    const body = Buffer.alloc(500_000, 'x');
    const head = `POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`;
    const long = ask(client, { head, body });
    await until(() => server.connections[0]?.received.length === head.length + body.length);
    server.connections[0]!.socket.write(OK);
    expect(await long.over()).toMatchObject({ end: 'ended', body: 'ok' });
    expect(await ask(client).over()).toMatchObject({ end: 'ended', body: 'ok' });
    expect(await ask(client).over()).toMatchObject({ end: 'excess-bytes' });
    expect(client.size).toBe(0);
    const last = ask(client);
    await until(() => server.connections[1]?.received === HEAD);
    server.connections[1]!.socket.end(OK);
    expect(await last.over()).toMatchObject({ end: 'ended', body: 'ok' });
    await until(() => client.size === 0);
  });

  it('a server without the right certificate is not reached', async () => {
    const server = await serveTls(({ socket }) => void socket.write(OK));
    expect(await ask(clientOf(server.port, {})).over()).toMatchObject({ end: 'unreachable' });
    const other = { ca: TEST_CERTIFICATE, servername: 'elsewhere' };
    expect(await ask(clientOf(server.port, other)).over()).toMatchObject({ end: 'unreachable' });
    expect(server.connections.every(({ received }) => received === '')).toBe(true);
  });
});

/** Listens and accepts nothing, with a backlog of one. */
async function deafServer(): Promise<[Server, number]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return [server, address.port];
}
