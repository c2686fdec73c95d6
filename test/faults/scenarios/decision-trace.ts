import { readFileSync } from 'node:fs';
import {
  type BucketRecord,
  bucketCodec,
  type BusFollower,
  type BusRecord,
  cloudEventData,
  type Decision,
  decisionCodec,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import type { FaultWorld } from '../world/fault-world.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { comesTrue } from '../world/settle.js';

/** Where the time from a fault to weight 0 at every router went, ms. The parts sum to the total. */
export interface TracedDecision {
  readonly total: number;
  /** Until the last prediction that was needed had been routed. */
  readonly evidence: number;
  /** Until its bucket's record stood in the log. */
  readonly bucket: number;
  /** Until the verdict was given. */
  readonly verdict: number;
  /** Until the decision was made. */
  readonly decision: number;
  /** Until the last router had it. */
  readonly spread: number;
  /** The decision's code. */
  readonly reason: string;
}

interface Placed<T> {
  readonly value: T;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
}

/** Reads along what becomes of one model, as it comes: the topics by their records' times, the routers by their logs. */
export class DecisionTrace {
  private readonly buckets: Placed<BucketRecord>[] = [];
  private readonly verdicts: Placed<Verdict>[] = [];
  private readonly decisions: Placed<Decision>[] = [];
  private readonly followers: readonly BusFollower[];

  constructor(
    private readonly world: FaultWorld,
    private readonly model: string,
  ) {
    const { bus, topics } = world;
    const follow = <T extends { readonly model: string }>(
      topic: string,
      codec: { decode(bytes: Buffer | null): { ok: true; value: T } | { ok: false } },
      into: Placed<T>[],
    ): BusFollower =>
      bus.follower({
        topics: [topic],
        readCommitted: true,
        onBatch: ({ partition, records }) => {
          for (const record of records) this.take(record, partition, codec, into);
        },
      });
    this.followers = [
      follow(topics.outcome, bucketCodec, this.buckets),
      follow(topics.verdict, verdictCodec, this.verdicts),
      follow(topics.decision, decisionCodec, this.decisions),
    ];
  }

  async close(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.close()));
  }

  /** Whether every router has a generation of the model, or a newer one. */
  routersAt(generation: number): boolean {
    return this.routerTimes(generation).length === this.world.of('router').length;
  }

  /** Waits until a rollout is over everywhere, and says where the time since the fault went. */
  async ended(rollout: string, faultMs: () => number | Promise<number>, withinMs: number): Promise<TracedDecision> {
    const find = (): Placed<Decision> | undefined =>
      this.decisions.find(({ value }) => value.rollout === rollout && value.action === 'rolled-back');
    const isOver = async (): Promise<boolean> => {
      const decision = find();
      return decision !== undefined && this.routersAt(decision.value.generation);
    };
    if (!(await comesTrue(isOver, withinMs)))
      throw new Error(`${rollout} was not rolled back within ${withinMs / 1000} s`);
    await Promise.all(this.followers.map((follower) => follower.caughtUp()));
    return this.split(find()!, await faultMs());
  }

  /** How long routers served different generations, by generation. */
  apartMs(): readonly number[] {
    const logs = this.world.of('router').map((slot) => this.weightsOf(slot));
    return logs[0]!.flatMap(({ generation }) => {
      const times = logs.flatMap((log) => log.find((weights) => weights.generation >= generation)?.atMs ?? []);
      return times.length === logs.length ? [Math.max(...times) - Math.min(...times)] : [];
    });
  }

  private split(decision: Placed<Decision>, faultMs: number): TracedDecision {
    const { cause, reason } = decision.value;
    const verdictId = cause.kind === 'verdict' ? cause.verdictId : '';
    const verdict = this.verdicts.find(({ value }) => value.verdictId === verdictId)!;
    const { generation, cut } = verdict.value;
    const { outcome } = cut.positions;
    const counted = this.buckets.filter(
      ({ value, partition, offset }) => value.generation === generation && offset < (outcome[partition] ?? 0),
    );
    const last = counted.reduce((a, b) => (b.timestampMs > a.timestampMs ? b : a));
    const routedMs = Math.max(faultMs, Math.min(last.value.routedTo, last.timestampMs));
    const spreadMs = Math.max(...this.routerTimes(decision.value.generation));
    const times = [faultMs, routedMs, last.timestampMs, verdict.timestampMs, decision.timestampMs, spreadMs];
    const [evidence, bucket, given, decided, spread] = times.slice(1).map((time, i) => time - times[i]!);
    return {
      total: spreadMs - faultMs,
      evidence: evidence!,
      bucket: bucket!,
      verdict: given!,
      decision: decided!,
      spread: spread!,
      reason: reason.code,
    };
  }

  /** When each router took the generation, by its log. */
  private routerTimes(generation: number): readonly number[] {
    return this.world
      .of('router')
      .flatMap((slot) => this.weightsOf(slot).find((weights) => weights.generation >= generation)?.atMs ?? []);
  }

  private weightsOf({ logFile }: ServiceSlot): readonly { readonly generation: number; readonly atMs: number }[] {
    return readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((text) => text.includes('"msg":"weights"'))
      .map((text) => JSON.parse(text) as { time: string; model: string; generation: number })
      .filter(({ model }) => model === this.model)
      .map(({ time, generation }) => ({ generation, atMs: Date.parse(time) }));
  }

  private take<T extends { readonly model: string }>(
    { value, headers, offset, timestampMs }: BusRecord,
    partition: number,
    codec: { decode(bytes: Buffer | null): { ok: true; value: T } | { ok: false } },
    into: Placed<T>[],
  ): void {
    const decoded = codec.decode(cloudEventData(value, headers ?? {}));
    if (decoded.ok && decoded.value.model === this.model)
      into.push({ value: decoded.value, partition, offset, timestampMs });
  }
}
