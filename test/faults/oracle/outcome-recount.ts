import { bucketCodec, type BucketRecord, type Outcome, outcomeCodec, tickCodec } from '@app/shared';
import type { LogRecord } from './log-source.js';

/** One version's predictions in a bucket, as one of its records shows them. */
export interface ArmCount {
  readonly routed: number;
  readonly intended: number;
  readonly pending: number;
  /** Of what had come by then: answered with an error, 4xx included; and without. */
  readonly bad: number;
  readonly badButClient: number;
}

/** A bucket record that counts. */
export interface BucketLook {
  readonly kind: 'look';
  readonly offset: number;
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
  readonly routedFrom: number;
  readonly ageMs: number;
  readonly previousAgeMs: number;
  readonly final: boolean;
  readonly versions: ReadonlyMap<string, ArmCount>;
}

/** A bucket that does not count, from here on. */
export interface BucketLeftOut {
  readonly kind: 'left-out';
  readonly offset: number;
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
  readonly cause: 'lost' | 'overdue';
}

export type BucketFinding = BucketLook | BucketLeftOut;

interface Arm {
  received: number;
  bad: number;
  badButClient: number;
}

interface Bucket {
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
  readonly firstLogTimeMs: number;
  readonly arms: Map<string, Arm>;
  leftOut: boolean;
  final: boolean;
}

/** As the design has it: a bucket is not waited for longer than 60 s, two deadlines of 60 s, and 10 s. */
const OVERDUE_MS = 190_000;
const RECORD_BYTES_MAX = 64 * 1024;

/** Records of a lane that never came, between two that did. */
export interface LaneGap {
  readonly router: string;
  readonly partition: number;
  readonly records: number;
}

/**
 * Counts one partition of prediction-outcome again, in the plainest way: every record once by lane and sequence, and
 * each bucket record held against the outcomes that came before it.
 */
export class OutcomeRecount {
  readonly findings: BucketFinding[] = [];
  /** Offsets of records that can be no outcome, bucket record or tick. */
  readonly refused = new Map<number, string>();
  readonly gaps: LaneGap[] = [];
  duplicates = 0;
  /** Sequence of the last record by router. */
  readonly lanes = new Map<string, number>();
  /** Offset of the last record that is no tick; -1: there is none. */
  lastMeaningful = -1;
  private logTimeMs = -1;
  private readonly buckets = new Map<string, Bucket>();
  /** Neither final nor left out, in the order of their first records. */
  private readonly open = new Set<Bucket>();

  /** @param onOutcome called once for each outcome. */
  constructor(
    private readonly partition: number,
    private readonly onOutcome: (outcome: Outcome, logTimeMs: number) => void,
  ) {}

  /** Buckets that have records and no final one. */
  unfinished(): readonly { readonly router: string; readonly bucket: number; readonly model: string }[] {
    return [...this.open];
  }

  take(record: LogRecord): void {
    this.advance(record);
    if (record.value !== null && record.value.length > RECORD_BYTES_MAX) return this.refuse(record, 'too long');
    const value = parse(record.value);
    if (tickCodec.check(value).ok) return;
    this.lastMeaningful = record.offset;
    const outcome = outcomeCodec.check(value);
    if (outcome.ok) return this.takeOutcome(record, outcome.value);
    const bucket = bucketCodec.check(value);
    if (bucket.ok) return this.takeBucket(record, bucket.value);
    this.refuse(record, 'no record of this topic');
  }

  private takeOutcome(record: LogRecord, outcome: Outcome): void {
    if (!this.isFresh(record, outcome)) return;
    this.onOutcome(outcome, this.logTimeMs);
    if (outcome.bucket === undefined || outcome.shadow === true || outcome.override === true) return;
    const bucket = this.bucketOf({ ...outcome, bucket: outcome.bucket });
    if (bucket.model !== outcome.model || bucket.generation !== outcome.generation)
      return this.refuse(record, 'of another bucket');
    const arm = bucket.arms.get(outcome.version) ?? { received: 0, bad: 0, badButClient: 0 };
    bucket.arms.set(outcome.version, arm);
    arm.received++;
    if (isBad(outcome)) arm.bad++;
    if (isBad(outcome) && !isClientError(outcome)) arm.badButClient++;
  }

  private takeBucket(record: LogRecord, told: BucketRecord): void {
    if (!this.isFresh(record, told)) return;
    const bucket = this.bucketOf(told);
    if (bucket.model !== told.model || bucket.generation !== told.generation)
      return this.refuse(record, 'of another bucket');
    if (told.final) {
      bucket.final = true;
      this.open.delete(bucket);
    }
    if (bucket.leftOut) return;
    if (!addsUp(bucket, told)) return this.leaveOut(bucket, record.offset, 'lost');
    const { model, generation, router, bucket: number, routedFrom, ageMs, previousAgeMs, final } = told;
    const versions = Object.entries(told.versions).map(([version, { routed, intended, pending }]) => {
      const { bad, badButClient } = bucket.arms.get(version) ?? { bad: 0, badButClient: 0 };
      return [version, { routed, intended, pending, bad, badButClient }] as const;
    });
    this.findings.push({
      kind: 'look',
      offset: record.offset,
      ...{ model, generation, router, bucket: number, routedFrom, ageMs, previousAgeMs, final },
      versions: new Map(versions),
    });
  }

  private isFresh(record: LogRecord, of: { router: string; lane: number; sequence: number }): boolean {
    if (of.lane !== this.partition) {
      this.refuse(record, 'of another lane');
      return false;
    }
    const last = this.lanes.get(of.router) ?? -1;
    if (of.sequence <= last) {
      this.duplicates++;
      return false;
    }
    if (of.sequence > last + 1)
      this.gaps.push({ router: of.router, partition: this.partition, records: of.sequence - last - 1 });
    this.lanes.set(of.router, of.sequence);
    return true;
  }

  private bucketOf(of: { model: string; generation: number; router: string; bucket: number }): Bucket {
    const key = `${of.router} ${of.bucket}`;
    const found = this.buckets.get(key);
    if (found) return found;
    const { model, generation, router, bucket } = of;
    const made = { model, generation, router, bucket, firstLogTimeMs: this.logTimeMs, arms: new Map<string, Arm>() };
    const opened: Bucket = { ...made, leftOut: false, final: false };
    this.buckets.set(key, opened);
    this.open.add(opened);
    return opened;
  }

  private advance({ timestampMs, offset }: LogRecord): void {
    if (timestampMs <= this.logTimeMs) return;
    this.logTimeMs = timestampMs;
    for (const bucket of this.open) {
      if (bucket.firstLogTimeMs + OVERDUE_MS > timestampMs) break;
      this.leaveOut(bucket, offset, 'overdue');
    }
  }

  private leaveOut(bucket: Bucket, offset: number, cause: BucketLeftOut['cause']): void {
    bucket.leftOut = true;
    this.open.delete(bucket);
    const { model, generation, router, bucket: number } = bucket;
    this.findings.push({ kind: 'left-out', offset, model, generation, router, bucket: number, cause });
  }

  private refuse(record: LogRecord, why: string): void {
    this.refused.set(record.offset, why);
  }
}

/** Undefined, which nothing accepts, where it is no JSON. */
export function parse(value: Buffer | null): unknown {
  if (value === null) return undefined;
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What came is what the record says was routed and is not pending, version by version, and nothing was dropped. */
function addsUp(bucket: Bucket, told: BucketRecord): boolean {
  let received = 0;
  for (const [version, { routed, pending, dropped }] of Object.entries(told.versions)) {
    const came = bucket.arms.get(version)?.received ?? 0;
    if (dropped > 0 || came !== routed - pending || (told.final && pending > 0)) return false;
    received += came;
  }
  return received === [...bucket.arms.values()].reduce((sum, arm) => sum + arm.received, 0);
}

const isClientError = ({ status, httpStatus }: Outcome): boolean =>
  status === 'error' && httpStatus >= 400 && httpStatus < 500;

/** A prediction that stable answered in the canary's place is the canary's, and bad. One that its client gave up is neither. */
export const isBad = (outcome: Outcome): boolean =>
  outcome.fallback === true || (outcome.status !== 'ok' && outcome.status !== 'cancelled');
