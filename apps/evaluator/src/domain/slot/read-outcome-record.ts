import {
  type BucketRecord,
  bucketCodec,
  type Outcome,
  outcomeCodec,
  type Parsed,
  PREDICTION_BINS,
  tickCodec,
} from '@app/shared';
import type { Cause } from './folded-batch.js';

/** Longer ones are refused unread: an outcome has some 300 bytes. */
export const RECORD_BYTES_MAX = 64 * 1024;

export type OutcomeReading =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'bucket'; readonly record: BucketRecord }
  | { readonly kind: 'tick' }
  | { readonly kind: 'refused'; readonly cause: Cause };

const TICK: OutcomeReading = { kind: 'tick' };

/**
 * Reads a record of prediction-outcome. A hand-written guard lets good outcomes through (some .1 us, where the compiled
 * schema takes .5); whatever it does not know goes to the schema, which is the judge and names what is wrong.
 */
export function readOutcomeRecord(bytes: Buffer | null): OutcomeReading {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed.refusal;
  const value = parsed.value as Partial<Outcome> | null;
  const kind = typeof value === 'object' && value !== null ? (value.kind as unknown) : undefined;
  if (kind === 'outcome') {
    if (isPlainOutcome(value as Partial<Outcome>)) return { kind: 'outcome', outcome: value as Outcome };
    const judged = outcomeCodec.check(value);
    return judged.ok ? { kind: 'outcome', outcome: judged.value } : refusedBy(judged);
  }
  if (kind === 'bucket') {
    const judged = bucketCodec.check(value);
    return judged.ok ? { kind: 'bucket', record: judged.value } : refusedBy(judged);
  }
  if (kind === 'tick') return readTick(value);
  return refused('unknown-kind', `a record's kind is outcome, bucket or tick, not ${show(kind)}`);
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: { readonly kind: 'refused'; readonly cause: Cause } };

/** JSON of a bounded record; a tombstone, rubbish and too long ones are refused. */
export function parseJson(bytes: Buffer | null): ParsedJson {
  if (bytes === null) return { ok: false, refusal: refused('tombstone', 'the record has no value') };
  if (bytes.length > RECORD_BYTES_MAX)
    return {
      ok: false,
      refusal: refused('too-long', `the record has ${bytes.length} bytes; ${RECORD_BYTES_MAX} are allowed`),
    };
  try {
    return { ok: true, value: JSON.parse(bytes.toString('utf8')) };
  } catch (error) {
    return {
      ok: false,
      refusal: refused('not-json', `the record is not JSON: ${(error as Error).message.slice(0, 200)}`),
    };
  }
}

export function readTick(value: unknown): { readonly kind: 'tick' } | { kind: 'refused'; cause: Cause } {
  const judged = tickCodec.check(value);
  return judged.ok ? (TICK as { kind: 'tick' }) : refusedBy(judged);
}

export function refused(code: string, text: string): { readonly kind: 'refused'; readonly cause: Cause } {
  return { kind: 'refused', cause: { code, text } };
}

/** A schema's refusal in one cause: the first problem's code and all of their texts. */
export function refusedBy(judged: Parsed<unknown>): { readonly kind: 'refused'; readonly cause: Cause } {
  if (judged.ok) throw new RangeError('not a refusal');
  return refused(judged.problems[0]?.code ?? 'wrong-type', judged.problems.map((p) => p.message).join('; '));
}

/** What the schema says of the fields that the slot uses, plus: no optional field that needs a closer look. */
function isPlainOutcome(v: Partial<Outcome>): boolean {
  return (
    v.schemaVersion === 1 &&
    isName(v.predictionId, 100) &&
    isName(v.model, 200) &&
    isName(v.version, 200) &&
    isCount(v.generation) &&
    isName(v.router, 200) &&
    isCount(v.lane) &&
    isCount(v.sequence) &&
    (v.bucket === undefined || isCount(v.bucket)) &&
    isCount(v.unit) &&
    v.unit <= 63 &&
    isCount(v.routedAt) &&
    isDuration(v.latencyMs) &&
    (v.firstByteMs === undefined || isDuration(v.firstByteMs)) &&
    isStatus(v.status) &&
    isCount(v.httpStatus) &&
    v.httpStatus <= 999 &&
    (v.prediction === undefined || isNumberOrText(v.prediction)) &&
    (v.values === undefined || isNumbers(v.values)) &&
    (v.segment === undefined || isText(v.segment, 100)) &&
    (v.predictionBin === undefined || (isCount(v.predictionBin) && v.predictionBin < PREDICTION_BINS)) &&
    isFlag(v.shadow) &&
    isFlag(v.fallback) &&
    isFlag(v.override)
  );
}

const isName = (v: unknown, lengthMax: number): boolean => isText(v, lengthMax) && (v as string).length > 0;
const isText = (v: unknown, lengthMax: number): boolean => typeof v === 'string' && v.length <= lengthMax;
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isDuration = (v: unknown): boolean => typeof v === 'number' && v >= 0 && v < Number.POSITIVE_INFINITY;
const isNumberOrText = (v: unknown): boolean =>
  typeof v === 'string' ? v.length <= 500 : typeof v === 'number' && Number.isFinite(v);
const isFlag = (v: unknown): boolean => v === undefined || typeof v === 'boolean';

/** At most 8 finite numbers by name; JSON leaves no other objects than plain ones. */
function isNumbers(v: unknown): boolean {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return false;
  let names = 0;
  for (const name in v) {
    const value = (v as Record<string, unknown>)[name];
    if (++names > 8 || name.length > 100 || typeof value !== 'number' || !Number.isFinite(value)) return false;
  }
  return true;
}

function isStatus(v: unknown): boolean {
  switch (v) {
    case 'ok':
    case 'error':
    case 'timeout':
    case 'overloaded':
    case 'cancelled':
      return true;
    default:
      return false;
  }
}

const show = (kind: unknown): string => (kind === undefined ? 'missing' : JSON.stringify(kind).slice(0, 50));
