import type { ControllerSettings } from '../../config.js';
import { OidcVerifier, parseRoleMap } from './oidc.js';
import type { Identity } from './roles.js';
import { TokenList } from './token-list.js';

export type Authenticated =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'away'; readonly why: string };

const NOBODY: Identity = { name: 'anonymous', role: 'admin', by: 'nobody' };
const TOKEN_WANTED = 'this API needs the header Authorization: Bearer <token>';
/** Three parts of base64url: what a provider's token looks like, and a token of the list hardly ever. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Finds out who asks: by the list of tokens, by the identity provider, or not at all where neither is configured. */
export class Authenticator {
  private readonly tokens: TokenList;
  private readonly oidc: OidcVerifier | null;

  /** Throws CanaryError `bad-configuration`. */
  constructor(settings: ControllerSettings) {
    const { CONTROLLER_TOKEN: token, CONTROLLER_TOKEN_NAME: name } = settings;
    this.tokens = new TokenList(settings.CONTROLLER_TOKENS, token === undefined ? undefined : { token, name });
    this.oidc = oidcOf(settings);
  }

  /** False: whoever reaches this controller may do everything. */
  get asksForTokens(): boolean {
    return !this.tokens.isEmpty || this.oidc !== null;
  }

  async identify(authorization: string | undefined): Promise<Authenticated> {
    if (!this.asksForTokens) return { kind: 'known', identity: NOBODY };
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return { kind: 'refused', why: TOKEN_WANTED };
    const identity = this.tokens.find(token);
    if (identity) return { kind: 'known', identity };
    return this.oidc && JWT.test(token) ? this.oidc.verify(token) : { kind: 'refused', why: TOKEN_WANTED };
  }
}

function oidcOf(settings: ControllerSettings): OidcVerifier | null {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_ROLES: roles } = settings;
  if (issuer === undefined) return null;
  return new OidcVerifier({
    issuer,
    // The configuration was refused without these two.
    audience: audience ?? '',
    roles: parseRoleMap(roles ?? '') ?? {},
    roleClaim: settings.OIDC_ROLE_CLAIM,
    nameClaim: settings.OIDC_NAME_CLAIM,
  });
}
