import {
  type BusBatch,
  type Cut,
  cloudEventData,
  cutCodec,
  type Logger,
  type MessageBus,
  type TopicNames,
  verdictCodec,
} from '@app/shared';
import { manifestKey, pieceKey } from '../domain/cut/checkpoint.js';
import type { PublishedVerdict } from '../domain/cut/compare-verdicts.js';
import { abortable } from './abortable.js';

/**
 * Cuts after a checkpoint that are kept for folding again. An owner checkpoints with its first cut and every 10 s from
 * then on, so more than some hundred mean that checkpoints were lost.
 */
export const CUTS_KEPT_MAX = 5_000;

/** A cut with the verdicts that were published with it. */
export interface PublishedCut {
  readonly cut: Cut;
  readonly verdicts: readonly PublishedVerdict[];
}

export interface PublishedCuts {
  /** Those after the wanted number, in order, without gaps; empty if there are too many or some are missing. */
  readonly cuts: readonly PublishedCut[];
  /** The newest cut there is, kept or not. */
  readonly last: Cut | null;
  /** No cut that there has ever been had a larger number, seen or gone. */
  readonly numberMax: number;
  /** Why the cuts cannot be folded along; null if they can. */
  readonly broken: string | null;
}

/** What a former owner of a partition has left in the topics. Read committed, so it is whole. */
export class OwnerLog {
  constructor(
    private readonly bus: MessageBus,
    private readonly topics: TopicNames,
    private readonly logger: Logger,
  ) {}

  /** The newest records of the owner's checkpoint by key. */
  async readCheckpoint(owner: number, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
    const newest = new Map<string, Buffer>();
    const prefix = pieceKey(owner, 0).slice(0, -1);
    await this.readToEnd({ topic: this.topics.checkpoint, partition: owner, signal }, (batch) => {
      for (const { key: bytes, value } of batch.records) {
        const key = bytes?.toString('utf8') ?? '';
        if (key !== manifestKey(owner) && !key.startsWith(prefix)) continue;
        if (value) newest.set(key, value);
        else newest.delete(key);
      }
    });
    return newest;
  }

  /**
   * The cuts of an owner that follow the cut numbered `after`, from an offset of its verdict partition on that is not
   * above the record of that cut.
   */
  async readCuts(owner: number, after: number, from: number, signal: AbortSignal): Promise<PublishedCuts> {
    const collected = new CollectedCuts(owner, after);
    const read = { topic: this.topics.verdict, partition: owner, from, signal };
    await this.readToEnd(read, (batch) => {
      for (const record of batch.records) {
        const data = cloudEventData(record.value, record.headers ?? {});
        if (!data || collected.add(data)) continue;
        this.logger.warn({ owner, offset: record.offset }, 'neither a cut nor a verdict: skipped');
      }
    });
    const range = await this.verdictRange(owner);
    return collected.result({ goneFrom: from, goneTo: range.low, end: range.end });
  }

  /** End of an owner's verdict partition: at or below the record of every cut that is not committed yet. */
  async verdictsEnd(owner: number): Promise<number> {
    return (await this.verdictRange(owner)).end;
  }

  private async verdictRange(owner: number): Promise<{ readonly low: number; readonly end: number }> {
    const offsets = await this.bus.offsets(this.topics.verdict);
    return offsets.find(({ partition }) => partition === owner) ?? { low: 0, end: 0 };
  }

  private async readToEnd(
    read: { topic: string; partition: number; from?: number; signal: AbortSignal },
    onBatch: (batch: BusBatch) => void,
  ): Promise<void> {
    const follower = this.bus.follower({
      topics: [read.topic],
      partitions: [read.partition],
      readCommitted: true,
      start: () => read.from,
      onBatch,
      onError: (error) =>
        this.logger.warn({ err: error, topic: read.topic, partition: read.partition }, 'reading the log: again'),
    });
    try {
      await abortable(follower.caughtUp(), read.signal);
    } finally {
      await follower.close();
    }
  }
}

/** Cuts as they are met, each with the verdicts that follow it. */
class CollectedCuts {
  private cuts: { cut: Cut; verdicts: PublishedVerdict[] }[] = [];
  private last: Cut | null = null;
  private broken: string | null = null;

  constructor(
    private readonly owner: number,
    private readonly after: number,
  ) {}

  /** False: it is neither a cut nor a verdict. */
  add(data: Buffer): boolean {
    const cut = cutCodec.decode(data);
    if (cut.ok) {
      if (cut.value.owner === this.owner) this.addCut(cut.value);
      return true;
    }
    const verdict = verdictCodec.decode(data);
    if (!verdict.ok) return false;
    const { owner, number } = verdict.value.cut;
    const current = this.cuts.at(-1);
    if (current && owner === this.owner && number === current.cut.number)
      current.verdicts.push({ verdict: verdict.value, bytes: data });
    return true;
  }

  /** Without a cut to be seen, not even the checkpoint's own, nobody knows how many have gone: at most one a record. */
  result({ goneFrom, goneTo, end }: { goneFrom: number; goneTo: number; end: number }): PublishedCuts {
    const { cuts, last, after } = this;
    if (last) return { cuts: this.broken === null ? cuts : [], last, numberMax: last.number, broken: this.broken };
    if (goneTo <= goneFrom) return { cuts, last, numberMax: after, broken: null };
    const broken = `the records ${goneFrom} to ${goneTo} of the verdicts are gone, and the newest cuts with them`;
    return { cuts, last, numberMax: after + end - goneFrom, broken };
  }

  private addCut(cut: Cut): void {
    const expected = Math.max((this.last?.number ?? 0) + 1, this.after + 1);
    this.last = cut;
    if (cut.number <= this.after) return;
    if (this.cuts.length === CUTS_KEPT_MAX) this.broken ??= `more than ${CUTS_KEPT_MAX} cuts follow the checkpoint`;
    if (cut.number !== expected)
      this.broken ??= `cut ${cut.number} comes where ${expected} should: the ones between are gone`;
    if (this.broken === null) this.cuts.push({ cut, verdicts: [] });
    else this.cuts = [];
  }
}
