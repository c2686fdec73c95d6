import type { Logger, Verdict } from '@app/shared';
import { pointSlot } from '../domain/verdict-points/point-slot.js';
import { decodePoint, encodePoint, pointOf, type VerdictPoint } from '../domain/verdict-points/verdict-point.js';
import type { PointStore } from './point-store.js';

export interface VerdictHistoryDeps {
  readonly store: PointStore;
  readonly logger: Logger;
  /** Default 2 s. */
  readonly writeEveryMs?: number;
}

const WRITE_EVERY_MS = 2_000;
/** Points that wait while the store is away; beyond that the oldest go. */
const WAITING_MAX = 20_000;

/**
 * How each rollout's verdicts developed, thinned by age. Every controller keeps it, of all models, and all of them write
 * the same: what one missed another has, and a restart loses nothing that the store or the end of the topic still holds.
 */
export class VerdictHistory {
  private readonly waiting = new Map<
    string,
    { readonly rollout: string; readonly slot: string; readonly text: string }
  >();
  private readonly writes: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();
  private away = false;

  constructor(private readonly deps: VerdictHistoryDeps) {
    this.writes = setInterval(() => void this.write(), deps.writeEveryMs ?? WRITE_EVERY_MS);
  }

  add(verdict: Verdict, startedAt: number): void {
    if (verdict.asOf <= 0) return; // rests on no record yet
    const point = pointOf(verdict);
    const { rollout } = verdict;
    const slot = pointSlot(point, startedAt);
    this.waiting.set(`${rollout}|${slot}`, { rollout, slot, text: encodePoint(point) });
    for (const oldest of this.waiting.keys()) {
      if (this.waiting.size <= WAITING_MAX) break;
      this.waiting.delete(oldest);
    }
  }

  /** Oldest first. Rejects when the store is away. */
  async read(rollout: string): Promise<readonly VerdictPoint[]> {
    const texts = new Map(await this.deps.store.read(rollout));
    for (const waiting of this.waiting.values()) if (waiting.rollout === rollout) texts.set(waiting.slot, waiting.text);
    return [...texts.values()].flatMap((text) => decodePoint(text) ?? []).sort((a, b) => a.at - b.at);
  }

  /** Writes what waits, once. */
  async close(): Promise<void> {
    clearInterval(this.writes);
    await this.write();
  }

  /** One after the other, so that no older point lands on a newer one. Never rejects. */
  private write(): Promise<void> {
    return (this.writing = this.writing.then(() => this.writeWaiting()));
  }

  private async writeWaiting(): Promise<void> {
    const batch = [...this.waiting];
    const byRollout = Map.groupBy(batch, ([, { rollout }]) => rollout);
    for (const [rollout, entries] of byRollout) {
      try {
        await this.deps.store.put(rollout, new Map(entries.map(([, { slot, text }]) => [slot, text])));
      } catch (error) {
        if (!this.away)
          this.deps.logger.warn({ err: error }, 'the history of verdicts cannot be kept now; trying again');
        this.away = true;
        return;
      }
      this.away = false;
      // A newer point may have taken a slot meanwhile, and waits on.
      for (const [key, entry] of entries) if (this.waiting.get(key) === entry) this.waiting.delete(key);
    }
  }
}
