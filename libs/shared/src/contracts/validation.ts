import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Parsed, Problem } from '../result.js';

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    /** A named schema that documents show here: what a codec lets pass unread, so that one service's newer fields stop no other. */
    documentedAs?: string;
  }
}

/** A topic's record format: how a value becomes bytes and back. */
export interface RecordCodec<T> {
  readonly schema: TSchema;
  encode(value: T): Buffer;
  /** Unknown fields are left as they are; missing or wrong ones are named. Never throws. */
  decode(bytes: Buffer | null): Parsed<T>;
  check(value: unknown): Parsed<T>;
}

const PROBLEMS_MAX = 5;

/** Compiles a TypeBox schema into a codec. `null` bytes (a tombstone) are refused with code `tombstone`. */
export function jsonCodec<S extends TSchema>(schema: S): RecordCodec<Static<S>> {
  const compiled = TypeCompiler.Compile(schema);
  const check = (value: unknown): Parsed<Static<S>> => {
    if (compiled.Check(value)) return { ok: true, value: value };
    const problems: Problem[] = [];
    for (const error of compiled.Errors(value)) {
      if (problems.length === PROBLEMS_MAX) break;
      const field = error.path.slice(1).replaceAll('/', '.');
      problems.push({ field, code: 'wrong-type', message: `${field || 'record'}: ${error.message}` });
    }
    return { ok: false, problems };
  };
  return {
    schema,
    check,
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode(bytes) {
      if (bytes === null) return refuse('tombstone', 'the record has no value');
      let value: unknown;
      try {
        value = JSON.parse(bytes.toString('utf8'));
      } catch (error) {
        return refuse('not-json', `the record is not JSON: ${(error as Error).message.slice(0, 200)}`);
      }
      return check(value);
    },
  };
}

function refuse(code: string, message: string): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems: [{ field: '', code, message }] };
}
