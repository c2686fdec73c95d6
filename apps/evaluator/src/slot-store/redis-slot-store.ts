import { RESOLUTIONS, windowChunk, windowChunkTtlMs, windowField, type WindowId, windowKeys } from '@app/shared';
import type { ChainableCommander, Cluster, Redis } from 'ioredis';
import { packSummaries, unpackSummaries } from '../domain/slot/summary-codec.js';
import { LuaScript } from './lua-script.js';
import { isMetaField, META_FIELD, SLOT_TTL_MS, slotKeys } from './slot-keys.js';
import {
  type OwnerView,
  type PackedWindow,
  type PlacedSummary,
  type SlotChange,
  type SlotId,
  type SlotImage,
  slotName,
  type SlotRead,
  type SlotStore,
  type WholeSlot,
} from './slot-store.js';

export interface RedisSlotStoreOptions {
  readonly redis: Redis | Cluster;
  /** First part of every key. */
  readonly prefix: string;
  /** Partitions of evaluator-checkpoint: the owners that summaries are for. */
  readonly owners: number;
}

type Args = (string | number | Buffer)[];
/** Entry of a stream as ioredis gives it: id, [field, value]. */
type RawEntry = [Buffer, Buffer[]];

/** What read-slot-2.lua gives. */
type RawView = [position: Buffer, logTime: Buffer | null, trimmedTo: Buffer | null, entries: RawEntry[]];

/** Slots in Redis. Every read and every change of a slot is one atomic step on one hash tag. */
export class RedisSlotStore implements SlotStore {
  private readonly redis: Redis | Cluster;
  private readonly windowKeys: ReturnType<typeof windowKeys>;
  private readonly applyScript = new LuaScript('apply-slot-n.lua');
  private readonly readScript = new LuaScript('read-slot-2.lua');
  private readonly trimScript = new LuaScript('trim-summaries-2.lua');
  private readonly restoreScript = new LuaScript('restore-slot-n.lua');
  /** Slots that this process has made known to the readers of windows. */
  private readonly announced = new Set<string>();

  constructor(private readonly options: RedisSlotStoreOptions) {
    this.redis = options.redis;
    this.windowKeys = windowKeys(options.prefix);
  }

  async load(slot: SlotId): Promise<SlotImage | null> {
    return imageOf(await this.redis.hgetallBuffer(this.keys(slot).slot));
  }

  async apply(slot: SlotId, change: SlotChange): Promise<'applied' | 'moved'> {
    const keys = this.keys(slot);
    const windows = this.byChunk(slot, change);
    const args: Args = [
      change.expectedPosition ?? '',
      change.position,
      change.logTimeMs,
      SLOT_TTL_MS,
      change.set.size,
      change.deleted.length,
      change.summaries.size,
      windows.size,
      change.waiting?.drop ? 1 : 0,
      change.waiting?.add ?? '',
    ];
    for (const [field, value] of change.set) args.push(field, value);
    args.push(...change.deleted);
    for (const summaries of change.summaries.values()) args.push(...entryOf(summaries));
    for (const [, { ttlMs, chunk }] of windows) {
      args.push(ttlMs, chunk.length);
      for (const { id, value } of chunk) args.push(windowField(id), value);
    }
    const allKeys = [keys.slot, keys.waiting, ...[...change.summaries.keys()].map(keys.summaries), ...windows.keys()];
    const applied = (await this.applyScript.run(this.redis, allKeys, args)) === 1;
    if (applied) await this.announce(slot, change.expectedPosition === null);
    return applied ? 'applied' : 'moved';
  }

  async readForOwner(slot: SlotId, owner: number, from: number): Promise<OwnerView | null> {
    const [view] = await this.readTogether(owner, [{ slot, from }]);
    if (view instanceof Error) throw view;
    return view!;
  }

  /** Of several shards one may be away: its slots are null. */
  async readAllForOwner(owner: number, reads: readonly SlotRead[]): Promise<readonly (OwnerView | null)[]> {
    // Slots lie on the shards of a cluster as their names have it; a single Redis is asked for all of them at once.
    const together = this.redis.isCluster ? reads.map((read) => [read]) : [reads];
    const asked = await Promise.allSettled(together.map((some) => this.readTogether(owner, some)));
    const views = asked.flatMap((some, i) =>
      some.status === 'fulfilled' ? some.value : together[i]!.map(() => some.reason as Error),
    );
    const failed = views.find((view) => view instanceof Error);
    if (failed && views.every((view) => view instanceof Error)) throw failed;
    return views.map((view) => (view instanceof Error ? null : view));
  }

  private async readTogether(owner: number, reads: readonly SlotRead[]): Promise<(OwnerView | null | Error)[]> {
    const calls = reads.map(({ slot, from }) => {
      const keys = this.keys(slot);
      return { keys: [keys.slot, keys.summaries(owner)], args: [META_FIELD.trimmed(owner), from] };
    });
    const results = (await this.readScript.readAll(this.redis, calls)) as (RawView | null | Error)[];
    return results.map((raw, i) => (raw === null || raw instanceof Error ? raw : viewOf(raw, reads[i]!.from)));
  }

  async trim(slot: SlotId, owner: number, below: number): Promise<void> {
    const keys = this.keys(slot);
    await this.trimScript.run(this.redis, [keys.slot, keys.summaries(owner)], [META_FIELD.trimmed(owner), below]);
  }

  async loadWhole(slot: SlotId): Promise<WholeSlot | null> {
    const keys = this.keys(slot);
    const owners = Array.from({ length: this.options.owners }, (_, owner) => owner);
    const results = await this.atomically((multi) => {
      multi.hgetallBuffer(keys.slot);
      for (const owner of owners) multi.xrangeBuffer(keys.summaries(owner), '-', '+');
      return multi;
    });
    const [hash, ...streams] = results as [Record<string, Buffer>, ...RawEntry[][]];
    const image = imageOf(hash);
    if (!image) return null;
    const parts = owners.map((owner) => {
      const trimmedTo = numberOf(hash[META_FIELD.trimmed(owner)]) ?? 0;
      return [owner, { trimmedTo, summaries: summariesOf(streams[owner] ?? [], trimmedTo) }] as const;
    });
    return { image, owners: new Map(parts.filter(([, { trimmedTo, summaries }]) => trimmedTo || summaries.length)) };
  }

  async readWindows(slot: SlotId, ids: readonly WindowId[]): Promise<readonly (Buffer | null)[]> {
    const byKey = new Map<string, number[]>();
    for (const [i, id] of ids.entries()) {
      const key = this.chunkKey(slot, id);
      const indexes = byKey.get(key);
      if (indexes) indexes.push(i);
      else byKey.set(key, [i]);
    }
    const found = new Array<Buffer | null>(ids.length).fill(null);
    const reads = [...byKey].map(async ([key, indexes]) => {
      const values = await this.redis.hmgetBuffer(key, ...indexes.map((i) => windowField(ids[i]!)));
      for (const [n, i] of indexes.entries()) found[i] = values[n] ?? null;
    });
    await Promise.all(reads);
    return found;
  }

  async readWaiting(slot: SlotId): Promise<readonly Buffer[]> {
    return await this.redis.lrangeBuffer(this.keys(slot).waiting, 0, -1);
  }

  async restore(slot: SlotId, { image, owners }: WholeSlot): Promise<'restored' | 'newer-found'> {
    const keys = this.keys(slot);
    const fields: Args = [META_FIELD.position, image.position, META_FIELD.logTime, image.logTimeMs];
    for (const [owner, { trimmedTo }] of owners) if (trimmedTo > 0) fields.push(META_FIELD.trimmed(owner), trimmedTo);
    for (const [field, value] of image.fields) fields.push(field, value);
    const args: Args = [image.position, SLOT_TTL_MS, fields.length / 2, ...fields];
    const streams: string[] = [];
    for (let owner = 0; owner < this.options.owners; owner++) {
      streams.push(keys.summaries(owner));
      const summaries = owners.get(owner)?.summaries ?? [];
      args.push(...(summaries.length > 0 ? entryOf(summaries) : ['', '']));
    }
    const restored = (await this.restoreScript.run(this.redis, [keys.slot, ...streams], args)) === 1;
    if (!restored) return 'newer-found';
    // Windows that outlived their slot would count the records twice that are read again now.
    const chunks = RESOLUTIONS.flatMap((resolution) => {
      const newest = windowChunk(resolution, Math.max(0, image.logTimeMs));
      return [newest - 1, newest, newest + 1].map((n) => this.windowKeys.chunk(slotName(slot), resolution, n));
    });
    await this.redis.unlink(keys.waiting, ...chunks);
    await this.announce(slot, true);
    return 'restored';
  }

  private keys(slot: SlotId): ReturnType<typeof slotKeys> {
    return slotKeys(this.options.prefix, slot);
  }

  private chunkKey(slot: SlotId, { resolution, startMs }: WindowId): string {
    return this.windowKeys.chunk(slotName(slot), resolution, windowChunk(resolution, startMs));
  }

  private byChunk(
    slot: SlotId,
    { windows, logTimeMs }: SlotChange,
  ): Map<string, { ttlMs: number; chunk: PackedWindow[] }> {
    const byKey = new Map<string, { ttlMs: number; chunk: PackedWindow[] }>();
    for (const window of windows ?? []) {
      const key = this.chunkKey(slot, window.id);
      const found = byKey.get(key);
      if (found) found.chunk.push(window);
      else byKey.set(key, { ttlMs: windowChunkTtlMs(window.id, logTimeMs), chunk: [window] });
    }
    return byKey;
  }

  /** Once per process, and whenever the slot was made: the set may be gone with everything else. Of another cluster slot. */
  private async announce(slot: SlotId, made: boolean): Promise<void> {
    const name = slotName(slot);
    if (!made && this.announced.has(name)) return;
    await this.redis.sadd(this.windowKeys.sources, name);
    this.announced.add(name);
  }

  /** Results of commands that see one state of the slot. Rejects when any of them does. */
  private async atomically(build: (multi: ChainableCommander) => ChainableCommander): Promise<unknown[]> {
    const results = await build(this.redis.multi()).exec();
    return (results ?? []).map(([error, value]) => {
      if (error) throw error;
      return value;
    });
  }
}

/**
 * An entry of a stream: its id and all of an owner's summaries of one change, some at least. It stands at the last of
 * them, so that XRANGE and XTRIM from an offset on keep every entry that has one there.
 */
function entryOf(summaries: readonly PlacedSummary[]): [string, Buffer] {
  const { offset, index } = summaries.at(-1)!;
  // Stream ids begin at 0-1.
  return [`${offset}-${index + 1}`, packSummaries(summaries)];
}

const summariesOf = (entries: readonly RawEntry[], from: number): PlacedSummary[] =>
  entries.flatMap(([, [, packed]]) => unpackSummaries(packed!, from));

function viewOf([position, logTime, trimmed, entries]: RawView, from: number): OwnerView {
  const trimmedTo = numberOf(trimmed) ?? 0;
  const summaries = summariesOf(entries, Math.max(from, trimmedTo));
  return { position: numberOf(position)!, logTimeMs: numberOf(logTime) ?? -1, trimmedTo, summaries };
}

function imageOf(hash: Record<string, Buffer>): SlotImage | null {
  const position = numberOf(hash[META_FIELD.position]);
  if (position === null) return null;
  const fields = Object.entries(hash).filter(([field]) => !isMetaField(field));
  return { position, logTimeMs: numberOf(hash[META_FIELD.logTime]) ?? -1, fields: new Map(fields) };
}

const numberOf = (value: Buffer | null | undefined): number | null => (value ? Number(value.toString('latin1')) : null);
