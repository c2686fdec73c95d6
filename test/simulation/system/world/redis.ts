import { MemorySlotStore } from '../../../../apps/evaluator/src/slot-store/memory-slot-store.js';
import type {
  OwnerView,
  SlotChange,
  SlotId,
  SlotImage,
  SlotStore,
  WholeSlot,
} from '../../../../apps/evaluator/src/slot-store/slot-store.js';
import type { Wire } from '../machine/wire.js';

/** What happens to slots, for those who watch. */
export interface RedisWatcher {
  applied(slot: SlotId, change: SlotChange, result: 'applied' | 'moved'): void;
  restored(slot: SlotId, whole: WholeSlot, result: 'restored' | 'newer-found'): void;
  trimmed(slot: SlotId, owner: number, below: number): void;
}

/** A Redis that holds the slots. */
export class RedisServer {
  store = new MemorySlotStore();
  /** As with maxmemory and noeviction: what would write is refused. */
  refusesWrites = false;
  private copy: MemorySlotStore | null = null;

  constructor(
    private readonly slots: readonly SlotId[],
    readonly watcher: RedisWatcher,
  ) {}

  /** Everything is gone, or one slot is. */
  flush(slot: SlotId | null): void {
    this.replace(slot, new MemorySlotStore());
  }

  /** Keeps an older copy for rollBack(). */
  keepCopy(): void {
    this.copy = this.store.copy();
  }

  /** What it held when the copy was kept, of all slots or of one. Nothing happens without a copy. */
  rollBack(slot: SlotId | null): void {
    if (this.copy) this.replace(slot, this.copy);
  }

  private replace(slot: SlotId | null, by: MemorySlotStore): void {
    const kept = slot === null ? [] : this.slots.filter((s) => s.kind !== slot.kind || s.partition !== slot.partition);
    const next = by.copy();
    for (const one of kept) next.take(one, this.store);
    this.store = next;
  }
}

/** Redis as one process reaches it. */
export class RemoteSlotStore implements SlotStore {
  constructor(
    private readonly wire: Wire,
    private readonly server: RedisServer,
  ) {}

  load(slot: SlotId): Promise<SlotImage | null> {
    return this.wire.call('load', () => this.server.store.load(slot));
  }

  apply(slot: SlotId, change: SlotChange): Promise<'applied' | 'moved'> {
    return this.write('apply', async () => {
      const result = await this.server.store.apply(slot, change);
      this.server.watcher.applied(slot, change, result);
      return result;
    });
  }

  readForOwner(slot: SlotId, owner: number, from: number): Promise<OwnerView | null> {
    return this.wire.call('read', () => this.server.store.readForOwner(slot, owner, from));
  }

  async readAllForOwner(
    owner: number,
    reads: readonly { readonly slot: SlotId; readonly from: number }[],
  ): Promise<readonly (OwnerView | null)[]> {
    const views = await Promise.allSettled(reads.map(({ slot, from }) => this.readForOwner(slot, owner, from)));
    const failed = views.filter((view) => view.status === 'rejected');
    if (failed.length === views.length && failed[0]) throw failed[0].reason;
    return views.map((view) => (view.status === 'fulfilled' ? view.value : null));
  }

  async trim(slot: SlotId, owner: number, below: number): Promise<void> {
    await this.write('trim', async () => {
      await this.server.store.trim(slot, owner, below);
      this.server.watcher.trimmed(slot, owner, below);
    });
  }

  loadWhole(slot: SlotId): Promise<WholeSlot | null> {
    return this.wire.call('load whole', () => this.server.store.loadWhole(slot));
  }

  readWindows(...args: Parameters<SlotStore['readWindows']>): ReturnType<SlotStore['readWindows']> {
    return this.wire.call('read windows', () => this.server.store.readWindows(...args));
  }

  readWaiting(slot: SlotId): Promise<readonly Buffer[]> {
    return this.wire.call('read waiting', () => this.server.store.readWaiting(slot));
  }

  restore(slot: SlotId, whole: WholeSlot): Promise<'restored' | 'newer-found'> {
    return this.write('restore', async () => {
      const result = await this.server.store.restore(slot, whole);
      this.server.watcher.restored(slot, whole, result);
      return result;
    });
  }

  private write<T>(what: string, atServer: () => Promise<T>): Promise<T> {
    return this.wire.call(what, () => {
      if (this.server.refusesWrites) throw new Error("OOM command not allowed when used memory > 'maxmemory'.");
      return atServer();
    });
  }
}
