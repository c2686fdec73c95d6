import { CanaryError, DECISION_ACTIONS, parseDuration } from '@app/shared';
import { type Static, Type as T } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { NotificationTarget } from '../domain/notifications/target.js';

const duration = T.String({ pattern: '^[0-9].*$' });
const TargetSchema = T.Object(
  {
    name: T.String({ pattern: '^[A-Za-z0-9._-]{1,60}$' }),
    url: T.Optional(T.String()),
    urlFile: T.Optional(T.String()),
    format: T.Optional(T.Union([T.Literal('json'), T.Literal('slack')])),
    secretFile: T.Optional(T.String()),
    actions: T.Optional(T.Array(T.Union(DECISION_ACTIONS.map((action) => T.Literal(action))), { minItems: 1 })),
    models: T.Optional(T.Array(T.String({ minLength: 1 }), { minItems: 1 })),
    retryFor: T.Optional(duration),
    maxAge: T.Optional(duration),
  },
  { additionalProperties: false },
);
type WrittenTarget = Static<typeof TargetSchema>;

const RETRY_FOR = '1h';
const MAX_AGE = '24h';
const SECRET_BYTES_MIN = 24;

/**
 * Reads the list of targets: YAML or JSON. Throws CanaryError `bad-configuration` that names the target and what is wrong,
 * without a secret or an address.
 */
export function readTargets(text: string | undefined): NotificationTarget[] {
  if (text === undefined) return [];
  let list: unknown;
  try {
    list = parse(text);
  } catch {
    throw bad('neither YAML nor JSON'); // the parser quotes the text, and addresses may be secrets
  }
  if (!Array.isArray(list)) throw bad('write a list of { name, url or urlFile, format, secretFile, actions, models }');
  const targets = list.map(readTarget);
  const names = targets.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw bad(`the name ${twice} is given twice`);
  return targets;
}

const bad = (why: string): CanaryError => new CanaryError('bad-configuration', `NOTIFICATIONS: ${why}`);

function readTarget(written: unknown, index: number): NotificationTarget {
  if (!Value.Check(TargetSchema, written)) {
    const error = Value.Errors(TargetSchema, written).First();
    const field = error?.path.slice(1).replaceAll('/', '.') || 'it';
    const known = Object.keys(TargetSchema.properties).join(', ');
    throw bad(`target ${index + 1}: ${field} is not right (known: ${known}; actions: ${DECISION_ACTIONS.join(', ')})`);
  }
  const { name, format = 'json', actions, models } = written;
  const secret = written.secretFile === undefined ? undefined : readSecret(name, written.secretFile);
  return {
    name,
    url: urlOf(written),
    format,
    ...(secret ? { secret } : {}),
    ...(actions ? { actions } : {}),
    ...(models ? { models } : {}),
    retryForMs: durationOf(name, 'retryFor', written.retryFor ?? RETRY_FOR),
    maxAgeMs: durationOf(name, 'maxAge', written.maxAge ?? MAX_AGE),
  };
}

function urlOf({ name, url, urlFile }: WrittenTarget): string {
  if ((url === undefined) === (urlFile === undefined)) throw bad(`${name}: give url, or urlFile where it is a secret`);
  const text = url ?? readFile(name, 'urlFile', urlFile!);
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw bad(`${name}: its address is no http or https URL`);
  return text;
}

/** As other tools write it (whsec_ and base64), or any text that is long enough. */
function readSecret(name: string, path: string): Buffer {
  const text = readFile(name, 'secretFile', path);
  const secret = text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : Buffer.from(text);
  if (secret.length < SECRET_BYTES_MIN) throw bad(`${name}: its secret is shorter than ${SECRET_BYTES_MIN} bytes`);
  return secret;
}

function readFile(name: string, field: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw bad(`${name}: ${field} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function durationOf(name: string, field: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw bad(`${name}: ${field} is a duration such as 30s, 5m or 2h`);
  return durationMs;
}
