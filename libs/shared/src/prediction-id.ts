import { hash, randomBytes } from 'node:crypto';
import type { Parsed } from './result.js';

/**
 * The prediction id carries its own attribution, sealed so that it can be neither read nor forged, so that a label that
 * comes a month late is joined without a table. SIV form over a payload of 32 bytes:
 *
 *   tag  = first 12 bytes of SHA-256(k1 | key number | payload)
 *   mask = SHA-256(k2 | tag)
 *   id   = base64url(key number (1) | tag (12) | payload xor mask (32))     60 characters
 */
export interface Attribution {
  /** modelHash() of the model's name. */
  readonly modelHash: number;
  readonly generation: number;
  /** Index of the version within its model, 0..255. */
  readonly versionIndex: number;
  readonly arm: 'stable' | 'canary';
  /** When the version was chosen, ms since the epoch. */
  readonly routedAt: number;
  /** routedAt minus the opening time of the prediction's bucket, 0..65535 ms: strata of labels are made of whole buckets. */
  readonly sinceBucketMs: number;
  /** User group, 0..63. */
  readonly unit: number;
  /** Number of the segment (segmentOf), 0 for none, 1..63. */
  readonly segment: number;
  /** Low 24 bits of the router id's hash and low 16 of a counter: makes ids unique. */
  readonly routerHash: number;
  readonly counter: number;
  /** What kind of prediction `value` holds. `none`: a label of it cannot be judged. */
  readonly valueKind: 'none' | 'class' | 'number';
  /** The number, or classHash() of the class. */
  readonly value: number;
  /** Not counted as evidence: a tester's override, a shadow copy, or stable's answer in place of a failed canary's. */
  readonly counted: boolean;
}

const PAYLOAD_BYTES = 32;
const TAG_BYTES = 12;
/** In the payload. */
const MODEL_HASH_AT = 2;
const MODEL_HASH_BYTES = 5;
const ID_BYTES = 1 + TAG_BYTES + PAYLOAD_BYTES;
/** Length of every id, characters. */
export const PREDICTION_ID_LENGTH = 60;
const VALUE_KINDS = ['none', 'class', 'number'] as const;
/** Of classes, and of models. */
const TEXTS_REMEMBERED = 4096;
const TEXT_REMEMBERED_LENGTH = 64;

/** One sealing key of at least 32 bytes under a number 0..255. */
export interface SealingKey {
  readonly number: number;
  readonly secret: Buffer;
}

interface DerivedKey {
  readonly number: number;
  readonly tagInput: Buffer;
  readonly maskInput: Buffer;
}

/**
 * Seals and opens prediction ids. The first key seals; all of them open, so old keys stay in the list as long as labels
 * of their predictions may come.
 */
export class PredictionIdSealer {
  private keys!: ReadonlyMap<number, DerivedKey>;
  private current!: DerivedKey;
  private readonly scratch = Buffer.alloc(ID_BYTES);
  private readonly digest = Buffer.alloc(32);

  /** Throws RangeError for keys that check() refuses. */
  constructor(keys: readonly SealingKey[]) {
    this.use(keys);
  }

  /** Throws RangeError, without a secret in its message: a number is 0..255 and occurs once, a secret has 32 bytes or more. */
  static check(keys: readonly SealingKey[]): void {
    const numbers = new Set<number>();
    for (const { number, secret } of keys) {
      if (secret.length < 32) throw new RangeError(`prediction id key ${number}: at least 32 bytes are needed`);
      if (!Number.isInteger(number) || number < 0 || number > 255 || numbers.has(number))
        throw new RangeError(`prediction id key ${number}: numbers are 0..255 and differ`);
      numbers.add(number);
    }
    if (keys.length === 0) throw new RangeError('at least one prediction id key is needed');
  }

  /** From now on these keys and no others. Throws RangeError for keys that check() refuses; then nothing changes. */
  use(keys: readonly SealingKey[]): void {
    PredictionIdSealer.check(keys);
    const derived = keys.map(derive);
    this.keys = new Map(derived.map((key) => [key.number, key]));
    this.current = derived[0]!;
  }

  /** Seals an attribution: 60 URL-safe characters. Some 2 us. */
  seal(a: Attribution): string {
    const id = this.scratch;
    const { tagInput, maskInput } = this.current;
    writePayload(tagInput, 33, a);
    id[0] = this.current.number;
    const tag = this.sha256(tagInput);
    tag.copy(id, 1, 0, TAG_BYTES);
    tag.copy(maskInput, 32, 0, TAG_BYTES);
    const mask = this.sha256(maskInput);
    for (let i = 0; i < PAYLOAD_BYTES; i++) id[13 + i] = tagInput[33 + i]! ^ mask[i]!;
    return id.toString('base64url');
  }

  /** Opens an id. Codes: malformed-prediction-id, unknown-prediction-id-key, forged-prediction-id. */
  open(id: string): Parsed<Attribution> {
    const bytes = this.scratch;
    if (!this.read(id))
      return refuse('malformed-prediction-id', `a prediction id has ${PREDICTION_ID_LENGTH} URL-safe characters`);
    const key = this.keys.get(bytes[0]!);
    if (!key) return refuse('unknown-prediction-id-key', `no key number ${bytes[0]}: was it removed too early?`);
    const { tagInput } = key;
    this.unmask(key);
    const tag = this.sha256(tagInput);
    let difference = 0;
    for (let i = 0; i < TAG_BYTES; i++) difference |= tag[i]! ^ bytes[1 + i]!;
    if (difference !== 0)
      return refuse(
        'forged-prediction-id',
        'the prediction id was not made by a router with these keys, or it was changed',
      );
    return { ok: true, value: readPayload(tagInput, 33) };
  }

  /** The model that an id says it is of, at half the cost of open(), which alone can tell whether that is true; null: none. */
  modelHashIn(id: string): number | null {
    const key = this.read(id) ? this.keys.get(this.scratch[0]!) : undefined;
    if (!key) return null;
    this.unmask(key);
    return key.tagInput.readUIntBE(33 + MODEL_HASH_AT, MODEL_HASH_BYTES);
  }

  /** Reads an id's bytes; false if it cannot be one. */
  private read(id: string): boolean {
    return id.length === PREDICTION_ID_LENGTH && this.scratch.write(id, 'base64url') === ID_BYTES;
  }

  /** Makes the payload of the bytes that were read, in the key's tagInput. */
  private unmask({ tagInput, maskInput }: DerivedKey): void {
    const bytes = this.scratch;
    bytes.copy(maskInput, 32, 1, 13);
    const mask = this.sha256(maskInput);
    for (let i = 0; i < PAYLOAD_BYTES; i++) tagInput[33 + i] = bytes[13 + i]! ^ mask[i]!;
  }

  /** Good until the next one. Text of one byte a character costs a third of a Buffer, which is allocated outside the heap. */
  private sha256(input: Buffer): Buffer {
    this.digest.write(hash('sha256', input, 'binary'), 'latin1');
    return this.digest;
  }
}

/** A sealing key for a first look: random, so ids of an earlier start cannot be opened. */
export function randomSealingKey(): SealingKey {
  return { number: 0, secret: randomBytes(32) };
}

/** First 40 bits of SHA-256 of a model's name. */
export const modelHash = rememberedHash('model', 10);

const hashOfClass = rememberedHash('class', 12);
/** First 48 bits of SHA-256 of a class as text: 3, "3" and 3.0 are the same class. */
export const classHash = (value: string | number | boolean): number => hashOfClass(String(value));

/** The first digits of the hash of a text of some kind. Remembered, for models and classes come again and again. */
function rememberedHash(kind: string, hexDigits: number): (text: string) => number {
  const hashes = new Map<string, number>();
  return (text) => {
    const known = hashes.get(text);
    if (known !== undefined) return known;
    const made = Number.parseInt(hash('sha256', `${kind}:${text}`, 'hex').slice(0, hexDigits), 16);
    if (text.length > TEXT_REMEMBERED_LENGTH) return made;
    if (hashes.size >= TEXTS_REMEMBERED) hashes.clear();
    hashes.set(text, made);
    return made;
  };
}

function derive(key: SealingKey): DerivedKey {
  const sub = (purpose: string): Buffer =>
    hash('sha256', Buffer.concat([Buffer.from(`model-canary prediction id ${purpose}`), key.secret]), 'buffer');
  const tagInput = Buffer.alloc(33 + PAYLOAD_BYTES);
  sub('tag').copy(tagInput, 0);
  tagInput[32] = key.number;
  const maskInput = Buffer.alloc(32 + TAG_BYTES);
  sub('mask').copy(maskInput, 0);
  return { number: key.number, tagInput, maskInput };
}

function writePayload(out: Buffer, at: number, a: Attribution): void {
  const flags =
    VALUE_KINDS.indexOf(a.valueKind) | (a.arm === 'canary' ? 4 : 0) | (a.counted ? 8 : 0) | ((a.segment & 15) << 4);
  out[at] = flags;
  out[at + 1] = (a.unit & 63) | ((a.segment & 48) << 2);
  out.writeUIntBE(a.modelHash, at + MODEL_HASH_AT, MODEL_HASH_BYTES);
  out.writeUIntBE(a.generation & 0xffffff, at + 7, 3);
  out[at + 10] = a.versionIndex;
  out.writeUIntBE(a.routedAt, at + 11, 6);
  out.writeUInt16BE(a.sinceBucketMs, at + 17);
  out.writeUIntBE(a.routerHash & 0xffffff, at + 19, 3);
  out.writeUInt16BE(a.counter & 0xffff, at + 22);
  out.writeDoubleBE(a.value, at + 24);
}

function readPayload(bytes: Buffer, at: number): Attribution {
  const flags = bytes[at]!;
  return {
    valueKind: VALUE_KINDS[flags & 3] ?? 'none',
    arm: flags & 4 ? 'canary' : 'stable',
    counted: (flags & 8) !== 0,
    segment: (flags >> 4) | ((bytes[at + 1]! >> 2) & 48),
    unit: bytes[at + 1]! & 63,
    modelHash: bytes.readUIntBE(at + MODEL_HASH_AT, MODEL_HASH_BYTES),
    generation: bytes.readUIntBE(at + 7, 3),
    versionIndex: bytes[at + 10]!,
    routedAt: bytes.readUIntBE(at + 11, 6),
    sinceBucketMs: bytes.readUInt16BE(at + 17),
    routerHash: bytes.readUIntBE(at + 19, 3),
    counter: bytes.readUInt16BE(at + 22),
    value: bytes.readDoubleBE(at + 24),
  };
}

function refuse(
  code: string,
  message: string,
): { ok: false; problems: readonly { field: string; code: string; message: string }[] } {
  return { ok: false, problems: [{ field: 'predictionId', code, message }] };
}
