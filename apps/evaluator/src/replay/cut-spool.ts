import { type BusRecord, cloudEventData, type Cut, cutCodec, verdictCodec } from '@app/shared';
import type { PublishedVerdict } from '../domain/cut/compare-verdicts.js';
import { Spool } from './spool.js';

const CUT = Buffer.from('c');
const VERDICT = Buffer.from('v');

/** A cut with the verdict of the model that was given with it. */
export interface GivenCut {
  readonly cut: Cut;
  readonly given: PublishedVerdict | null;
}

export interface CutSpoolOptions {
  readonly owner: number;
  readonly model: string;
  /** The one that is wanted; undefined: all. */
  readonly rollout: string | undefined;
  /** File to keep them in. */
  readonly path: string;
}

/** The cuts of one owner and the verdicts of one model, as its partition of rollout-verdict has them. */
export class CutSpool {
  readonly owner: number;
  /** The first cut there is. */
  first: Cut | null = null;
  /** The newest cut with a verdict that is wanted. */
  last: Cut | null = null;
  /** Up to `last`. */
  cuts = 0;
  /** Rollouts with verdicts, oldest first. */
  readonly rollouts = new Set<string>();
  /** Records that are neither a cut nor a verdict: how many, and where the first of them stands. */
  unreadable: { readonly count: number; readonly from: number; readonly fromMs: number } | null = null;
  private counted = 0;
  private newest: Cut | null = null;
  private readonly spool: Spool;

  constructor(private readonly options: CutSpoolOptions) {
    this.owner = options.owner;
    this.spool = new Spool(options.path);
  }

  take(records: readonly BusRecord[]): void {
    for (const { value, headers, offset, timestampMs } of records) {
      const data = cloudEventData(value, headers ?? {});
      if (!data || this.add(data)) continue;
      const { count, from, fromMs } = this.unreadable ?? { count: 0, from: offset, fromMs: timestampMs };
      this.unreadable = { count: count + 1, from, fromMs };
    }
  }

  /** From the first cut to the last one that is wanted. */
  *read(): Generator<GivenCut> {
    let cut: Cut | null = null;
    let given: PublishedVerdict | null = null;
    for (const entry of this.spool.entries()) {
      const bytes = entry.subarray(1);
      if (entry[0] === VERDICT[0]) {
        given = { verdict: required(verdictCodec.decode(bytes)), bytes };
        continue;
      }
      if (cut) yield { cut, given };
      if (cut?.number === this.last?.number) return;
      cut = required(cutCodec.decode(bytes));
      given = null;
    }
    if (cut) yield { cut, given };
  }

  close(): void {
    this.spool.close();
  }

  private add(data: Buffer): boolean {
    const { owner, model, rollout } = this.options;
    const cut = cutCodec.decode(data);
    if (cut.ok) {
      if (cut.value.owner !== owner) return true;
      this.first ??= cut.value;
      this.newest = cut.value;
      this.counted += 1;
      this.spool.append(Buffer.concat([CUT, data]));
      return true;
    }
    const verdict = verdictCodec.decode(data);
    if (!verdict.ok) return false;
    const { value } = verdict;
    if (value.model !== model || value.cut.owner !== owner || value.cut.number !== this.newest?.number) return true;
    this.rollouts.add(value.rollout);
    this.spool.append(Buffer.concat([VERDICT, data]));
    if (rollout !== undefined && value.rollout !== rollout) return true;
    this.last = this.newest;
    this.cuts = this.counted;
    return true;
  }
}

/** What was decoded once is decoded again. */
function required<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (parsed.ok) return parsed.value;
  throw new Error('a record of the spool is not what was put there');
}
