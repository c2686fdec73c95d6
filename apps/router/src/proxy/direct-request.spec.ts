import { once } from 'node:events';
import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type RawClient, sendRaw } from '../testing/raw-client.js';
import { until } from '../testing/until.js';
import { type BodySink, DirectRequest, NO_BODY } from './direct-request.js';

const HEAD = 'POST / HTTP/1.1\r\nHost: h\r\n';
const request = (body: string): string => `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Answers with the body it got, as a sink takes it. */
class Echo implements BodySink {
  private text = '';

  constructor(
    private readonly response: ServerResponse,
    private readonly onBody: () => void,
  ) {}

  onChunk(chunk: Buffer): void {
    this.text += chunk.toString('latin1');
  }

  onEnd(): void {
    this.onBody();
    this.response.end(`<${this.text}>`);
  }
}

let server: Server<typeof DirectRequest>;
let client: RawClient;

async function serve(onRequest: (request: DirectRequest, response: ServerResponse) => void): Promise<string> {
  server = createServer({ IncomingMessage: DirectRequest }, onRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  client.socket.destroy();
  server.close();
});

describe('a request whose body is taken', () => {
  it('hands it over whole, however it is cut, and so does the next one on the connection', async () => {
    const requests: DirectRequest[] = [];
    const url = await serve((taken, response) => {
      requests.push(taken);
      taken.takeBody(new Echo(response, () => undefined));
    });
    client = sendRaw(url, `${request('one')}${request('two').slice(0, -1)}`);
    await until(() => client.received().includes('<one>'));
    client.socket.write(`o${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nth\r\n3\r\nree\r\n0\r\n\r\n`);
    await until(() => client.received().includes('<three>'));
    expect(client.received()).toContain('<two>');
    expect(requests.map(({ complete, readableEnded }) => [complete, readableEnded])).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  it('has it in the turn in which it was read, without the events of a stream', async () => {
    const seen: string[] = [];
    const url = await serve((taken, response) => {
      for (const event of ['data', 'end', 'close'] as const) taken.on(event, () => seen.push(event));
      setImmediate(() => seen.push('next turn'));
      taken.takeBody(new Echo(response, () => seen.push('body')));
    });
    client = sendRaw(url, request('one'));
    await until(() => client.received().includes('<one>'));
    client.socket.write(request('two'));
    await until(() => client.received().includes('<two>'));
    expect(seen.slice(0, 2)).toEqual(['body', 'next turn']);
    expect(new Set(seen)).toEqual(new Set(['body', 'next turn']));
  });

  it('may have none', async () => {
    const url = await serve((taken, response) => {
      taken.takeBody(NO_BODY);
      response.end('<none>');
    });
    client = sendRaw(url, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(2));
    await until(() => client.received().split('<none>').length === 3);
  });
});

describe('a request whose body is left', () => {
  it('drains as a stream does, and its end is told', async () => {
    const url = await serve((left, response) => {
      left.takeBody({
        onChunk: () => {
          left.leaveBody();
          left.once('end', () => response.end('<drained>'));
          left.resume();
        },
        onEnd: () => response.end('<never>'),
      });
    });
    client = sendRaw(url, `${HEAD}Content-Length: 10\r\n\r\nhalf.`);
    client.socket.write(`half.${request('more')}`);
    await until(() => client.received().split('<drained>').length >= 2);
    expect(client.received()).not.toContain('<never>');
  });

  it('is the usual stream when nobody takes it', async () => {
    const url = await serve((usual, response) => void usual.pipe(response));
    client = sendRaw(url, request('as ever'));
    await until(() => client.received().includes('as ever'));
  });
});
