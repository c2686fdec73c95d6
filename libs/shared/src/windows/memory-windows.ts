import { RESOLUTION_LAYOUT, windowChunk, type WindowId, windowField } from './window-layout.js';
import { WindowSum } from './window-sum.js';
import { type ModelWindow, type Resolution, type WindowRange, type WindowReader } from './window.js';

const CHUNKS_KEPT = 3;

interface Chunk {
  readonly resolution: Resolution;
  readonly number: number;
  readonly windows: Map<string, { readonly id: WindowId; value: Buffer }>;
}

/** Windows in memory: what the evaluator's memory store writes and the standalone app's API reads. */
export class MemoryWindows implements WindowReader {
  private readonly sources = new Map<string, Map<string, Chunk>>();

  /** Puts one source's packed window in place of the one before. */
  put(source: string, id: WindowId, value: Buffer): void {
    const chunks = this.sources.get(source) ?? new Map<string, Chunk>();
    this.sources.set(source, chunks);
    const number = windowChunk(id.resolution, id.startMs);
    const key = `${id.resolution}:${number}`;
    let chunk = chunks.get(key);
    if (!chunk) {
      chunk = { resolution: id.resolution, number, windows: new Map() };
      chunks.set(key, chunk);
      forgetOldest(chunks, id.resolution);
    }
    chunk.windows.set(windowField(id), { id, value });
  }

  get(source: string, id: WindowId): Buffer | null {
    const chunk = this.sources.get(source)?.get(`${id.resolution}:${windowChunk(id.resolution, id.startMs)}`);
    return chunk?.windows.get(windowField(id))?.value ?? null;
  }

  /** Forgets one source's windows. */
  drop(source: string): void {
    this.sources.delete(source);
  }

  /** Takes over one source's windows as others have them. */
  take(source: string, from: MemoryWindows): void {
    this.sources.delete(source);
    const chunks = [...(from.sources.get(source) ?? [])].map(
      ([key, chunk]) => [key, { ...chunk, windows: new Map(chunk.windows) }] as const,
    );
    if (chunks.length > 0) this.sources.set(source, new Map(chunks));
  }

  read(model: string, { resolution, fromMs, toMs }: WindowRange): Promise<readonly ModelWindow[]> {
    const { windowMs } = RESOLUTION_LAYOUT[resolution];
    const sum = new WindowSum();
    for (const chunks of this.sources.values())
      for (const chunk of chunks.values())
        for (const { id, value } of chunk.windows.values())
          if (id.resolution === resolution && id.model === model && id.startMs + windowMs > fromMs && id.startMs < toMs)
            sum.add(id.startMs, value);
    return Promise.resolve(sum.windows(resolution));
  }
}

/** The memory variant's expiry: a source keeps the newest three chunks of each resolution, as Redis does by TTL. */
function forgetOldest(chunks: Map<string, Chunk>, resolution: Resolution): void {
  const numbers = [...chunks.values()].filter((c) => c.resolution === resolution).map((c) => c.number);
  if (numbers.length <= CHUNKS_KEPT) return;
  chunks.delete(`${resolution}:${Math.min(...numbers)}`);
}
