import { PREDICTION_ID_LENGTH } from '@app/shared';
import { type Bucket, BucketCutter, type BucketRouting } from '../../../apps/router/src/domain/bucket-cutter.js';
import { bucketText, outcomePrefix, outcomeText } from '../../../apps/router/src/domain/outcome-text.js';
import { seededRandom } from '../../fixtures/seeded-random.js';

export interface RoutersOptions {
  readonly models: number;
  /** Of each model. */
  readonly versions: number;
  /** Of the first version; the others share the rest. */
  readonly stableShare: number;
  /** Of all routers and models together. */
  readonly predictionsPerSecond: number;
  readonly outcomes: number;
  readonly partitions: number;
  readonly routers: number;
  /** Routing time of the first prediction, ms since the epoch. */
  readonly fromMs: number;
  readonly seed: number;
}

/** A record with its partition. */
export interface RoutedRecord {
  readonly partition: number;
  readonly value: Buffer;
}

export const modelName = (i: number): string => `model-${i}`;
export const versionName = (i: number): string => `v${i + 1}`;
/** That of a rollout's first step (aState). */
export const GENERATION = 2;
const LATENCY_MS_MIN = 5;
const LATENCY_MS_MAX = 150;
const FAILED = 0.02;
/** Routers look at their buckets so often. */
const STEP_MS = 5;

interface Pending {
  readonly bucket: Bucket;
  readonly arm: number;
  readonly routedAtMs: number;
  readonly latencyMs: number;
}

/**
 * What routers write, from their own cutter and their own texts, in the order of a simulated clock: users come at random
 * to random models, and answers take 5 to 150 ms.
 */
export function* routerRecords(options: RoutersOptions): Generator<RoutedRecord> {
  const { models, versions, routers, seed } = options;
  const random = seededRandom(seed);
  const names = Array.from({ length: versions }, (_, i) => versionName(i));
  const routings = Array.from({ length: models }, (_, i) => ({ model: modelName(i), generation: GENERATION, versions: names })); // prettier-ignore
  const all = Array.from({ length: routers }, (_, i) => new SyntheticRouter(i, routings, options, random));
  const perStep = (options.predictionsPerSecond * STEP_MS) / 1000;
  let [routed, due] = [0, 0];
  for (let step = 0; routed < options.outcomes || all.some((router) => router.isBusy); step++) {
    const nowMs = options.fromMs + step * STEP_MS;
    for (due += perStep; due >= 1 && routed < options.outcomes; due--, routed++)
      all[Math.floor(random() * routers)]!.route(nowMs);
    if (routed === options.outcomes) for (const router of all) router.cutAll(nowMs);
    for (const router of all) yield* router.step(nowMs);
  }
}

class SyntheticRouter {
  private readonly cutter: BucketCutter;
  private readonly name: string;
  private readonly prefixes: readonly (readonly string[])[];
  private readonly sequences: number[];
  /** Answers by the step they come in. */
  private readonly answers = new Map<number, Pending[]>();
  private readonly stableShare: number;
  private counter = 0;

  constructor(
    index: number,
    private readonly routings: readonly BucketRouting[],
    { partitions, stableShare }: RoutersOptions,
    private readonly random: () => number,
  ) {
    this.name = `router-${index}-${'5f0c2ab98d3e7741'.slice(index % 8)}${'0'.repeat(index % 8)}`;
    this.stableShare = stableShare;
    this.cutter = new BucketCutter(index, partitions);
    this.sequences = new Array<number>(partitions).fill(0);
    this.prefixes = routings.map(({ model, generation, versions }) =>
      versions.map((version) => outcomePrefix({ model, version, generation, router: this.name })),
    );
  }

  get isBusy(): boolean {
    return this.cutter.liveBuckets > 0 || this.answers.size > 0;
  }

  route(nowMs: number): void {
    const { random } = this;
    const routing = this.routings[Math.floor(random() * this.routings.length)]!;
    const others = routing.versions.length - 1;
    const arm = others === 0 || random() < this.stableShare ? 0 : 1 + Math.floor(random() * others);
    const bucket = this.cutter.route(routing, { intended: arm, routed: arm }, { monotonicMs: nowMs, wallMs: nowMs });
    const latencyMs = LATENCY_MS_MIN + random() * (LATENCY_MS_MAX - LATENCY_MS_MIN);
    const step = Math.ceil((nowMs + latencyMs) / STEP_MS);
    const answers = this.answers.get(step) ?? [];
    this.answers.set(step, answers);
    answers.push({ bucket, arm, routedAtMs: nowMs, latencyMs });
  }

  cutAll(nowMs: number): void {
    this.cutter.cutAll(nowMs);
  }

  *step(nowMs: number): Generator<RoutedRecord> {
    const step = nowMs / STEP_MS;
    const answers = this.answers.get(Math.floor(step)) ?? [];
    this.answers.delete(Math.floor(step));
    for (const pending of answers) {
      yield this.outcome(pending);
      const final = this.cutter.settle(pending.bucket, pending.arm, nowMs);
      if (final) yield this.bucketRecord(final);
    }
    if (nowMs < this.cutter.nextAtMs) return;
    for (const snapshot of this.cutter.advance(nowMs)) yield this.bucketRecord(snapshot);
  }

  private outcome({ bucket, arm, routedAtMs, latencyMs }: Pending): RoutedRecord {
    const { random } = this;
    const failed = random() < FAILED;
    const { partition } = bucket;
    const model = this.routings.indexOf(bucket.routing);
    const text = outcomeText(this.prefixes[model]![arm]!, partition, this.sequences[partition]!++, {
      predictionId: String(this.counter++).padStart(PREDICTION_ID_LENGTH, 'A'),
      bucket: bucket.number,
      unit: Math.floor(random() * 64),
      routedAtMs,
      latencyMs,
      status: failed ? 'error' : 'ok',
      httpStatus: failed ? 503 : 200,
      prediction: String(Math.floor(random() * 10)),
    });
    return { partition, value: Buffer.from(text) };
  }

  private bucketRecord(snapshot: Parameters<typeof bucketText>[2]): RoutedRecord {
    const { partition } = snapshot;
    return { partition, value: Buffer.from(bucketText(this.name, this.sequences[partition]!++, snapshot)) };
  }
}
