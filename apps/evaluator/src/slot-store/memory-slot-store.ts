import { MemoryWindows, type WindowId } from '@app/shared';
import {
  type OwnerView,
  type PlacedSummary,
  type SlotChange,
  type SlotId,
  type SlotImage,
  slotName,
  type SlotRead,
  type SlotStore,
  type WholeSlot,
} from './slot-store.js';

interface OwnerPart {
  trimmedTo: number;
  summaries: PlacedSummary[];
}

interface StoredSlot {
  position: number;
  logTimeMs: number;
  fields: Map<string, Buffer>;
  owners: Map<number, OwnerPart>;
  waiting: Buffer[];
}

/** Slots in memory: for the standalone app and for tests. The windows can be read from `windows`. */
export class MemorySlotStore implements SlotStore {
  private readonly slots = new Map<string, StoredSlot>();

  constructor(readonly windows: MemoryWindows = new MemoryWindows()) {}

  load(slot: SlotId): Promise<SlotImage | null> {
    const stored = this.slots.get(slotName(slot));
    return Promise.resolve(stored ? imageOf(stored) : null);
  }

  apply(slot: SlotId, change: SlotChange): Promise<'applied' | 'moved'> {
    const name = slotName(slot);
    const stored = this.slots.get(name);
    if ((stored?.position ?? null) !== change.expectedPosition) return Promise.resolve('moved');
    const next: StoredSlot = stored ?? emptySlot();
    this.slots.set(name, next);
    next.position = change.position;
    next.logTimeMs = change.logTimeMs;
    for (const field of change.deleted) next.fields.delete(field);
    for (const [field, value] of change.set) next.fields.set(field, value);
    for (const [owner, summaries] of change.summaries) ownerPart(next, owner).summaries.push(...summaries);
    for (const { id, value } of change.windows ?? []) this.windows.put(name, id, value);
    if (change.waiting?.drop) next.waiting = [];
    if (change.waiting?.add) next.waiting.push(change.waiting.add);
    return Promise.resolve('applied');
  }

  readForOwner(slot: SlotId, owner: number, from: number): Promise<OwnerView | null> {
    const stored = this.slots.get(slotName(slot));
    if (!stored) return Promise.resolve(null);
    const part = stored.owners.get(owner);
    return Promise.resolve({
      position: stored.position,
      logTimeMs: stored.logTimeMs,
      trimmedTo: part?.trimmedTo ?? 0,
      summaries: part?.summaries.filter((placed) => placed.offset >= from) ?? [],
    });
  }

  readAllForOwner(owner: number, reads: readonly SlotRead[]): Promise<readonly (OwnerView | null)[]> {
    return Promise.all(reads.map(({ slot, from }) => this.readForOwner(slot, owner, from)));
  }

  trim(slot: SlotId, owner: number, below: number): Promise<void> {
    const stored = this.slots.get(slotName(slot));
    if (!stored) return Promise.resolve();
    const part = ownerPart(stored, owner);
    if (below > part.trimmedTo) {
      part.trimmedTo = below;
      part.summaries = part.summaries.filter((placed) => placed.offset >= below);
    }
    return Promise.resolve();
  }

  loadWhole(slot: SlotId): Promise<WholeSlot | null> {
    const stored = this.slots.get(slotName(slot));
    if (!stored) return Promise.resolve(null);
    const owners = [...stored.owners].map(
      ([owner, { trimmedTo, summaries }]) => [owner, { trimmedTo, summaries: [...summaries] }] as const,
    );
    return Promise.resolve({ image: imageOf(stored), owners: new Map(owners) });
  }

  readWindows(slot: SlotId, ids: readonly WindowId[]): Promise<readonly (Buffer | null)[]> {
    return Promise.resolve(ids.map((id) => this.windows.get(slotName(slot), id)));
  }

  readWaiting(slot: SlotId): Promise<readonly Buffer[]> {
    return Promise.resolve([...(this.slots.get(slotName(slot))?.waiting ?? [])]);
  }

  /** All slots as they are now, for tests of what an older copy leads to. */
  copy(): MemorySlotStore {
    const copy = new MemorySlotStore();
    for (const name of this.slots.keys()) copy.takeNamed(name, this);
    return copy;
  }

  /** Takes over one slot as another store has it, or that it has none. */
  take(slot: SlotId, from: MemorySlotStore): void {
    this.takeNamed(slotName(slot), from);
  }

  private takeNamed(name: string, from: MemorySlotStore): void {
    const found = from.slots.get(name);
    this.slots.delete(name);
    this.windows.take(name, from.windows);
    if (!found) return;
    const owners = new Map<number, OwnerPart>();
    for (const [owner, { trimmedTo, summaries }] of found.owners)
      owners.set(owner, { trimmedTo, summaries: [...summaries] });
    this.slots.set(name, { ...found, fields: new Map(found.fields), owners, waiting: [...found.waiting] });
  }

  restore(slot: SlotId, { image, owners }: WholeSlot): Promise<'restored' | 'newer-found'> {
    const name = slotName(slot);
    const found = this.slots.get(name);
    if (found && found.position >= image.position) return Promise.resolve('newer-found');
    this.windows.drop(name);
    const parts = new Map<number, OwnerPart>();
    for (const [owner, { trimmedTo, summaries }] of owners) parts.set(owner, { trimmedTo, summaries: [...summaries] });
    this.slots.set(name, {
      position: image.position,
      logTimeMs: image.logTimeMs,
      fields: new Map(image.fields),
      owners: parts,
      waiting: [],
    });
    return Promise.resolve('restored');
  }
}

const emptySlot = (): StoredSlot => ({ position: 0, logTimeMs: -1, fields: new Map(), owners: new Map(), waiting: [] });

function imageOf({ position, logTimeMs, fields }: StoredSlot): SlotImage {
  return { position, logTimeMs, fields: new Map(fields) };
}

function ownerPart(stored: StoredSlot, owner: number): OwnerPart {
  const found = stored.owners.get(owner);
  if (found) return found;
  const part: OwnerPart = { trimmedTo: 0, summaries: [] };
  stored.owners.set(owner, part);
  return part;
}
