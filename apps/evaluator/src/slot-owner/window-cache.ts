import {
  addFigures,
  emptyFigures,
  packWindow,
  unpackWindow,
  type WindowFigures,
  windowField,
  type WindowId,
} from '@app/shared';
import type { WindowDelta } from '../domain/window-deltas.js';
import type { PackedWindow, SlotId, SlotStore } from '../slot-store/slot-store.js';

/** Some megabytes at most: windows that have not been touched for longest are read from the store again. */
const WINDOWS_MAX = 2_000;

/** One slot's windows that are being added to, as they stand in the store. */
export class WindowCache {
  private readonly windows = new Map<string, Map<string, WindowFigures>>();

  constructor(
    private readonly store: SlotStore,
    private readonly slot: SlotId,
  ) {}

  /**
   * Adds a batch's figures and gives what to write. If that is then not written, clear() has to follow. Rejects when the
   * store is away.
   */
  async add(deltas: readonly WindowDelta[]): Promise<readonly PackedWindow[]> {
    await this.fetchMissing(deltas.map((delta) => delta.id));
    return deltas.map(({ id, versions }) => {
      const key = keyOf(id);
      const window = this.windows.get(key) ?? new Map<string, WindowFigures>();
      // Set anew, it is the last in the order in which they are forgotten.
      this.windows.delete(key);
      this.windows.set(key, window);
      for (const [version, figures] of versions) {
        const sum = window.get(version) ?? emptyFigures();
        addFigures(sum, figures);
        window.set(version, sum);
      }
      return { id, value: packWindow(window) };
    });
  }

  clear(): void {
    this.windows.clear();
  }

  private async fetchMissing(ids: readonly WindowId[]): Promise<void> {
    const missing = ids.filter((id) => !this.windows.has(keyOf(id)));
    if (missing.length === 0) return;
    const found = await this.store.readWindows(this.slot, missing);
    for (const [i, packed] of found.entries()) if (packed) this.windows.set(keyOf(missing[i]!), unpackWindow(packed));
    const wanted = new Set(ids.map(keyOf));
    for (const key of this.windows.keys()) {
      if (this.windows.size <= WINDOWS_MAX) break;
      if (!wanted.has(key)) this.windows.delete(key);
    }
  }
}

const keyOf = (id: WindowId): string => `${id.resolution}|${windowField(id)}`;
