import { randomBytes } from 'node:crypto';
import {
  type BucketCounts,
  type BucketRecord,
  bucketCodec,
  type BusProducer,
  type BusBatch,
  classHash,
  type Label,
  labelCodec,
  modelHash,
  type Outcome,
  type PredictionIdSealer,
  outcomeCodec,
  type OutRecord,
} from '@app/shared';
import { CELL_CLASS, type CellClass, cellKey } from '../../apps/evaluator/src/domain/summary.js';
import { sketchBin } from '../../apps/evaluator/src/domain/sketch.js';
import { seededRandom } from '../../apps/evaluator/src/testing/builders.js';
import type { FoldedCounts, FoldedLabels } from '../../apps/evaluator/src/testing/recording-engine.js';

export interface SyntheticRouterOptions {
  readonly producer: BusProducer;
  readonly topics: { readonly outcome: string; readonly label: string };
  readonly sealer: PredictionIdSealer;
  readonly partitions: number;
  readonly models: readonly string[];
  readonly seed: number;
}

const STATUSES = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'error', 'timeout', 'cancelled'] as const;
const PREDICTED = 'three';
/** A record of a bucket that is not final comes some time after its cut. */
const AGES_MS = [10, 50, 250, 1000] as const;

/**
 * Writes what a router writes, and what a bad day does to it: buckets of ten predictions that become final by and by,
 * outcomes that are lost, and records that come twice, at once or much later.
 */
export class SyntheticRouter {
  private readonly id: string;
  private readonly random: () => number;
  private readonly sequences = new Map<number, number>();
  private readonly pending: PendingBucket[] = [];
  private readonly written: OutRecord[] = [];
  private bucket = 0;
  predictions = 0;

  constructor(private readonly options: SyntheticRouterOptions) {
    this.id = `synthetic-${options.seed}-${randomBytes(8).toString('hex')}`;
    this.random = seededRandom(options.seed);
  }

  /** Routes some buckets, lets outcomes of older ones come, and sends all of it, some of it twice. */
  async goOn(buckets: number, generation: number): Promise<void> {
    const records: OutRecord[] = [];
    for (let i = 0; i < buckets; i++) this.pending.push(this.route(generation));
    for (const bucket of [...this.pending]) {
      records.push(...this.progress(bucket));
      if (bucket.final) this.pending.splice(this.pending.indexOf(bucket), 1);
    }
    await this.send(records);
  }

  /** Lets everything that is pending become final. */
  async finish(): Promise<void> {
    while (this.pending.length > 0) await this.goOn(0, 0);
  }

  private async send(records: readonly OutRecord[]): Promise<void> {
    const all = [...records];
    if (this.random() < 0.3) all.push(...records); // the batch again
    if (this.random() < 0.3 && this.written.length > 0) {
      const from = Math.floor(this.random() * this.written.length);
      all.push(...this.written.slice(from, from + 50)); // something old again
    }
    this.written.push(...records);
    if (this.written.length > 5_000) this.written.splice(0, 2_500);
    if (all.length > 0) await this.options.producer.send(all);
  }

  /** Labels of most good answers; now and then another one for a prediction that has one. */
  private label(outcome: Outcome): OutRecord[] {
    if (outcome.status !== 'ok' || this.random() < 0.2) return [];
    const record = (label: string): OutRecord => {
      const { predictionId } = outcome;
      return { topic: this.options.topics.label, key: predictionId, value: labelCodec.encode({ predictionId, label }) };
    };
    const first = record(this.random() < 0.9 ? PREDICTED : 'other');
    return this.random() < 0.2 ? [first, record('other')] : [first];
  }

  private route(generation: number): PendingBucket {
    const { models, partitions } = this.options;
    const number = this.bucket++;
    const model = models[number % models.length]!;
    const routedAt = Date.now();
    const outcomes = Array.from({ length: 10 }, (_, i): Outcome => {
      const status = STATUSES[Math.floor(this.random() * STATUSES.length)]!;
      const unit = Math.floor(this.random() * 4);
      return {
        kind: 'outcome',
        schemaVersion: 1,
        predictionId: this.options.sealer.seal({
          modelHash: modelHash(model),
          generation,
          versionIndex: i === 9 ? 1 : 0,
          arm: i === 9 ? 'canary' : 'stable',
          routedAt,
          sinceBucketMs: 0,
          unit,
          segment: 0,
          routerHash: this.options.seed,
          counter: this.predictions + i,
          valueKind: 'class',
          value: classHash(PREDICTED),
          counted: true,
        }),
        model,
        version: i === 9 ? 'v2' : 'v1',
        generation,
        router: this.id,
        lane: number % partitions,
        sequence: 0,
        bucket: number,
        unit,
        routedAt,
        latencyMs: [5, 20, 80, 300][Math.floor(this.random() * 4)]!,
        status,
        httpStatus: status === 'ok' ? 200 : status === 'error' ? (this.random() < 0.5 ? 422 : 500) : 0,
      };
    });
    this.predictions += outcomes.length;
    const dropped = this.random() < 0.03 ? 1 : 0;
    return { number, lane: number % partitions, model, generation, routed: outcomes, left: outcomes.slice(dropped), dropped, look: 0, final: false, routedAt }; // prettier-ignore
  }

  private progress(bucket: PendingBucket): OutRecord[] {
    const last = bucket.look === AGES_MS.length - 1;
    const now = last ? bucket.left.length : Math.floor(this.random() * (bucket.left.length + 1));
    const come = bucket.left.splice(0, now);
    bucket.final = bucket.left.length === 0;
    const counts = (version: string): BucketCounts => {
      const of = (outcomes: readonly Outcome[]): number => outcomes.filter((o) => o.version === version).length;
      const routed = of(bucket.routed);
      return { routed, intended: routed, pending: of(bucket.left), dropped: version === 'v1' ? bucket.dropped : 0 };
    };
    const { model, generation, lane, number, routedAt, look, final } = bucket;
    const record: BucketRecord = {
      kind: 'bucket',
      schemaVersion: 1,
      model,
      generation,
      router: this.id,
      lane,
      sequence: 0,
      bucket: number,
      routedFrom: routedAt,
      routedTo: routedAt + 100,
      ageMs: AGES_MS[look]!,
      previousAgeMs: look === 0 ? 0 : AGES_MS[look - 1]!,
      versions: { v1: counts('v1'), v2: counts('v2') },
      final,
    };
    bucket.look = Math.min(look + 1, AGES_MS.length - 1);
    return [
      ...come.map((outcome) => this.record(outcome, outcomeCodec)),
      this.record(record, bucketCodec),
      ...come.flatMap((outcome) => this.label(outcome)),
    ];
  }

  private record<T extends { lane: number; sequence: number }>(
    value: T,
    codec: { encode(value: T): Buffer },
  ): OutRecord {
    const sequence = this.sequences.get(value.lane) ?? 0;
    this.sequences.set(value.lane, sequence + 1);
    return {
      topic: this.options.topics.outcome,
      partition: value.lane,
      key: this.id,
      value: codec.encode({ ...value, sequence }),
    };
  }
}

interface PendingBucket {
  readonly number: number;
  readonly lane: number;
  readonly model: string;
  readonly generation: number;
  readonly routed: readonly Outcome[];
  readonly left: Outcome[];
  readonly dropped: number;
  readonly routedAt: number;
  look: number;
  final: boolean;
}

/**
 * The same counts from the topic alone, in the plainest way there is: every record once by lane and sequence, and of
 * every final bucket without a loss its outcomes.
 */
export class Recount {
  private readonly seen = new Map<string, number>();
  private readonly outcomes = new Map<string, Outcome[]>();
  private readonly lost = new Set<string>();
  /** By model, then by `generation/version`. */
  readonly counts = new Map<string, Record<string, FoldedCounts>>();
  /** By hash of the model. */
  readonly labels = new Map<number, FoldedLabels>();
  private readonly labelled = new Set<string>();
  private readonly labelLogTimeMs = new Map<number, number>();
  duplicates = 0;
  late = 0;

  constructor(
    private readonly sealer: PredictionIdSealer,
    private readonly labelsWithinMs: number,
  ) {}

  /** The first label of a prediction counts, if it came in time by the log of its partition. */
  addLabels({ partition, records }: BusBatch): void {
    for (const { value, timestampMs } of records) {
      const logTimeMs = Math.max(timestampMs, this.labelLogTimeMs.get(partition) ?? -1);
      this.labelLogTimeMs.set(partition, logTimeMs);
      const { kind, predictionId, label } = JSON.parse(value!.toString('utf8')) as Omit<Label, 'kind'> & {
        kind?: string;
      };
      if (kind === 'tick') continue;
      const opened = this.sealer.open(predictionId);
      if (!opened.ok) throw new Error(`a label of a prediction nobody made: ${predictionId}`);
      const { routedAt, generation, arm, modelHash: model } = opened.value;
      const late = logTimeMs >= (Math.floor(routedAt / 1_000) + 1) * 1_000 + this.labelsWithinMs;
      if (late) this.late += 1;
      if (late || this.labelled.has(predictionId)) continue;
      this.labelled.add(predictionId);
      const ofModel = this.labels.get(model) ?? {};
      this.labels.set(model, ofModel);
      const counts = (ofModel[`${generation}/${arm}`] ??= { n: 0, wrong: 0 });
      counts.n += 1;
      if (label !== PREDICTED) counts.wrong += 1;
    }
  }

  add({ records }: BusBatch): void {
    for (const { value } of records) {
      const record = JSON.parse(value!.toString('utf8')) as Outcome | BucketRecord | { kind: 'tick' };
      if (record.kind === 'tick' || this.isDuplicate(record)) continue;
      const key = `${record.router}/${record.bucket}`;
      if (record.kind === 'outcome') this.outcomes.set(key, [...(this.outcomes.get(key) ?? []), record]);
      else this.count(key, record);
    }
  }

  private isDuplicate({ router, lane, sequence }: Outcome | BucketRecord): boolean {
    const key = `${router}/${lane}`;
    const duplicate = sequence <= (this.seen.get(key) ?? -1);
    if (duplicate) this.duplicates += 1;
    else this.seen.set(key, sequence);
    return duplicate;
  }

  private count(key: string, record: BucketRecord): void {
    const received = this.outcomes.get(key) ?? [];
    for (const [version, { routed, pending, dropped }] of Object.entries(record.versions)) {
      const came = received.filter((outcome) => outcome.version === version).length;
      if (dropped > 0 || came !== routed - pending) this.lost.add(key);
    }
    if (!record.final || this.lost.has(key)) return;
    const ofModel = this.counts.get(record.model) ?? {};
    this.counts.set(record.model, ofModel);
    for (const [version, { routed }] of Object.entries(record.versions)) {
      const counts = (ofModel[`${record.generation}/${version}`] ??= { buckets: 0, routed: 0, cells: {}, leftOut: 0 });
      counts.buckets += 1;
      counts.routed += routed;
      for (const outcome of received.filter((o) => o.version === version)) {
        const cell = cellOf(outcome);
        counts.cells[cell] = (counts.cells[cell] ?? 0) + 1;
      }
    }
  }
}

/** What is left out is counted apart; the folded counts without it. */
export function withoutLeftOut(counts: Record<string, FoldedCounts>): Record<string, FoldedCounts> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [key, { ...value, leftOut: 0 }]));
}

function cellOf({ status, httpStatus, unit, latencyMs }: Outcome): number {
  const cellClass: CellClass =
    status === 'ok'
      ? CELL_CLASS.ok
      : status === 'cancelled'
        ? CELL_CLASS.cancelled
        : httpStatus >= 400 && httpStatus < 500
          ? CELL_CLASS.clientError
          : CELL_CLASS.error;
  return cellKey(unit, cellClass, cellClass === CELL_CLASS.cancelled ? 2047 : sketchBin(latencyMs));
}
