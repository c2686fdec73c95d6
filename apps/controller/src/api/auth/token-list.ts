import { createHash, timingSafeEqual } from 'node:crypto';
import { CanaryError } from '@app/shared';
import { type Static, Type as T } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { parse } from 'yaml';
import { type Identity, ROLES } from './roles.js';

const name = T.String({ pattern: '^[\\w .@+-]{1,100}$' });
const role = T.Union(ROLES.map((r) => T.Literal(r)));
const closed = { additionalProperties: false };
const TokenListSchema = T.Array(
  T.Union([
    T.Object({ name, role, token: T.String({ minLength: 16 }) }, closed),
    T.Object({ name, role, sha256: T.String({ pattern: '^[0-9a-fA-F]{64}$' }) }, closed),
  ]),
  { minItems: 1 },
);

interface KnownToken {
  readonly digest: Buffer;
  readonly identity: Identity;
}

/** Tokens that this controller knows, by digest: what it holds in memory lets nobody in. */
export class TokenList {
  private readonly tokens: readonly KnownToken[];

  /** @param list YAML or JSON: `- { name, role, token }` or `{ name, role, sha256 }`. Throws CanaryError `bad-configuration` without a secret in it. */
  constructor(list: string | undefined, single?: { readonly token: string; readonly name: string }) {
    const listed = list === undefined ? [] : readList(list);
    const own: KnownToken[] = single
      ? [{ digest: digestOf(single.token), identity: { name: single.name, role: 'admin', by: 'token' } }]
      : [];
    this.tokens = [...own, ...listed];
    const names = this.tokens.map(({ identity }) => identity.name);
    const twice = names.find((one, index) => names.indexOf(one) !== index);
    if (twice !== undefined) throw bad(`the name ${twice} is given twice: decisions could not tell them apart`);
  }

  get isEmpty(): boolean {
    return this.tokens.length === 0;
  }

  /** Takes as long whatever is given: all digests have one length, and all are compared. */
  find(token: string): Identity | null {
    const given = digestOf(token);
    let found: Identity | null = null;
    for (const { digest, identity } of this.tokens) if (timingSafeEqual(given, digest)) found = identity;
    return found;
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const bad = (why: string): CanaryError => new CanaryError('bad-configuration', `CONTROLLER_TOKENS: ${why}`);

function readList(text: string): KnownToken[] {
  let list: unknown;
  try {
    list = parse(text);
  } catch {
    throw bad('neither YAML nor JSON'); // the parser's own words quote the text, and with it secrets
  }
  if (!Value.Check(TokenListSchema, list)) throw bad(whatIsWrong(list));
  return list.map((entry: Static<typeof TokenListSchema>[number]) => ({
    digest: 'token' in entry ? digestOf(entry.token) : Buffer.from(entry.sha256, 'hex'),
    identity: { name: entry.name, role: entry.role, by: 'token' },
  }));
}

function whatIsWrong(list: unknown): string {
  const remedy = `{ name, role: ${ROLES.join(' | ')}, token (at least 16 characters) or sha256 (64 hex digits) }`;
  if (!Array.isArray(list) || list.length === 0) return `write a list of ${remedy}`;
  const index = list.findIndex((entry) => !Value.Check(TokenListSchema.items, entry));
  return `entry ${index + 1} is not ${remedy}`;
}
