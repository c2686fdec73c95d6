import { CanaryError } from '@app/shared';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { type Identity, type Role, ROLES } from './roles.js';

export interface OidcSettings {
  /** As the tokens' `iss` has it; its /.well-known/openid-configuration names the keys. */
  readonly issuer: string;
  readonly audience: string;
  /** Dotted path to the claim with a person's roles, a string or a list: `roles`, `realm_access.roles`. */
  readonly roleClaim: string;
  /** Value of the claim -> role here; values that are not in it mean nothing. */
  readonly roles: Readonly<Record<string, Role>>;
  readonly nameClaim: string;
  /** A token under an unknown key makes the keys be read again, at most this often. Default 5 s. */
  readonly keysAgainMs?: number;
}

export type OidcResult =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly why: string }
  /** Nobody can say now whether the token is good. */
  | { readonly kind: 'away'; readonly why: string };

/** Asymmetric ones alone: whoever can verify must not be able to sign, and `none` signs nothing. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_TOLERANCE_S = 5;
const REQUEST_TIMEOUT_MS = 5_000;
const KEYS_AGAIN_MS = 5_000;
/** A provider that failed is not asked more often. */
const DISCOVER_AGAIN_MS = 2_000;

/** Verifies bearer tokens of an OpenID Connect provider, with its keys as they are now. */
export class OidcVerifier {
  private keys: Promise<JWTVerifyGetKey> | null = null;

  constructor(private readonly settings: OidcSettings) {}

  async verify(token: string): Promise<OidcResult> {
    const { issuer, audience } = this.settings;
    try {
      const keys = await this.discoveredKeys();
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp'],
      });
      return this.identityOf(payload);
    } catch (error) {
      return refusalOf(error);
    }
  }

  private discoveredKeys(): Promise<JWTVerifyGetKey> {
    this.keys ??= discover(this.settings).catch((error: unknown) => {
      setTimeout(() => (this.keys = null), DISCOVER_AGAIN_MS).unref();
      throw error;
    });
    return this.keys;
  }

  private identityOf(payload: JWTPayload): OidcResult {
    const { roleClaim, roles, nameClaim } = this.settings;
    const name = claimAt(payload, nameClaim);
    if (typeof name !== 'string' || !/^[\p{L}\p{N} .@+_:/|-]{1,200}$/u.test(name))
      return { kind: 'refused', why: `the token has no usable name in its claim ${nameClaim}` };
    const claimed = [claimAt(payload, roleClaim)].flat();
    const mapped = claimed.flatMap((value) => (typeof value === 'string' ? (roles[value] ?? []) : []));
    const role = ROLES.findLast((one) => mapped.includes(one));
    if (!role) return { kind: 'refused', why: `the token gives no role here in its claim ${roleClaim}` };
    return { kind: 'known', identity: { name, role, by: 'oidc' } };
  }
}

async function discover({ issuer, keysAgainMs = KEYS_AGAIN_MS }: OidcSettings): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  const { jwks_uri: keysUrl } = response.ok ? ((await response.json()) as { jwks_uri?: unknown }) : {};
  if (typeof keysUrl !== 'string' || !URL.canParse(keysUrl))
    throw new CanaryError('identity-provider-away', `${url} names no keys (status ${response.status})`);
  return createRemoteJWKSet(new URL(keysUrl), { timeoutDuration: REQUEST_TIMEOUT_MS, cooldownDuration: keysAgainMs });
}

/** What a caller is told: enough to get a better token, nothing about the keys. */
function refusalOf(error: unknown): OidcResult {
  if (error instanceof errors.JWTExpired) return { kind: 'refused', why: 'the token has expired; get a new one' };
  if (error instanceof errors.JWTClaimValidationFailed)
    return { kind: 'refused', why: `the token is not for this controller (claim ${error.claim})` };
  if (error instanceof errors.JWKSTimeout) return { kind: 'away', why: 'its keys could not be read in time' };
  const isVerdict =
    error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid) && error.code !== 'ERR_JOSE_GENERIC';
  if (isVerdict) return { kind: 'refused', why: 'the token is not valid' };
  return { kind: 'away', why: 'the identity provider cannot be asked' };
}

function claimAt(payload: JWTPayload, path: string): unknown {
  // Some providers name claims by URLs, dots and all.
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

const ROLE_PAIR = /^([^=,]+)=(read|operate|admin)$/;

/** `ml-oncall=operate,ml-admins=admin`, or undefined where it is not that. */
export function parseRoleMap(text: string): Readonly<Record<string, Role>> | undefined {
  const pairs = text.split(',').map((pair) => ROLE_PAIR.exec(pair.trim()));
  if (pairs.some((pair) => !pair)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair![1]!.trim(), pair![2] as Role]));
}
