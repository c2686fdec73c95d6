import {
  type BucketCounts,
  type BucketRecord,
  type Outcome,
  RESOLUTIONS,
  unpackWindow,
  type WindowFigures,
  type WindowId,
  WindowMerger,
} from '@app/shared';
import type { PlacedSummary } from '../domain/summary.js';
import { unpackDeltas, windowsOf } from '../domain/window-deltas.js';
import type { FoldedBatch, SlotRecord } from '../domain/slot/folded-batch.js';

/** Time of the log at the first record of a test. */
export const T0 = 1_700_000_000_000;
export const PARTITION = 7;
export const CONTROL_PARTITIONS = 12;

/** Builds the records of one partition as routers write them: lanes number themselves, time moves on as told. */
export class LogBuilder {
  readonly records: SlotRecord[] = [];
  private readonly sequences = new Map<string, number>();
  private timeMs = T0;

  /** @param sequence of every router's first record. */
  constructor(
    private readonly lane = PARTITION,
    private readonly sequence = 0,
  ) {}

  /** Moves log time on. */
  after(ms: number): this {
    this.timeMs += ms;
    return this;
  }

  outcome(parts: Partial<Outcome> = {}): this {
    const router = parts.router ?? 'r-1';
    return this.json({
      kind: 'outcome',
      schemaVersion: 1,
      predictionId: 'p',
      model: 'digits',
      version: 'v1',
      generation: 3,
      router,
      lane: this.lane,
      sequence: parts.sequence ?? this.next(router),
      bucket: 1,
      unit: 5,
      routedAt: this.timeMs - 20,
      latencyMs: 12.5,
      status: 'ok',
      httpStatus: 200,
      ...parts,
    });
  }

  outcomes(n: number, parts: Partial<Outcome> = {}): this {
    for (let i = 0; i < n; i++) this.outcome(parts);
    return this;
  }

  bucket(versions: Record<string, Partial<BucketCounts>>, parts: Partial<BucketRecord> = {}): this {
    const router = parts.router ?? 'r-1';
    const counts = Object.entries(versions).map(([version, c]) => {
      const routed = c.routed ?? 0;
      return [version, { routed, intended: routed, pending: 0, dropped: 0, ...c }] as const;
    });
    return this.json({
      kind: 'bucket',
      schemaVersion: 1,
      model: 'digits',
      generation: 3,
      router,
      lane: this.lane,
      sequence: parts.sequence ?? this.next(router),
      bucket: 1,
      routedFrom: T0 - 100,
      routedTo: T0,
      ageMs: 50,
      previousAgeMs: 0,
      final: counts.every(([, c]) => c.pending === 0),
      ...parts,
      versions: Object.fromEntries(counts),
    });
  }

  tick(): this {
    return this.json({ kind: 'tick', schemaVersion: 1 });
  }

  json(value: unknown): this {
    return this.raw(Buffer.from(JSON.stringify(value)));
  }

  raw(value: Buffer | null): this {
    this.records.push({ offset: this.records.length, timestampMs: this.timeMs, value });
    return this;
  }

  /** The newest record once more, as a producer that got no acknowledgement writes it. */
  again(): this {
    return this.raw(this.records.at(-1)!.value);
  }

  private next(router: string): number {
    const sequence = this.sequences.get(router) ?? this.sequence;
    this.sequences.set(router, sequence + 1);
    return sequence;
  }
}

/** All summaries of a batch, whoever they are for, in their order. */
export function summariesOf(folded: FoldedBatch): PlacedSummary[] {
  return [...folded.summaries.values()].flat().sort((a, b) => a.offset - b.offset || a.index - b.index);
}

/** The windows that a batch adds to, and what; those still kept at a log time, the finest resolution first. */
export function windowsShownBy(
  { figures }: FoldedBatch,
  logTimeMs: number,
): { readonly id: WindowId; readonly versions: ReadonlyMap<string, WindowFigures> }[] {
  const sums = new Map<string, { id: WindowId; parts: Buffer[] }>();
  for (const resolution of RESOLUTIONS)
    for (const delta of figures ? unpackDeltas(figures) : [])
      for (const id of windowsOf(delta, logTimeMs)) {
        if (id.resolution !== resolution) continue;
        const key = JSON.stringify(id);
        const sum = sums.get(key) ?? { id, parts: [] };
        sums.set(key, sum);
        sum.parts.push(delta.packed);
      }
  const merger = new WindowMerger();
  return [...sums.values()].map(({ id, parts }) => ({ id, versions: unpackWindow(merger.merge(parts)) }));
}

/** Cuts a list into runs of 1 to `longest`, at random. */
export function randomRuns<T>(list: readonly T[], longest: number, random: () => number): T[][] {
  const runs: T[][] = [];
  for (let at = 0; at < list.length;) {
    const length = 1 + Math.floor(random() * longest);
    runs.push(list.slice(at, at + length));
    at += length;
  }
  return runs;
}
