import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Type as T } from '@sinclair/typebox';
import {
  type BusProducer,
  type BusRecord,
  jsonCodec,
  type Logger,
  type MessageBus,
  type OutRecord,
  partitionOf,
} from '@app/shared';
import { abortable } from '../model-owner/abortable.js';
import { type SlotId, slotName, type WholeSlot } from '../slot-store/slot-store.js';
import { packWholeSlot, unpackWholeSlot } from './whole-slot-codec.js';

/** Below Kafka's 1 MB a record. */
const PIECE_BYTES_MAX = 900_000;
const VERSION_HEADER = 'version';
const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** What closes a checkpoint: written after its pieces, it makes them count. */
const manifestCodec = jsonCodec(
  T.Object({
    kind: T.Literal('slot-checkpoint'),
    schemaVersion: T.Literal(1),
    slot: T.String(),
    position: T.Integer({ minimum: 0 }),
    /** Which of the two sets of keys its pieces have. */
    set: T.Union([T.Literal('a'), T.Literal('b')]),
    pieces: T.Integer({ minimum: 1 }),
    /** Unique; every piece carries it as a header. */
    version: T.String(),
  }),
);
type PieceSet = 'a' | 'b';

export interface SlotCheckpointsDeps {
  readonly bus: MessageBus;
  readonly producer: BusProducer;
  /** Name of evaluator-checkpoint. */
  readonly topic: string;
  readonly controlPartitions: number;
  readonly logger: Logger;
  /** Ends every wait for the broker. */
  readonly signal: AbortSignal;
}

interface FoundCheckpoint {
  readonly set: PieceSet;
  readonly whole: WholeSlot;
}

/**
 * Whole slots in evaluator-checkpoint, packed: pieces under `slot-outcome-7/a/0`, `/a/1`, ... and then the manifest under
 * `slot-outcome-7`, all in one partition, so in order. Two sets of piece keys take turns: while one is written anew the
 * manifest before still finds all of its own, however the topic is compacted and wherever the writer dies. Two writers at
 * once can at worst make one another's checkpoint incomplete; the next one is whole again.
 */
export class SlotCheckpoints {
  /** The set that the newest manifest uses, as far as this process knows. */
  private readonly newestSet = new Map<string, PieceSet>();

  constructor(private readonly deps: SlotCheckpointsDeps) {}

  /** Resolves when it is acknowledged, with its size in bytes. */
  async write(slot: SlotId, whole: WholeSlot): Promise<number> {
    const name = slotName(slot);
    const newest = this.newestSet.get(name) ?? (await this.find(slot))?.set ?? 'b';
    const set: PieceSet = newest === 'a' ? 'b' : 'a';
    const packed = await zip(packWholeSlot(whole), { level: 1 });
    const version = randomBytes(8).toString('hex');
    const records: OutRecord[] = [];
    for (let from = 0; from < packed.length; from += PIECE_BYTES_MAX) {
      const key = pieceKey(name, set, records.length);
      const value = packed.subarray(from, from + PIECE_BYTES_MAX);
      records.push({ ...this.place(slot), key, value, headers: { [VERSION_HEADER]: version } });
    }
    const manifest = manifestCodec.encode({
      kind: 'slot-checkpoint',
      schemaVersion: 1,
      slot: name,
      position: whole.image.position,
      set,
      pieces: records.length,
      version,
    });
    for (const record of [...records, { ...this.place(slot), key: manifestKey(name), value: manifest }])
      await abortable(this.deps.producer.send([record]), this.deps.signal);
    this.newestSet.set(name, set);
    return packed.length;
  }

  /** The newest complete checkpoint of a slot; null if there is none. Reads its partition to the end. */
  async read(slot: SlotId): Promise<WholeSlot | null> {
    return (await this.find(slot))?.whole ?? null;
  }

  private async find(slot: SlotId): Promise<FoundCheckpoint | null> {
    const { bus, logger, signal } = this.deps;
    const { topic, partition } = this.place(slot);
    const collected = new CollectedPieces(slotName(slot));
    const follower = bus.follower({
      topics: [topic],
      partitions: [partition],
      readCommitted: true,
      onBatch: (batch) => batch.records.forEach((record) => collected.add(record)),
      onError: (error) => logger.warn({ err: error, topic, partition }, 'reading slot checkpoints: again'),
    });
    try {
      await abortable(follower.caughtUp(), signal);
    } finally {
      await follower.close();
    }
    const newest = collected.newest;
    if (!newest) return null;
    try {
      const whole = unpackWholeSlot(await unzip(newest.packed));
      return whole && { set: newest.set, whole };
    } catch (error) {
      logger.warn({ err: error, slot: slotName(slot) }, 'a slot checkpoint cannot be unpacked: the slot is read anew');
      return null;
    }
  }

  private place(slot: SlotId): { topic: string; partition: number } {
    const { topic, controlPartitions } = this.deps;
    return { topic, partition: partitionOf(manifestKey(slotName(slot)), controlPartitions) };
  }
}

const manifestKey = (name: string): string => `slot-${name}`;
const pieceKey = (name: string, set: PieceSet, piece: number): string => `${manifestKey(name)}/${set}/${piece}`;

/** Puts checkpoints of one slot together as their records are met. */
class CollectedPieces {
  newest: { readonly set: PieceSet; readonly position: number; readonly packed: Buffer } | null = null;
  private readonly pieces = new Map<string, { version: string | undefined; value: Buffer }>();

  constructor(private readonly name: string) {}

  add({ key: bytes, value, headers }: BusRecord): void {
    const key = bytes?.toString('utf8') ?? '';
    if (!value || !key.startsWith(manifestKey(this.name))) return;
    if (key === manifestKey(this.name)) this.close(value);
    else if (key.startsWith(`${manifestKey(this.name)}/`))
      this.pieces.set(key, { version: headers?.[VERSION_HEADER], value });
  }

  private close(value: Buffer): void {
    const decoded = manifestCodec.decode(value);
    if (!decoded.ok) return; // of another version of this software
    const { set, position, pieces, version } = decoded.value;
    const found = Array.from({ length: pieces }, (_, i) => this.pieces.get(pieceKey(this.name, set, i)));
    if (found.some((piece) => piece?.version !== version)) return;
    // A zombie's may come later and be older.
    if (this.newest && this.newest.position > position) return;
    this.newest = { set, position, packed: Buffer.concat(found.map((piece) => piece!.value)) };
  }
}
