/** Something that can be in one SlotList at a time, and remembers where. */
export interface Slotted {
  /** Written by the list alone; -1: in none. */
  slot: number;
}

/**
 * A set of many short-lived things, as an array: what leaves gives its place to the last. A Set would do, but V8 links
 * each of a Set's outgrown tables to the next one, and from the first old table on they keep everything that ever was in
 * it until the next full collection: some 100 MiB here, and a third more CPU for the collector.
 */
export class SlotList<T extends Slotted> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    item.slot = this.items.push(item) - 1;
  }

  /** Does nothing if it is not in the list. */
  delete(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.items.pop()!;
    if (last === item) return;
    this.items[slot] = last;
    last.slot = slot;
  }

  /** Calls for each; the callback may delete the one it is called with. */
  forEach(call: (item: T) => void): void {
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i];
      if (item) call(item);
    }
  }
}
