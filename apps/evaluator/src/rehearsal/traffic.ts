import { sketchBin } from '../domain/sketch.js';
import { CellCounter } from '../domain/slot/cell-counter.js';
import {
  type ArmCounts,
  type BucketSummary,
  CELL_CLASS,
  type CellClass,
  cellKey,
  NO_CELLS,
} from '../domain/summary.js';
import { type GivenLabel, type LabelModel, Labels } from './labels.js';
import { exponential, type Random, Weighted } from './sampling.js';

/** How one version behaves. Times are seconds since the rollout began (negative before it). */
export interface ArmModel {
  /** Chance that a prediction fails; `propensity` is 1 on average, and the user's own in sticky scenarios. */
  errorRate(atS: number, propensity: number): number;
  latencyMs(random: Random, atS: number, failed: boolean): number;
  /** Chance that an answer is wrong. */
  wrongRate(atS: number): number;
  readonly labels: LabelModel;
}

export interface TrafficModel {
  /** Predictions per second of all users. */
  rate(atS: number): number;
  /** Largest value of rate(): arrivals are thinned from it. */
  readonly rateMax: number;
  readonly routers: number;
  readonly stable: ArmModel;
  readonly canary: ArmModel;
  /** Users that come back and keep their version; absent: every prediction is another user's. */
  readonly users?: readonly User[];
}

export interface User {
  readonly activity: number;
  /** Factor on the error rate. */
  readonly propensity: number;
  /** Place in [0, 1) that decides the version: canary below its weight. */
  readonly place: number;
  readonly group: number;
  /** False: no prediction of theirs is ever labelled. */
  readonly labels?: boolean;
}

/** A summary at the log time of the record that makes it. */
export interface Timed<T> {
  readonly atMs: number;
  readonly partition: number;
  readonly value: T;
}

/** Ages at which a bucket's records follow its cut, while something is pending. */
const RECORD_AGES_MS = [50, 250, 1_000, 4_000, 16_000];
const BUCKET_MS = 100;
const BUCKET_LEAST = 10;
const BUCKET_LONGEST_MS = 60_000;
const ONE_VERSION_LONGEST_MS = 10_000;
/** From a router's writing of a record to its log time. */
export const TRANSPORT_MS = 5;

/** One prediction as its router sends it. */
export interface PredictionMade {
  readonly router: number;
  readonly bucket: number;
  readonly generation: number;
  readonly canary: boolean;
  readonly group: number;
  readonly routedMs: number;
  readonly latencyMs: number;
  readonly failed: boolean;
}

/** Hears what is written to the topics. */
export interface TrafficListener {
  prediction?(prediction: PredictionMade): void;
  /** Each bucket record, as the summary that a slot makes of it. Not in order of time. */
  bucket(record: Timed<BucketSummary>): void;
  /** Each label of a generation that counts, late ones too. */
  label?(label: GivenLabel): void;
}

interface Event {
  readonly canary: boolean;
  readonly key: number;
  readonly doneMs: number;
}

interface OpenBucket {
  readonly number: number;
  readonly generation: number;
  readonly openedMs: number;
  readonly events: Event[];
  canary: number;
}

/** Makes predictions and what the routers and slots would make of them, in order of time. */
export class Traffic {
  private nextMs: number;
  private readonly open: (OpenBucket | null)[];
  private bucketNumber = 0;
  private generation = 0;
  private weight = 0;
  private readonly chooser: Weighted | null;
  /** Predictions sent to the canary so far. */
  canarySent = 0;
  sent = 0;
  readonly labels: Labels;

  constructor(
    private readonly model: TrafficModel,
    private readonly random: Random,
    /** When the rollout begins, ms of log time. */
    private readonly beginMs: number,
    fromMs: number,
    labelsWithinMs: number | null,
    private readonly listener: TrafficListener,
  ) {
    this.nextMs = fromMs;
    this.open = Array.from({ length: model.routers }, () => null);
    this.chooser = model.users ? new Weighted(model.users.map(({ activity }) => activity)) : null;
    this.labels = new Labels(labelsWithinMs, listener);
  }

  /** Another routing from now on: all open buckets are cut. */
  route(generation: number, weight: number, nowMs: number): void {
    for (let router = 0; router < this.open.length; router++) this.cut(router, nowMs);
    this.generation = generation;
    this.weight = weight;
    this.labels.follow(generation);
  }

  /** Sends everything up to a time. */
  until(endMs: number): void {
    const { random, model } = this;
    while (this.nextMs < endMs) {
      const atMs = this.nextMs;
      this.nextMs += exponential(random, 1000 / model.rateMax);
      this.cutDue(atMs);
      if (random() * model.rateMax < model.rate((atMs - this.beginMs) / 1000)) this.predict(atMs);
    }
    this.cutDue(endMs);
  }

  private predict(atMs: number): void {
    const { random, model } = this;
    const router = model.routers === 1 ? 0 : Math.floor(random() * model.routers);
    const user = this.chooser ? model.users![this.chooser.draw(random)]! : null;
    const canary = (user ? user.place : random()) < this.weight;
    const group = user ? user.group : Math.floor(random() * 64);
    const arm = canary ? model.canary : model.stable;
    const atS = (atMs - this.beginMs) / 1000;
    const failed = random() < arm.errorRate(atS, user?.propensity ?? 1);
    const latencyMs = arm.latencyMs(random, atS, failed);
    const cellClass: CellClass = failed ? CELL_CLASS.error : CELL_CLASS.ok;
    const bucket = (this.open[router] ??= this.openBucket(atMs));
    bucket.events.push({ canary, key: cellKey(group, cellClass, sketchBin(latencyMs)), doneMs: atMs + latencyMs });
    this.listener.prediction?.({
      router,
      bucket: bucket.number,
      generation: bucket.generation,
      canary,
      group,
      routedMs: atMs,
      latencyMs,
      failed,
    });
    this.sent++;
    if (canary) {
      bucket.canary++;
      this.canarySent++;
    }
    if (!failed && user?.labels !== false)
      this.labels.add(arm, {
        random,
        canary,
        group,
        atS,
        routedMs: atMs,
        openedMs: bucket.openedMs,
        doneMs: atMs + latencyMs,
      });
  }

  private openBucket(atMs: number): OpenBucket {
    const openedMs = Math.floor(atMs);
    return { number: this.bucketNumber++, generation: this.generation, openedMs, events: [], canary: 0 };
  }

  /** Cuts by the clock and by routed counts, never by an outcome. */
  private cutDue(nowMs: number): void {
    for (let router = 0; router < this.open.length; router++) {
      const bucket = this.open[router];
      if (!bucket) continue;
      const ageMs = nowMs - bucket.openedMs;
      if (ageMs < BUCKET_MS) continue;
      const oneVersion = this.weight === 0 || this.weight === 1;
      const both = oneVersion || (bucket.canary > 0 && bucket.canary < bucket.events.length);
      const longest = oneVersion ? ONE_VERSION_LONGEST_MS : BUCKET_LONGEST_MS;
      if ((bucket.events.length >= BUCKET_LEAST && both) || ageMs >= longest) this.cut(router, nowMs);
    }
  }

  private cut(router: number, nowMs: number): void {
    const bucket = this.open[router];
    this.open[router] = null;
    if (!bucket) return;
    const events = bucket.events.sort((a, b) => a.doneMs - b.doneMs);
    const lastMs = events[events.length - 1]!.doneMs;
    const cells = [new CellCounter(), new CellCounter()];
    const routed = [events.length - bucket.canary, bucket.canary];
    let received = 0;
    let previousAgeMs = 0;
    const record = (ageMs: number): void => {
      for (; received < events.length && events[received]!.doneMs <= nowMs + ageMs; received++)
        cells[events[received]!.canary ? 1 : 0]!.add(events[received]!.key);
      const final = received === events.length;
      const versions: Record<string, ArmCounts> = {};
      if (routed[0]! > 0) versions['v1'] = armCounts(routed[0]!, cells[0]!);
      if (routed[1]! > 0) versions['v2'] = armCounts(routed[1]!, cells[1]!);
      const { generation, number, openedMs } = bucket;
      const at = {
        generation,
        router: `router-${router}`,
        bucket: number,
        routedFrom: openedMs,
        routedTo: Math.floor(nowMs),
      };
      const value: BucketSummary = { kind: 'bucket', model: 'm', ...at, ageMs, previousAgeMs, final, versions };
      this.listener.bucket({ atMs: nowMs + ageMs + TRANSPORT_MS, partition: router, value });
      previousAgeMs = ageMs;
    };
    const finalAgeMs = Math.max(0, lastMs - nowMs);
    for (const ageMs of RECORD_AGES_MS) if (ageMs < finalAgeMs) record(ageMs);
    record(finalAgeMs);
  }
}

function armCounts(routed: number, counter: CellCounter): ArmCounts {
  return { routed, intended: routed, pending: routed - counter.total, cells: counter.cells(), firstByte: NO_CELLS };
}
