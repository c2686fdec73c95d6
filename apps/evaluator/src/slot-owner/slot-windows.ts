import { type Clock, windowField, type WindowId, WindowMerger } from '@app/shared';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import { type ModelVersion, unpackDeltas, windowsOf } from '../domain/window-deltas.js';
import type { SlotChange, SlotId, SlotStore } from '../slot-store/slot-store.js';

/** Windows are written at most this often, and the more there are to be written, the less often ... */
const WRITE_EVERY_MS_MIN = 1_000;
const VERSION_COSTS_MS = 10;
/** ... but who looks at them sees what is at most so old. */
const WRITE_EVERY_MS_MAX = 10_000;
const WAITING_BYTES_MAX = 1024 * 1024;
/** Some megabytes at most: windows that have not been touched for longest are read from the store again. */
const WINDOWS_MAX = 4_000;

/** What a batch changes of the slot besides what was folded. */
export type WindowChange = Pick<SlotChange, 'windows' | 'waiting'>;

export interface SlotWindowsDeps {
  readonly store: SlotStore;
  readonly slot: SlotId;
  readonly clock: Clock;
}

interface Sum {
  readonly id: WindowId;
  readonly parts: Buffer[];
}

/**
 * One slot's windows. A batch's figures are put beside the slot as they are, in the same step as its position, and a few
 * seconds' worth of them is then added to the windows at once: a window is hundreds of bytes that would otherwise be
 * written anew for a handful of predictions. Together they show every record up to the position, once.
 */
export class SlotWindows {
  private readonly merger = new WindowMerger();
  /** As they stand in the store, packed. */
  private readonly cache = new Map<string, Buffer>();
  /** Figures of batches that the windows do not show yet. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private readonly waitingVersions = new Set<ModelVersion>();
  private writtenMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly deps: SlotWindowsDeps) {}

  /** Begins anew, with what waits in the store. */
  open(waiting: readonly Buffer[]): void {
    this.cache.clear();
    this.forgetWaiting();
    for (const packed of waiting) this.wait(packed);
  }

  /**
   * Takes a batch's figures in and gives what to write. If that is then not written, open() has to follow. Rejects when
   * the store is away.
   */
  async add({ figures, versions, logTimeMs }: FoldedBatch): Promise<WindowChange> {
    const nowMs = this.deps.clock.monotonicMs();
    for (const version of versions) this.waitingVersions.add(version);
    if (nowMs - this.writtenMs >= this.writeEveryMs() || this.waitingBytes > WAITING_BYTES_MAX) {
      if (figures) this.wait(figures);
      if (this.waiting.length === 0) return NOTHING;
      this.writtenMs = nowMs;
      return await this.write(logTimeMs);
    }
    if (!figures) return NOTHING;
    this.wait(figures);
    return { waiting: { add: figures, drop: false } };
  }

  private writeEveryMs(): number {
    const costsMs = this.waitingVersions.size * VERSION_COSTS_MS;
    return Math.min(WRITE_EVERY_MS_MAX, Math.max(WRITE_EVERY_MS_MIN, costsMs));
  }

  private wait(packed: Buffer): void {
    this.waiting.push(packed);
    this.waitingBytes += packed.length;
  }

  private forgetWaiting(): void {
    this.waiting = [];
    this.waitingBytes = 0;
    this.waitingVersions.clear();
  }

  private async write(logTimeMs: number): Promise<WindowChange> {
    const sums = new Map<string, Sum>();
    for (const delta of this.waiting.flatMap(unpackDeltas))
      for (const id of windowsOf(delta, logTimeMs)) {
        const key = keyOf(id);
        const sum = sums.get(key);
        if (sum) sum.parts.push(delta.packed);
        else sums.set(key, { id, parts: [delta.packed] });
      }
    await this.fetchMissing(sums);
    const windows = [...sums].map(([key, { id, parts }]) => {
      const stored = this.cache.get(key);
      const value = ownCopy(this.merger.merge(stored ? [stored, ...parts] : parts));
      // Set anew, it is the last in the order in which they are forgotten.
      this.cache.delete(key);
      this.cache.set(key, value);
      return { id, value };
    });
    this.forgetWaiting();
    return { windows, waiting: { add: null, drop: true } };
  }

  private async fetchMissing(sums: ReadonlyMap<string, Sum>): Promise<void> {
    const missing = [...sums].filter(([key]) => !this.cache.has(key));
    if (missing.length === 0) return;
    const found = await this.deps.store.readWindows(
      this.deps.slot,
      missing.map(([, { id }]) => id),
    );
    for (const [i, packed] of found.entries()) if (packed) this.cache.set(missing[i]![0], packed);
    for (const key of this.cache.keys()) {
      if (this.cache.size <= WINDOWS_MAX) break;
      if (!sums.has(key)) this.cache.delete(key);
    }
  }
}

/** What is kept for long must not keep alive what it was cut from. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

const NOTHING: WindowChange = {};
const keyOf = (id: WindowId): string => `${id.resolution}|${windowField(id)}`;
