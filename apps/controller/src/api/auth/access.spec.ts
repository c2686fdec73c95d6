import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { World } from '../../../test/controller-fixture.js';

const FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002 }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0, v2: 1 } }
`;
const bearer = (role: string) => ({ authorization: `Bearer token-with-role-${role}` });
const TOKENS = ['read', 'operate', 'admin'].map((role) => ({
  name: `${role}er`,
  role,
  token: `token-with-role-${role}`,
}));

interface Refused {
  readonly code: string;
  readonly detail: string;
}

let world: World;
afterEach(() => world?.close());

async function given(env: Record<string, string> = {}): Promise<void> {
  world = await World.create();
  await world.controller({ env: { CONTROLLER_TOKENS: JSON.stringify(TOKENS), ...env } });
}

/** A request as nobody's library would send it: the path and the headers as they are. */
function raw(path: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(world.controllers[0]!.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('roles', () => {
  test('read sees and rehearses, operate steers, admin goes round the checks', async () => {
    await given();
    const status = async (role: string, method: string, path: string, body?: unknown): Promise<number> =>
      (await world.request(method, path, body, bearer(role))).status;
    expect(await status('read', 'GET', '/api/v1/models')).toBe(200);
    expect(await status('read', 'POST', '/api/v1/rollouts?dryRun=true', FILE)).toBe(200);
    expect(await status('read', 'POST', '/api/v1/rollouts', FILE)).toBe(403);
    expect(await status('read', 'POST', '/api/v1/labels', { predictionId: 'x', label: 1 })).toBe(403);
    expect(await status('operate', 'POST', '/api/v1/rollouts', FILE)).toBe(201);
    await world.decided('started');
    const steering = ['pause', 'resume', 'promote', 'abort', 'retry', 'undo'];
    for (const action of steering)
      expect(await status('read', 'POST', `/api/v1/models/digits/${action}`, {})).toBe(403);
    expect(world.actions()).toEqual(['registered', 'started']);
    expect(await status('operate', 'POST', '/api/v1/models/digits/promote-full', {})).toBe(403);
    expect(await status('operate', 'PUT', '/api/v1/models/digits/traffic', { weights: { v1: 1 } })).toBe(403);
    expect(await status('admin', 'POST', '/api/v1/models/digits/promote-full', {})).toBe(200);
    expect(await status('admin', 'PUT', '/api/v1/models/digits/traffic', { weights: { v1: 1 }, reason: 'x' })).toBe(
      200,
    );
  });

  test('a refusal names the role that is needed and the one that is there', async () => {
    await given();
    const { body, type } = await world.post<Refused>('/api/v1/rollouts', FILE, bearer('read'));
    expect(type).toBe('application/problem+json');
    expect(body).toMatchObject({ code: 'role-too-low', detail: 'this needs the role operate; reader has read' });
  });

  test('whoever asks may ask who they are', async () => {
    await given();
    expect((await world.get('/api/v1/me', bearer('operate'))).body).toEqual({
      name: 'operateer',
      role: 'operate',
      by: 'token',
    });
    expect((await world.get('/api/v1/me')).status).toBe(401);
  });

  test('however a path is written, it needs the token', async () => {
    await given();
    for (const path of ['/api/v1/models', '/%61pi/v1/models', '/api/v1/%6dodels', '/api/v1/models?x=/health/live'])
      expect([path, await raw(path, {})]).toEqual([path, 401]);
    for (const path of ['//api/v1/models', '/api/v1/../v1/models', '/API/v1/models', '/health/../api/v1/models'])
      expect([401, 404], path).toContain(await raw(path, {}));
    for (const path of ['/health/live', '/metrics', '/openapi.json'])
      expect([path, await raw(path, {})]).toEqual([path, 200]);
  });
});

describe('who did it', () => {
  test('is the name of the token; X-Actor only says on whose behalf', async () => {
    await given();
    await world.post('/api/v1/rollouts', FILE, { ...bearer('operate'), 'x-actor': 'ada' });
    await world.decided('started');
    await world.post('/api/v1/models/digits/pause', { reason: 'lunch' }, { ...bearer('admin'), 'x-actor': 'system' });
    await world.post('/api/v1/models/digits/resume', {}, bearer('admin'));
    await world.decided('resumed');
    expect(world.decisions.map(({ action, actor, onBehalfOf }) => [action, actor, onBehalfOf])).toEqual([
      ['registered', 'operateer', 'ada'],
      ['started', 'operateer', 'ada'],
      ['paused', 'adminer', 'system'],
      ['resumed', 'adminer', undefined],
    ]);
    expect(world.decisions[2]?.reason.text).toBe('paused by adminer on behalf of system: lunch');
  });
});

describe('too many requests', () => {
  test('of one token are refused until the minute is over, and those of another are not', async () => {
    await given({ REQUESTS_PER_MINUTE: '3' });
    const ask = (role: string) => fetch(`${world.controllers[0]!.url}/api/v1/models`, { headers: bearer(role) });
    for (let i = 0; i < 3; i++) expect((await ask('read')).status).toBe(200);
    const refused = await ask('read');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'too-many-requests', status: 429 });
    expect((await ask('operate')).status).toBe(200);
    for (let i = 0; i < 6; i++) expect((await world.get('/health/live')).status).toBe(200);
  });

  test('with wrong tokens count against the address, whatever tokens they try', async () => {
    await given({ REQUESTS_PER_MINUTE: '3' });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++)
      statuses.push((await world.get('/api/v1/me', { authorization: `Bearer guess-${i}` })).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await world.get('/api/v1/me', bearer('read'))).status).toBe(200);
  });
});

describe('a page of another site', () => {
  test.each<[string, Record<string, string>]>([
    ['by its origin', { origin: 'https://evil.example' }],
    ['by what the browser says of it', { 'sec-fetch-site': 'cross-site' }],
    ['without an origin of its own', { origin: 'null' }],
  ])('changes nothing on a controller without tokens: told %s', async (_, headers) => {
    world = await World.create();
    await world.controller();
    const refused = await world.post<Refused>('/api/v1/rollouts', FILE, headers);
    expect(refused).toMatchObject({ status: 403, body: { code: 'cross-site' } });
    expect(world.decisions).toEqual([]);
  });

  test('reads nothing there either by a name of its own that points to this machine', async () => {
    world = await World.create();
    await world.controller();
    expect(await raw('/api/v1/models', { host: 'rebound.evil.example' })).toBe(403);
    expect(await raw('/api/v1/models', { host: 'localhost:1' })).toBe(200);
  });

  test('is told apart from the own page, which may', async () => {
    world = await World.create();
    const { url } = await world.controller();
    const own = { origin: url, 'sec-fetch-site': 'same-origin' };
    expect((await world.post('/api/v1/rollouts', FILE, own)).status).toBe(201);
  });
});

describe('the configuration', () => {
  test('is refused with OIDC but without audience and roles, each named', async () => {
    world = await World.create();
    const start = world.controller({ env: { OIDC_ISSUER: 'https://id.example' } });
    await expect(start).rejects.toThrow(/OIDC_AUDIENCE[\s\S]*OIDC_ROLES/);
    const plain = world.controller({
      env: { OIDC_ISSUER: 'http://id.example', OIDC_AUDIENCE: 'a', OIDC_ROLES: 'x=read' },
    });
    await expect(plain).rejects.toThrow('OIDC_ISSUER: https://');
  });

  test('lets a controller start beyond loopback with a list of tokens or an identity provider', async () => {
    await given({ HTTP_HOST: '0.0.0.0' });
    expect((await world.get('/api/v1/me', bearer('read'))).status).toBe(200);
    const oidc = { OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'a', OIDC_ROLES: 'x=read' };
    await world.controller({ env: { CONTROLLER_TOKENS: '', HTTP_HOST: '0.0.0.0', ...oidc } });
    expect((await world.get<Refused>('/api/v1/me')).body.code).toBe('token-required');
  });
});
