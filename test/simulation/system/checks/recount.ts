import {
  type BucketRecord,
  bucketCodec,
  classHash,
  labelCodec,
  type Outcome,
  outcomeCodec,
  type PredictionIdSealer,
  tickCodec,
} from '@app/shared';
import type { LedgerEntry } from '../world/ledger.js';

/**
 * What the design says that a partition's records amount to, counted anew: from the contracts and the rules alone, by
 * code that the services do not share. One line for each summary, which the slots' summaries must equal.
 */
export interface CountedSummary {
  readonly offset: number;
  readonly model: string;
  readonly text: string;
}

export interface Shown {
  routed: number;
  errors: number;
  labelled: number;
  right: number;
}

export interface Recount {
  readonly summaries: readonly CountedSummary[];
  /** What windows show in all, by `model version`. */
  readonly shown: ReadonlyMap<string, Shown>;
  /** Offsets of records that nobody can use. */
  readonly refused: readonly number[];
}

interface CountedArm {
  received: number;
  errors: number;
  cancelled: number;
  routed: number;
}

interface CountedBucket {
  readonly model: string;
  readonly generation: number;
  readonly firstMs: number;
  readonly arms: Map<string, CountedArm>;
  out: boolean;
}

interface CountedLane {
  sequence: number;
  readonly buckets: Map<number, CountedBucket>;
}

/** Rule 7: open for at most 60 s, two deadlines of 60 s, and 10 s. */
const OVERDUE_MS = 190_000;

class OutcomeCount {
  readonly summaries: CountedSummary[] = [];
  readonly shown = new Map<string, Shown>();
  readonly refused: number[] = [];
  private readonly lanes = new Map<string, CountedLane>();
  private readonly open = new Map<CountedBucket, string>();
  private logTimeMs = -1;

  constructor(private readonly partition: number) {}

  take({ offset, timestampMs, value }: LedgerEntry): void {
    if (timestampMs > this.logTimeMs) this.logTimeMs = timestampMs;
    for (const [bucket, name] of this.open)
      if (bucket.firstMs + OVERDUE_MS <= this.logTimeMs) this.leaveOut(bucket, name, offset, 'overdue');
    const document = parse(value);
    const kind = kindOf(document);
    const outcome = kind === 'outcome' ? outcomeCodec.check(document) : null;
    const record = kind === 'bucket' ? bucketCodec.check(document) : null;
    if (outcome?.ok) this.takeOutcome(outcome.value, offset);
    else if (record?.ok) this.takeBucket(record.value, offset);
    else if (!(kind === 'tick' && tickCodec.check(document).ok)) this.refused.push(offset);
  }

  private takeOutcome(outcome: Outcome, offset: number): void {
    const lane = this.laneOf(outcome, offset);
    if (!lane) return;
    const bad = outcome.fallback === true || ['error', 'timeout', 'overloaded'].includes(outcome.status);
    const shown = shownOf(this.shown, `${outcome.model} ${outcome.version}`);
    shown.routed++;
    if (bad) shown.errors++;
    if (outcome.bucket === undefined || outcome.shadow || outcome.override) return;
    const bucket = this.bucketOf(lane, outcome.router, outcome.bucket, outcome);
    if (bucket.out) return;
    const arm = armOf(bucket, outcome.version);
    arm.received++;
    if (bad) arm.errors++;
    else if (outcome.status === 'cancelled') arm.cancelled++;
  }

  private takeBucket(record: BucketRecord, offset: number): void {
    const lane = this.laneOf(record, offset);
    if (!lane) return;
    const { model, generation, router, bucket: number, ageMs, previousAgeMs, final, versions } = record;
    const bucket = this.bucketOf(lane, router, number, record);
    const name = `${router}/${number}`;
    if (!bucket.out) {
      for (const [version, { routed }] of Object.entries(versions)) armOf(bucket, version).routed = routed;
      if (addsUp(bucket, record)) {
        const arms = Object.entries(versions).map(([version, { routed, intended, pending }]) => {
          const { received, errors, cancelled } = armOf(bucket, version);
          return `${version}: ${routed} routed, ${intended} intended, ${pending} pending, ${received} came, ${errors} bad, ${cancelled} cancelled`;
        });
        const what = `bucket ${name} of ${model} at ${generation}, age ${ageMs} after ${previousAgeMs}${final ? ', final' : ''}`;
        this.summaries.push({ offset, model, text: `${what}; ${arms.sort().join('; ')}` });
      } else this.leaveOut(bucket, name, offset, 'lost');
    }
    if (!final) return;
    lane.buckets.delete(number);
    this.open.delete(bucket);
  }

  private leaveOut(bucket: CountedBucket, name: string, offset: number, cause: string): void {
    bucket.out = true;
    this.open.delete(bucket);
    const arms = [...bucket.arms].map(([version, { routed, received }]) => `${version}: ${Math.max(routed, received)}`);
    const text = `left out ${name} of ${bucket.model} at ${bucket.generation}, ${cause}; ${arms.sort().join('; ')}`;
    this.summaries.push({ offset, model: bucket.model, text });
  }

  /** Null: it has been there before, or does not belong here. */
  private laneOf(of: { router: string; lane: number; sequence: number }, offset: number): CountedLane | null {
    if (of.lane !== this.partition) {
      this.refused.push(offset);
      return null;
    }
    const lane = this.lanes.get(of.router) ?? { sequence: -1, buckets: new Map<number, CountedBucket>() };
    this.lanes.set(of.router, lane);
    if (of.sequence <= lane.sequence) return null;
    lane.sequence = of.sequence;
    return lane;
  }

  private bucketOf(
    lane: CountedLane,
    router: string,
    number: number,
    { model, generation }: { model: string; generation: number },
  ): CountedBucket {
    let bucket = lane.buckets.get(number);
    if (!bucket) {
      bucket = { model, generation, firstMs: this.logTimeMs, arms: new Map(), out: false };
      lane.buckets.set(number, bucket);
      this.open.set(bucket, `${router}/${number}`);
    }
    return bucket;
  }
}

/** Rule 7: as many outcomes as were routed and are not pending, in each arm, and nothing dropped. */
function addsUp(bucket: CountedBucket, { versions, final }: BucketRecord): boolean {
  let named = 0;
  for (const [version, { routed, pending, dropped }] of Object.entries(versions)) {
    const { received } = armOf(bucket, version);
    if (dropped > 0 || received !== routed - pending || (final && pending > 0)) return false;
    named += received;
  }
  let all = 0;
  for (const { received } of bucket.arms.values()) all += received;
  return all === named;
}

function armOf(bucket: CountedBucket, version: string): CountedArm {
  const arm = bucket.arms.get(version) ?? { received: 0, errors: 0, cancelled: 0, routed: 0 };
  bucket.arms.set(version, arm);
  return arm;
}

function shownOf(shown: Map<string, Shown>, name: string): Shown {
  const found = shown.get(name) ?? { routed: 0, errors: 0, labelled: 0, right: 0 };
  shown.set(name, found);
  return found;
}

function parse(value: Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString('utf8') ?? '');
  } catch {
    return undefined;
  }
}

const kindOf = (document: unknown): unknown => (document as { kind?: unknown } | null | undefined)?.kind;

/** Counts a partition of prediction-outcome. */
export function recountOutcomes(partition: number, entries: readonly LedgerEntry[]): Recount {
  const count = new OutcomeCount(partition);
  for (const entry of entries) count.take(entry);
  return count;
}

/** What rollout-state tells about labels. */
export interface LabelRules {
  /** By model hash. */
  readonly models: ReadonlyMap<number, string>;
  /** Versions by `model hash/index`. */
  readonly versions: ReadonlyMap<string, string>;
  /** Horizon of the generations whose labels count, by `model hash/generation`. */
  readonly labelsWithinMs: ReadonlyMap<string, number>;
}

interface CountedStratum {
  readonly model: string;
  readonly hash: number;
  readonly generation: number;
  readonly stratum: number;
  readonly closesMs: number;
  readonly seen: Set<string>;
  readonly stable: { n: number; wrong: number };
  readonly canary: { n: number; wrong: number };
}

/** Counts a partition of prediction-label (rule 12; pairs are not made here). */
export function recountLabels(entries: readonly LedgerEntry[], rules: LabelRules, sealer: PredictionIdSealer): Recount {
  const summaries: CountedSummary[] = [];
  const shown = new Map<string, Shown>();
  const refused: number[] = [];
  const strata = new Map<string, CountedStratum>();
  let logTimeMs = -1;
  for (const { offset, timestampMs, value } of entries) {
    if (timestampMs > logTimeMs) logTimeMs = timestampMs;
    const due = [...strata].filter(([, { closesMs }]) => closesMs <= logTimeMs);
    due.sort(
      ([, a], [, b]) =>
        a.closesMs - b.closesMs || a.hash - b.hash || a.generation - b.generation || a.stratum - b.stratum,
    );
    for (const [key, { model, generation, stratum, stable, canary }] of due) {
      strata.delete(key);
      const arms = `stable ${stable.n}, ${stable.wrong} wrong; canary ${canary.n}, ${canary.wrong} wrong`;
      summaries.push({ offset, model, text: `labels of ${model} at ${generation}, stratum ${stratum}; ${arms}` });
    }
    const document = parse(value);
    if (kindOf(document) === 'tick') continue;
    const label = labelCodec.check(document);
    const opened = label.ok ? sealer.open(label.value.predictionId) : null;
    if (!label.ok || !opened?.ok) {
      refused.push(offset);
      continue;
    }
    const of = opened.value;
    const model = rules.models.get(of.modelHash) ?? '?';
    const right = of.valueKind === 'class' && classHash(label.value.label) === of.value;
    const withinMs = of.counted ? rules.labelsWithinMs.get(`${of.modelHash}/${of.generation}`) : undefined;
    if (withinMs !== undefined) {
      const width = Math.max(1_000, Math.ceil(withinMs / 200));
      const stratum = Math.floor((of.routedAt - of.sinceBucketMs) / width);
      const closesMs = (stratum + 1) * width + withinMs;
      const key = `${of.modelHash}/${of.generation}/${stratum}`;
      if (closesMs > logTimeMs) {
        const open =
          strata.get(key) ?? newStratum({ model, hash: of.modelHash, generation: of.generation, stratum, closesMs });
        strata.set(key, open);
        if (open.seen.has(label.value.predictionId)) continue;
        open.seen.add(label.value.predictionId);
        open[of.arm].n++;
        if (!right) open[of.arm].wrong++;
      }
    }
    const figures = shownOf(shown, `${model} ${rules.versions.get(`${of.modelHash}/${of.versionIndex}`) ?? '?'}`);
    figures.labelled++;
    if (right) figures.right++;
  }
  return { summaries, shown, refused };
}

const newStratum = (of: Omit<CountedStratum, 'seen' | 'stable' | 'canary'>): CountedStratum => ({
  ...of,
  seen: new Set(),
  stable: { n: 0, wrong: 0 },
  canary: { n: 0, wrong: 0 },
});
