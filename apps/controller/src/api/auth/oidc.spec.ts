import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AUDIENCE, FakeIssuer, withAnEnd } from '../../../test/fake-issuer.js';
import { World } from '../../../test/controller-fixture.js';
import { OidcVerifier, parseRoleMap } from './oidc.js';

let issuer: FakeIssuer;
const verifier = (change: Partial<ConstructorParameters<typeof OidcVerifier>[0]> = {}): OidcVerifier =>
  new OidcVerifier({
    issuer: issuer.url,
    audience: AUDIENCE,
    roleClaim: 'roles',
    roles: { viewers: 'read', 'ml-oncall': 'operate', 'ml-admins': 'admin' },
    nameClaim: 'sub',
    keysAgainMs: 0,
    ...change,
  });

beforeEach(async () => {
  issuer = new FakeIssuer();
  await issuer.start();
});
afterEach(() => issuer.close());

const known = (name: string, role: string) => ({ kind: 'known', identity: { name, role, by: 'oidc' } });

describe('a token of the identity provider', () => {
  test('gives the name and the highest role that its claim is mapped to', async () => {
    const oidc = verifier();
    expect(await oidc.verify(await issuer.token())).toEqual(known('ada', 'operate'));
    const roles = ['viewers', 'ml-admins', 'something else'];
    expect(await oidc.verify(await issuer.token({ roles }))).toEqual(known('ada', 'admin'));
    expect(await oidc.verify(await issuer.token({ roles: 'viewers' }))).toEqual(known('ada', 'read'));
  });

  test('may have its roles deeper, or in a claim named by a URL', async () => {
    const claims = {
      realm_access: { roles: ['viewers'] },
      'https://example.com/roles': 'ml-admins',
      email: 'ada@example.com',
    };
    const token = await issuer.token(claims);
    const nested = verifier({ roleClaim: 'realm_access.roles', nameClaim: 'email' });
    expect(await nested.verify(token)).toEqual(known('ada@example.com', 'read'));
    expect(await verifier({ roleClaim: 'https://example.com/roles' }).verify(token)).toEqual(known('ada', 'admin'));
  });

  test('is taken under a key that came after the keys were read', async () => {
    const oidc = verifier();
    const old = await issuer.token();
    expect((await oidc.verify(old)).kind).toBe('known');
    await issuer.rotate('key-2');
    expect(await oidc.verify(await issuer.token())).toEqual(known('ada', 'operate'));
    expect(await oidc.verify(old)).toMatchObject({ kind: 'refused' });
  });

  test.each<[string, (make: FakeIssuer) => Promise<string>, string]>([
    [
      'expired',
      (make) => make.token({}, (jwt) => jwt.setExpirationTime(Math.floor(Date.now() / 1000) - 60)),
      'expired',
    ],
    [
      'for another audience',
      (make) => make.token({}, (jwt) => withAnEnd(jwt.setAudience('somebody-else'))),
      'claim aud',
    ],
    [
      'of another issuer',
      (make) => make.token({}, (jwt) => withAnEnd(jwt.setIssuer('https://evil.example'))),
      'claim iss',
    ],
    ['not valid yet', (make) => make.token({}, (jwt) => withAnEnd(jwt.setNotBefore('1h'))), 'claim nbf'],
    ['without an end', (make) => make.token({}, (jwt) => jwt), 'claim exp'],
    ['signed by nobody', unsigned, 'not valid'],
    ['signed by somebody else', async (make) => forged(make), 'not valid'],
    ['signed with the public key as a shared secret', withPublicKeyAsSecret, 'not valid'],
    ['without a role here', (make) => make.token({ roles: ['strangers'] }), 'no role'],
    ['with a role by the name of something inherited', (make) => make.token({ roles: ['constructor'] }), 'no role'],
    ['without a usable name', (make) => make.token({ sub: 'a\nb' }), 'no usable name'],
  ])('is refused when it is %s', async (_, make, why) => {
    expect(await verifier().verify(await make(issuer))).toEqual({
      kind: 'refused',
      why: expect.stringContaining(why) as string,
    });
  });

  test('cannot be judged while the provider is away, and can when it is back', async () => {
    issuer.away = true;
    expect(await verifier().verify(await issuer.token())).toMatchObject({ kind: 'away' });
    issuer.away = false;
    expect(await verifier().verify(await issuer.token())).toMatchObject({ kind: 'known' });
  });
});

test('a controller takes its tokens beside those of the list', async () => {
  const list = [{ name: 'ci', role: 'operate', token: 'token-of-the-list' }];
  const env = { OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE, OIDC_ROLES: 'ml-oncall=read' };
  const world = await World.create();
  try {
    await world.controller({ env: { ...env, CONTROLLER_TOKENS: JSON.stringify(list) } });
    const me = async (token: string) => (await world.get('/api/v1/me', { authorization: `Bearer ${token}` })).body;
    expect(await me(await issuer.token())).toEqual({ name: 'ada', role: 'read', by: 'oidc' });
    expect(await me('token-of-the-list')).toEqual({ name: 'ci', role: 'operate', by: 'token' });
    const expired = await issuer.token({}, (jwt) => jwt.setExpirationTime(1));
    expect(await me(expired)).toMatchObject({ status: 401, detail: 'the token has expired; get a new one' });
  } finally {
    await world.close();
  }
});

test('a role map is value=role pairs', () => {
  expect(parseRoleMap('ml-oncall=operate, admins=admin')).toEqual({ 'ml-oncall': 'operate', admins: 'admin' });
  for (const bad of ['', 'x', 'x=root', 'x=read,']) expect(parseRoleMap(bad)).toBeUndefined();
});

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

async function unsigned(make: FakeIssuer): Promise<string> {
  const [, payload] = (await make.token()).split('.');
  return `${encoded({ alg: 'none' })}.${payload}.`;
}

async function forged(make: FakeIssuer): Promise<string> {
  const token = await make.token();
  const other = new FakeIssuer();
  await other.rotate('key-1');
  const [header, payload] = token.split('.');
  const [, , signature] = (await signedBy(other)).split('.');
  return `${header}.${payload}.${signature}`;
}

async function signedBy(other: FakeIssuer): Promise<string> {
  await other.start();
  try {
    return await other.token();
  } finally {
    await other.close();
  }
}

async function withPublicKeyAsSecret(make: FakeIssuer): Promise<string> {
  const keys = await (await fetch(`${make.url}/keys`)).text();
  return new SignJWT({ sub: 'eve', roles: ['ml-admins'] })
    .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
    .setIssuer(make.url)
    .setAudience(AUDIENCE)
    .setExpirationTime('5m')
    .sign(Buffer.from(keys));
}
