import { describe, expect, it } from 'vitest';
import { type Bucket, BucketCutter, type BucketRouting, type BucketSnapshot, type Instant } from './bucket-cutter.js';

const STABLE = 0;
const CANARY = 1;
const START_WALL_MS = 1_795_000_000_000;
const two: BucketRouting = { model: 'digits', generation: 3, versions: ['v1', 'v2'] };
const one: BucketRouting = { model: 'digits', generation: 3, versions: ['v1'] };
const at = (ms: number): Instant => ({ monotonicMs: ms, wallMs: START_WALL_MS + ms });

class Router {
  readonly cutter = new BucketCutter(5, 12);
  readonly records: BucketSnapshot[] = [];
  private readonly sent: { bucket: Bucket; arm: number }[] = [];

  send(arms: readonly number[], ms: number, routing = two): Bucket {
    let bucket!: Bucket;
    for (const arm of arms) {
      bucket = this.cutter.route(routing, { intended: arm, routed: arm }, at(ms));
      this.sent.push({ bucket, arm });
    }
    return bucket;
  }
  finish(howMany: number, ms: number): void {
    for (const { bucket, arm } of this.sent.splice(0, howMany)) {
      const record = this.cutter.settle(bucket, arm, ms);
      if (record) this.records.push(record);
    }
  }
  look(ms: number): readonly BucketSnapshot[] {
    const records = this.cutter.advance(ms);
    this.records.push(...records);
    return records;
  }
}

const nineAndOne = [...new Array<number>(9).fill(STABLE), CANARY];

describe('cutting a bucket', () => {
  it('waits for 100 ms even when everything else is there', () => {
    const router = new Router();
    router.send(nineAndOne, 0);
    router.finish(10, 5);
    expect(router.look(99)).toHaveLength(0);
    expect(router.cutter.nextAtMs).toBe(100);
    expect(router.look(100)).toHaveLength(1);
  });

  it('waits for ten predictions', () => {
    const router = new Router();
    router.send(nineAndOne.slice(1), 0);
    expect(router.look(500)).toHaveLength(0);
    expect(router.cutter.nextAtMs).toBe(60_000);
    router.send([STABLE], 600);
    expect(router.cutter.nextAtMs).toBe(100);
    router.finish(10, 601);
    expect(router.look(601)).toMatchObject([{ routedToMs: START_WALL_MS + 601 }]);
  });

  it('waits for one prediction of each arm', () => {
    const router = new Router();
    router.send(new Array<number>(50).fill(STABLE), 0);
    expect(router.look(5000)).toHaveLength(0);
    router.send([CANARY], 5001);
    router.finish(51, 5002);
    expect(router.look(5002)).toHaveLength(1);
  });

  it('waits no longer than 60 s for that', () => {
    const router = new Router();
    router.send([STABLE], 0);
    router.finish(1, 1);
    expect(router.look(59_999)).toHaveLength(0);
    expect(router.look(60_000)).toMatchObject([{ final: true, versions: { v1: { routed: 1 }, v2: { routed: 0 } } }]);
  });

  it('waits 10 s at most when only one version has weight, and needs no second arm', () => {
    const router = new Router();
    router.send([STABLE], 0, one);
    router.finish(1, 1);
    expect(router.look(9999)).toHaveLength(0);
    expect(router.look(10_000)).toHaveLength(1);
    router.send(new Array<number>(10).fill(STABLE), 20_000, one);
    router.finish(10, 20_001);
    expect(router.look(20_100)).toHaveLength(1);
  });

  it('happens at once when the generation changes, by what is routed next or by being told', () => {
    const router = new Router();
    const before = router.send([STABLE, CANARY], 0);
    const after = router.send([STABLE], 10, { ...two, generation: 4 });
    expect([before.number, after.number]).toEqual([0, 1]);
    router.finish(2, 11);
    router.cutter.cutModel('digits', 12);
    router.finish(1, 12);
    expect(router.records).toMatchObject([
      { number: 0, routing: { generation: 3 }, final: true },
      { number: 1, routing: { generation: 4 }, final: true },
    ]);
  });

  it('happens on the way when a stalled router routes on: no bucket grows past its time', () => {
    const router = new Router();
    const before = router.send([STABLE], 0);
    const after = router.send([STABLE], 70_000);
    expect(after.number).toBe(before.number + 1);
  });

  it('never asks how predictions ended', () => {
    const ended = new Router();
    const hanging = new Router();
    for (const router of [ended, hanging]) router.send(nineAndOne, 0);
    ended.finish(10, 1);
    expect(ended.look(100)).toHaveLength(1);
    hanging.look(100);
    hanging.finish(10, 130);
    expect(hanging.records[0]).toMatchObject({ routedToMs: ended.records[0]!.routedToMs });
  });

  it('keeps one open bucket a model, and numbers them over all models', () => {
    const router = new Router();
    const numbers = ['a', 'b', 'a', 'c'].map((model) => router.send([STABLE], 0, { ...two, model }).number);
    expect(numbers).toEqual([0, 1, 0, 2]);
  });

  it('fixes the partition by the router and the number', () => {
    const router = new Router();
    const partitions = ['a', 'b', 'c'].map((model) => router.send([STABLE], 0, { ...two, model }).partition);
    expect(partitions).toEqual([5, 6, 7]);
    expect(new BucketCutter(0xffff_ffff, 12).route(two, { intended: 0, routed: 0 }, at(0)).partition).toBe(3);
  });
});

describe('bucket records', () => {
  const hanging = (): Router => {
    const router = new Router();
    router.send(nineAndOne, 0);
    router.finish(9, 20);
    router.look(100);
    return router;
  };

  it('has age 0 and no age before it when the bucket was final at the cut', () => {
    const router = new Router();
    router.send(nineAndOne, 0);
    router.finish(10, 20);
    router.look(107);
    expect(router.records).toMatchObject([{ ageMs: 0, previousAgeMs: 0, final: true }]);
    expect(router.cutter.liveBuckets).toBe(0);
    expect(router.cutter.nextAtMs).toBe(Infinity);
  });

  it('come 50 ms, 250 ms, 1 s, 4 s, 16 s, 64 s after the cut while something is pending', () => {
    const router = hanging();
    const seen: number[] = [];
    for (let guard = 0; guard < 6; guard++) {
      const nowMs = router.cutter.nextAtMs;
      expect(router.look(nowMs - 1)).toHaveLength(0);
      seen.push(router.look(nowMs)[0]!.ageMs);
    }
    expect(seen).toEqual([50, 250, 1000, 4000, 16_000, 64_000]);
    expect(router.records.map((r) => r.previousAgeMs)).toEqual([0, 50, 250, 1000, 4000, 16_000]);
    expect(router.records.every((r) => !r.final && r.versions['v2']!.pending === 1)).toBe(true);
  });

  it('ends with a final one at the moment the last outcome is out', () => {
    const router = hanging();
    router.look(150);
    router.finish(1, 190);
    router.look(350);
    expect(router.records.map((r) => [r.ageMs, r.previousAgeMs, r.final])).toEqual([
      [50, 0, false],
      [90, 50, true],
    ]);
  });

  it('says the age it really has when the router looks late, once, and skips the ages gone by', () => {
    const router = hanging();
    router.look(1400);
    expect(router.records.map((r) => r.ageMs)).toEqual([1300]);
    expect(router.cutter.nextAtMs).toBe(100 + 4000);
  });

  it('counts what the hash said beside what was sent', () => {
    const { cutter } = new Router();
    for (let i = 0; i < 10; i++) cutter.route(two, { intended: CANARY, routed: i % 2 }, at(0));
    cutter.advance(100);
    expect(cutter.advance(150)[0]!.versions).toEqual({
      v1: { routed: 5, intended: 0, pending: 5, dropped: 0 },
      v2: { routed: 5, intended: 10, pending: 5, dropped: 0 },
    });
  });

  it('counts outcomes that were lost before the final record, whether the bucket was open or cut', () => {
    const router = new Router();
    const bucket = router.send(nineAndOne, 0);
    router.finish(8, 20);
    router.cutter.drop(bucket.number, STABLE, 'digits');
    router.look(100);
    router.cutter.drop(bucket.number, STABLE, 'digits');
    router.cutter.drop(bucket.number + 1, STABLE, 'digits');
    router.finish(2, 120);
    router.cutter.drop(bucket.number, STABLE, 'digits');
    expect(router.records).toMatchObject([{ final: true, versions: { v1: { dropped: 2 }, v2: { dropped: 0 } } }]);
  });

  it('are all out after cutAll and the last outcome: closing loses no bucket', () => {
    const router = new Router();
    router.send([STABLE], 0);
    router.send([CANARY], 0, { ...two, model: 'other' });
    router.cutter.cutAll(10);
    router.finish(2, 20);
    expect(router.records.filter((r) => r.final)).toHaveLength(2);
    expect(router.cutter.liveBuckets).toBe(0);
  });
});
