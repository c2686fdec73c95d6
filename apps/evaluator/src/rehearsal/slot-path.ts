import { type BucketRecord, classHash, type Label, modelHash, type Outcome, PredictionIdSealer } from '@app/shared';
import { isDeepStrictEqual } from 'node:util';
import type { SlotRecord } from '../domain/slot/folded-batch.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';
import { LabelSlot } from '../domain/slot/label-slot.js';
import { OutcomeSlot } from '../domain/slot/outcome-slot.js';
import { type BucketSummary, isEvidence, type LabelShare, type Summary } from '../domain/summary.js';
import type { GivenLabel } from './labels.js';
import { TimedQueue } from './timed-queue.js';
import { type PredictionMade, type Timed, TRANSPORT_MS, type TrafficListener } from './traffic.js';

const CONTROL_PARTITIONS = 1;
const RIGHT = 1;
const WRONG = 0;
/** The only model, with any number of routing changes. */
const MODEL = 'm';

interface OutcomeItem {
  readonly record: Outcome | BucketRecord;
  /** Of a bucket record: what the generator says the slot makes of it. */
  readonly expected: BucketSummary | null;
}

/** One partition of prediction-outcome, which one router writes all of its records to. */
class OutcomePartition {
  readonly queue = new TimedQueue<OutcomeItem>();
  private readonly slot: OutcomeSlot;
  private sequence = 0;

  constructor(private readonly partition: number) {
    this.slot = new OutcomeSlot(partition, CONTROL_PARTITIONS, null);
  }

  /** Folds what is in the log by now; hands out each summary beside the expected one. */
  fold(nowMs: number, summary: (made: Summary, expected: BucketSummary | null) => void): void {
    const expected = new Map<number, BucketSummary>();
    const begin = this.slot.position;
    const records = this.queue.take(nowMs).map(({ atMs, item }, i): SlotRecord => {
      if (item.expected) expected.set(begin + i, item.expected);
      const record = { ...item.record, lane: this.partition, sequence: this.sequence++ };
      return { offset: begin + i, timestampMs: Math.floor(atMs), value: json(record) };
    });
    if (records.length === 0) return;
    const folded = this.slot.foldBatch(records, begin + records.length);
    if (folded.deadLetters.length > 0) throw new Error(`a slot refuses: ${folded.deadLetters[0]!.cause.text}`);
    for (const { summary: made, offset } of folded.summaries.get(0) ?? [])
      if (isEvidence(made)) summary(made, expected.get(offset) ?? null);
  }
}

/**
 * The way from records to evidence as the evaluator has it: what routers and labellers write, as bytes, through the real
 * slots. Each summary is compared with the one the generator makes of the same predictions by itself.
 */
export class SlotPath implements TrafficListener {
  /** Summaries and shares that came out of the slots, and those of them that are not what the generator says. */
  compared = 0;
  differing = 0;
  private readonly partitions: readonly OutcomePartition[];
  private readonly labels = new TimedQueue<Label>();
  private readonly sealer = new PredictionIdSealer([{ number: 1, secret: Buffer.alloc(32, 1) }]);
  private readonly labelSlot = new LabelSlot(this.sealer, CONTROL_PARTITIONS, null);
  private readonly directory: GenerationDirectory;
  private counter = 0;

  constructor(routers: number, labelsWithinMs: number | null) {
    this.partitions = Array.from({ length: routers }, (_, partition) => new OutcomePartition(partition));
    const entry = {
      model: MODEL,
      generation: Number.MAX_SAFE_INTEGER,
      version: (index: number) => ['v1', 'v2'][index] ?? null,
      hasVersion: () => true,
      tolerance: 0,
      counted: (generation: number) =>
        labelsWithinMs === null || generation < 2 ? null : { labelsWithinMs, tolerance: 0 },
    };
    this.directory = { model: () => entry };
  }

  prediction({ router, bucket, generation, canary, group, routedMs, latencyMs, failed }: PredictionMade): void {
    const record: Outcome = {
      kind: 'outcome',
      schemaVersion: 1,
      predictionId: `p-${this.counter++}`,
      model: MODEL,
      version: canary ? 'v2' : 'v1',
      generation,
      router: `router-${router}`,
      lane: 0,
      sequence: 0,
      bucket,
      unit: group,
      routedAt: Math.floor(routedMs),
      latencyMs,
      status: failed ? 'error' : 'ok',
      httpStatus: failed ? 500 : 200,
    };
    this.partitions[router]!.queue.add(routedMs + latencyMs + TRANSPORT_MS, { record, expected: null });
  }

  bucket({ atMs, partition, value }: Timed<BucketSummary>): void {
    const { model, generation, router, bucket, routedFrom, routedTo, ageMs, previousAgeMs, final } = value;
    const versions = Object.fromEntries(
      Object.entries(value.versions).map(([version, { routed, intended, pending }]) => [
        version,
        { routed, intended, pending, dropped: 0 },
      ]),
    );
    const at = { model, generation, router, lane: 0, sequence: 0, bucket, routedFrom, routedTo };
    const record: BucketRecord = {
      kind: 'bucket',
      schemaVersion: 1,
      ...at,
      ageMs,
      previousAgeMs,
      versions,
      final,
    };
    this.partitions[partition]!.queue.add(atMs, { record, expected: value });
  }

  label({ atMs, wrong, generation, canary, group, routedMs, openedMs }: GivenLabel): void {
    const routedAt = Math.floor(routedMs);
    const predictionId = this.sealer.seal({
      modelHash: MODEL_HASH,
      generation,
      versionIndex: canary ? 1 : 0,
      arm: canary ? 'canary' : 'stable',
      routedAt,
      sinceBucketMs: routedAt - openedMs,
      unit: group,
      segment: 0,
      routerHash: Math.floor(this.counter / 65_536),
      counter: this.counter++ % 65_536,
      valueKind: 'class',
      value: RIGHT_HASH,
      counted: true,
    });
    this.labels.add(atMs, { predictionId, label: wrong ? WRONG : RIGHT });
  }

  /** What the slots make of all that is in the log by now: buckets by partition, then labels. */
  summaries(nowMs: number, expectedShares: readonly LabelShare[]): Summary[] {
    const summaries: Summary[] = [];
    for (const partition of this.partitions)
      partition.fold(nowMs, (summary, expected) => {
        summaries.push(summary);
        this.compare(summary, expected);
      });
    const shares = this.foldLabels(nowMs);
    for (let i = 0; i < Math.max(shares.length, expectedShares.length); i++)
      this.compare(shares[i] ?? null, expectedShares[i] ?? null);
    return [...summaries, ...shares];
  }

  private foldLabels(nowMs: number): Summary[] {
    const begin = this.labelSlot.position;
    const labels = this.labels.take(nowMs).map(({ atMs, item }) => ({ atMs, value: json(item) }));
    const records = [...labels, { atMs: nowMs, value: TICK }].map(({ atMs, value }, i): SlotRecord => ({
      offset: begin + i,
      timestampMs: Math.floor(atMs),
      value,
    }));
    const options = { directory: this.directory, givenUp: new Set<string>() };
    const folded = this.labelSlot.foldBatch(records, begin + records.length, options);
    if (folded.deadLetters.length > 0) throw new Error(`a slot refuses: ${folded.deadLetters[0]!.cause.text}`);
    return (folded.summaries.get(0) ?? []).map(({ summary }) => summary).filter(isEvidence);
  }

  private compare(made: Summary | null, expected: Summary | null): void {
    this.compared++;
    if (!isDeepStrictEqual(made, expected)) this.differing++;
  }
}

const MODEL_HASH = modelHash(MODEL);
const RIGHT_HASH = classHash(RIGHT);
const json = (record: object): Buffer => Buffer.from(JSON.stringify(record));
const TICK = json({ kind: 'tick', schemaVersion: 1 });
