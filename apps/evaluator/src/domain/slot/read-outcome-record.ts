import { type BucketRecord, bucketCodec, outcomeCodec, type Parsed, tickCodec } from '@app/shared';
import { BucketDecoder } from './bucket-decoder.js';
import type { Cause } from './folded-batch.js';
import { OutcomeDecoder, type SlotOutcome } from './outcome-decoder.js';

/** Longer ones are refused unread: an outcome has some 300 bytes. */
export const RECORD_BYTES_MAX = 64 * 1024;

export type OutcomeReading =
  | { readonly kind: 'outcome'; readonly outcome: SlotOutcome }
  | { readonly kind: 'bucket'; readonly record: BucketRecord }
  | { readonly kind: 'tick' }
  | { readonly kind: 'refused'; readonly cause: Cause };

const TICK = { kind: 'tick' } as const;
const outcomes = new OutcomeDecoder();
const buckets = new BucketDecoder();
const OUTCOME: OutcomeReading = { kind: 'outcome', outcome: outcomes.outcome };
const BUCKET: OutcomeReading = { kind: 'bucket', record: buckets.record };

/**
 * Reads a record of prediction-outcome. What is returned stands until the next call. Records that look as usual are read without JSON.parse; all else goes through it to the schema, which is the judge and names what is wrong.
 */
export function readOutcomeRecord(bytes: Buffer | null): OutcomeReading {
  if (bytes !== null && bytes.length <= RECORD_BYTES_MAX) {
    if (outcomes.decode(bytes)) return OUTCOME;
    if (buckets.decode(bytes)) return BUCKET;
  }
  return judgeOutcomeRecord(bytes);
}

/** As readOutcomeRecord, by the schema alone. */
export function judgeOutcomeRecord(bytes: Buffer | null): OutcomeReading {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed.refusal;
  const value = parsed.value as { readonly kind?: unknown } | null;
  const kind = typeof value === 'object' && value !== null ? value.kind : undefined;
  if (kind === 'outcome') {
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

export function readTick(value: unknown): typeof TICK | ReturnType<typeof refused> {
  const judged = tickCodec.check(value);
  return judged.ok ? TICK : refusedBy(judged);
}

export function refused(code: string, text: string): { readonly kind: 'refused'; readonly cause: Cause } {
  return { kind: 'refused', cause: { code, text } };
}

/** A schema's refusal in one cause: the first problem's code and all of their texts. */
export function refusedBy(judged: Parsed<unknown>): { readonly kind: 'refused'; readonly cause: Cause } {
  if (judged.ok) throw new RangeError('not a refusal');
  return refused(judged.problems[0]?.code ?? 'wrong-type', judged.problems.map((p) => p.message).join('; '));
}

const show = (kind: unknown): string => (kind === undefined ? 'missing' : JSON.stringify(kind).slice(0, 50));
