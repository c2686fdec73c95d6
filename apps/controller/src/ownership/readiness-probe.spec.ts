import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpReadinessProbe } from './readiness-probe.js';

describe('asking a canary whether it is ready', () => {
  const probe = new HttpReadinessProbe();
  let server: Server;

  const given = async (statuses: Record<string, number>): Promise<string> => {
    server = createServer((request, response) => {
      response.statusCode = statuses[request.url ?? ''] ?? 404;
      response.end('body');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  afterEach(() => server.close());

  test.each([
    ['the Open Inference Protocol', { '/v2/health/ready': 200 }, true],
    ['a server with /health', { '/health': 204 }, true],
    ['a server that only answers on its base', { '/base/': 200 }, false],
    ['one that is loading', { '/v2/health/ready': 503, '/health': 503, '/': 503 }, false],
    ['one that answers on /', { '/': 200 }, true],
  ])('%s', async (_, statuses, ready) => {
    const answer = await probe.ask(`${await given(statuses)}/`);
    expect(answer.ready).toBe(ready);
    expect(answer.detail).toContain('http://127.0.0.1');
  });

  test('a base path is kept', async () => {
    expect(await probe.ask(`${await given({ '/base/v2/health/ready': 200 })}/base`)).toMatchObject({ ready: true });
  });

  test('nobody there is said with the cause, after one question', async () => {
    const url = await given({});
    await new Promise((resolve) => server.close(resolve));
    expect(await probe.ask(url)).toMatchObject({ ready: false, detail: `GET ${url}, /v2/health/ready ECONNREFUSED` });
  });
});
