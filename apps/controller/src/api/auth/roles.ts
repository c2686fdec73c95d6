/** What a caller may do, each role all that the ones before it may. */
export const ROLES = ['read', 'operate', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks, as far as it is proven. */
export interface Identity {
  /** Name of a token or of a person at the identity provider; stands in decisions. */
  readonly name: string;
  readonly role: Role;
  /** `nobody`: this controller asks for no token. */
  readonly by: 'token' | 'oidc' | 'nobody';
}

export const mayDo = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);
