import { hash } from 'node:crypto';
import { type CutLogTimes, type CutPositions, jsonCodec } from '@app/shared';
import { type Static, Type as T } from '@sinclair/typebox';
import type { ModelEngine } from '../engine.js';
import type { ModelPlan } from '../plan.js';
import type { EngineFactory } from './engine-factory.js';
import type { Hold } from './hold.js';
import { type OwnedModel, OwnedModels } from './owned-models.js';

/** Largest piece of a checkpoint, bytes: with its key and the record's frame it stays below Kafka's default of 1 MB. */
export const CHECKPOINT_PIECE_BYTES_MAX = 900_000;

/** Where an owner stands after a cut, beside the state of its models. */
export interface CheckpointHead {
  readonly owner: number;
  /** Number of the cut. */
  readonly number: number;
  readonly positions: CutPositions;
  readonly logTimes: CutLogTimes;
  /** An offset of the verdict partition at or below the record of the first cut after this one. */
  readonly verdictsFrom: number;
}

/** First record of a checkpoint, JSON. Its pieces follow it in the same transaction. */
const ManifestSchema = T.Object({
  kind: T.Literal('owner-checkpoint'),
  schemaVersion: T.Literal(1),
  engineVersion: T.String(),
  number: T.Integer({ minimum: 1 }),
  pieces: T.Integer({ minimum: 1 }),
  bytes: T.Integer({ minimum: 1 }),
  /** Of the pieces put together. */
  sha256: T.String(),
  verdictsFrom: T.Integer({ minimum: 0 }),
});
export type CheckpointManifest = Static<typeof ManifestSchema>;
export const checkpointManifestCodec = jsonCodec(ManifestSchema);

export const manifestKey = (owner: number): string => `owner-${owner}`;
export const pieceKey = (owner: number, piece: number): string => `owner-${owner}-piece-${piece}`;

export interface KeyedValue {
  readonly key: string;
  readonly value: Buffer;
}

/** One model in the body: everything but the engine's own bytes, whose length it gives. */
interface StoredModel {
  readonly model: string;
  readonly sequence: number;
  readonly plan: ModelPlan;
  readonly hold: Hold | null;
  readonly failedSaidMs: number | null;
  /** null: the engine has failed. */
  readonly engineBytes: number | null;
}

/** The records of a checkpoint: the manifest, then pieces below 1 MB. */
export function encodeCheckpoint(head: CheckpointHead, models: OwnedModels): readonly KeyedValue[] {
  const engines: Buffer[] = [];
  const stored = models.all().map((owned): StoredModel => {
    const bytes = owned.engine?.encode() ?? null;
    if (bytes) engines.push(bytes);
    const { model, sequence, plan, hold, failedSaidMs } = owned;
    return { model, sequence, plan, hold, failedSaidMs, engineBytes: bytes?.length ?? null };
  });
  const json = Buffer.from(JSON.stringify({ head, models: stored }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const body = Buffer.concat([length, json, ...engines]);
  const pieces: KeyedValue[] = [];
  for (let at = 0; at < body.length; at += CHECKPOINT_PIECE_BYTES_MAX) {
    const value = body.subarray(at, at + CHECKPOINT_PIECE_BYTES_MAX);
    pieces.push({ key: pieceKey(head.owner, pieces.length), value });
  }
  const manifest = checkpointManifestCodec.encode({
    kind: 'owner-checkpoint',
    schemaVersion: 1,
    engineVersion: models.engineVersion,
    number: head.number,
    pieces: pieces.length,
    bytes: body.length,
    sha256: hash('sha256', body, 'hex'),
    verdictsFrom: head.verdictsFrom,
  });
  return [{ key: manifestKey(head.owner), value: manifest }, ...pieces];
}

/** A checkpoint as found: the state, or why there is none in it and where at least it stands. */
export type FoundCheckpoint =
  | { readonly kind: 'usable'; readonly head: CheckpointHead; readonly models: OwnedModels }
  | { readonly kind: 'unusable'; readonly why: string; readonly number: number; readonly verdictsFrom: number };

/**
 * Puts a checkpoint together again. Null: there is none. Unusable: of another engine version, or records of it are
 * missing or changed, which a topic that is compacted and read committed does not show.
 */
export function decodeCheckpoint(
  owner: number,
  records: ReadonlyMap<string, Buffer>,
  engines: EngineFactory,
): FoundCheckpoint | null {
  const manifestBytes = records.get(manifestKey(owner));
  if (!manifestBytes) return null;
  const parsed = checkpointManifestCodec.decode(manifestBytes);
  if (!parsed.ok) {
    const why = `the checkpoint's manifest: ${parsed.problems.map(({ message }) => message).join('; ')}`;
    return { kind: 'unusable', why, number: 0, verdictsFrom: 0 };
  }
  const manifest = parsed.value;
  const { number, verdictsFrom } = manifest;
  const unusable = (why: string): FoundCheckpoint => ({ kind: 'unusable', why, number, verdictsFrom });
  if (manifest.engineVersion !== engines.version)
    return unusable(`the checkpoint is of engine version ${manifest.engineVersion}, this is ${engines.version}`);
  const pieces = Array.from({ length: manifest.pieces }, (_, i) => records.get(pieceKey(owner, i)));
  if (pieces.some((piece) => !piece)) return unusable('a piece of the checkpoint is missing');
  const body = Buffer.concat(pieces as Buffer[]);
  if (hash('sha256', body, 'hex') !== manifest.sha256) return unusable("the checkpoint's pieces do not give its hash");
  try {
    return decodeBody(body, engines);
  } catch (error) {
    return unusable(`the checkpoint cannot be read: ${(error as Error).message}`);
  }
}

function decodeBody(body: Buffer, engines: EngineFactory): FoundCheckpoint {
  const jsonEnd = 4 + body.readUInt32BE(0);
  const { head, models } = JSON.parse(body.toString('utf8', 4, jsonEnd)) as {
    head: CheckpointHead;
    models: readonly StoredModel[];
  };
  let at = jsonEnd;
  const owned = models.map(({ engineBytes, ...rest }): OwnedModel => {
    if (engineBytes === null) return { ...rest, engine: null };
    const engine: ModelEngine = engines.decode(rest.model, Buffer.from(body.subarray(at, at + engineBytes)));
    at += engineBytes;
    return { ...rest, engine };
  });
  return { kind: 'usable', head, models: new OwnedModels(engines, owned) };
}
