import { type BusRecord, cloudEventData, type Cut, cutCodec, type Verdict, verdictCodec } from '@app/shared';
import type { PublishedVerdict } from '../domain/cut/compare-verdicts.js';
import { Spool } from './spool.js';

const CUT = Buffer.from('c');
const VERDICT = Buffer.from('v');

/** A cut with the verdict of the model that was given with it. */
export interface GivenCut {
  readonly cut: Cut;
  readonly given: PublishedVerdict | null;
}

/** A record of rollout-verdict. */
export type VerdictRecord =
  | { readonly kind: 'cut'; readonly cut: Cut; readonly data: Buffer }
  | { readonly kind: 'verdict'; readonly verdict: Verdict; readonly data: Buffer }
  | { readonly kind: 'unreadable'; readonly offset: number; readonly timestampMs: number };

/** Tombstones are left out. */
export function readVerdictRecords(records: readonly BusRecord[]): readonly VerdictRecord[] {
  return records.flatMap(({ value, headers, offset, timestampMs }) => {
    const data = cloudEventData(value, headers ?? {});
    return data ? [verdictOrCut(data) ?? { kind: 'unreadable' as const, offset, timestampMs }] : [];
  });
}

function verdictOrCut(data: Buffer): VerdictRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return null;
  }
  if ((value as { readonly kind?: unknown } | null)?.kind === 'cut') {
    const cut = cutCodec.check(value);
    return cut.ok ? { kind: 'cut', cut: cut.value, data } : null;
  }
  const verdict = verdictCodec.check(value);
  return verdict.ok ? { kind: 'verdict', verdict: verdict.value, data } : null;
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
  readonly model: string;
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
    this.model = options.model;
    this.spool = new Spool(options.path);
  }

  take(records: readonly VerdictRecord[]): void {
    for (const record of records) {
      if (record.kind === 'cut') this.addCut(record.cut, record.data);
      else if (record.kind === 'verdict') this.addVerdict(record.verdict, record.data);
      else this.addUnreadable(record.offset, record.timestampMs);
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

  private addCut(cut: Cut, data: Buffer): void {
    if (cut.owner !== this.owner) return;
    this.first ??= cut;
    this.newest = cut;
    this.counted += 1;
    this.spool.append(Buffer.concat([CUT, data]));
  }

  private addVerdict({ model, rollout, cut }: Verdict, data: Buffer): void {
    if (model !== this.model || cut.owner !== this.owner || cut.number !== this.newest?.number) return;
    this.rollouts.add(rollout);
    this.spool.append(Buffer.concat([VERDICT, data]));
    if (this.options.rollout !== undefined && rollout !== this.options.rollout) return;
    this.last = this.newest;
    this.cuts = this.counted;
  }

  private addUnreadable(offset: number, timestampMs: number): void {
    const { count, from, fromMs } = this.unreadable ?? { count: 0, from: offset, fromMs: timestampMs };
    this.unreadable = { count: count + 1, from, fromMs };
  }
}

/** What was decoded once is decoded again. */
function required<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (parsed.ok) return parsed.value;
  throw new Error('a record of the spool is not what was put there');
}
