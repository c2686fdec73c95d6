import { verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { BEGIN_MS, EngineRun, type Load, specOf, usualLatencyMs } from '../../../../../test/fixtures/engine-run.js';
import { armOf, bucketOf, cellsOf } from '../../../../../test/fixtures/summaries.js';
import type { Judgement } from '../engine.js';
import type { BucketSummary, Summary } from '../summary.js';
import { createModelEngine, decodeModelEngine, type VerdictEngine } from './model-engine.js';

const stable = { n: 45, errorShare: 0.02 };
const good: Load = { stable, canary: { n: 5, errorShare: 0.02 } };
const half: Load = { stable: { n: 25, errorShare: 0.02 }, canary: { n: 25, errorShare: 0.02 } };
const begun = (changes: Parameters<typeof specOf>[0] = {}): EngineRun =>
  new EngineRun(specOf(changes)).baseline().enter(0);
const said = ({ result, reason }: Judgement): string => `${result} ${reason.code}`;

describe('a rollout', () => {
  it('passes step by step when the canary is as good, and says what it passed', () => {
    const run = begun().traffic(200, good);
    expect(said(run.judgements.find(({ result }) => result === 'pass')!)).toBe('pass passed');
    run.enter(2).traffic(60, half);
    expect(said(run.last)).toBe('pass passed');
    expect(run.last.step).toBe(2);
    expect(run.last.reason.text).toMatch(
      /every check is within its limit after [\d,]+ canary predictions: error rate is/,
    );
    run.enter(3).traffic(15, { canary: { n: 50, errorShare: 0.02 } });
    expect(said(run.last)).toBe('continue min-duration');
    run.traffic(10, { canary: { n: 50, errorShare: 0.02 } });
    expect(said(run.last)).toBe('pass bake-complete');
  });

  it('fails for errors, with the numbers in the text, and stays failed', () => {
    const run = begun().traffic(60, { stable, canary: { n: 5, errorShare: 0.2 } });
    expect(said(run.last)).toBe('fail errors-too-many');
    expect(run.last.checks[0]).toMatchObject({ check: 'errorRate', result: 'fail', limit: 0.02 });
    expect(run.last.reason.text).toMatch(
      /error rate is [\d.]+ % \(n [\d,]+\) against [\d.]+ % .* limit \+2 \(evidence over a million to 1/,
    );
    run.traffic(60, good);
    expect(said(run.last)).toBe('fail errors-too-many');
  });

  it('fails within a second when the canary fails everything', () => {
    const run = begun()
      .traffic(30, good)
      .traffic(1, { stable, canary: { n: 5, errorShare: 1 } });
    expect(run.last.result).toBe('fail');
    expect(run.last.reason.text).toContain('to 1');
  });

  it('is rolled back for latency though it is more accurate, and says both', () => {
    const slow = { n: 5, errorShare: 0.02, wrongShare: 0.02, latencyMs: (u: number) => 1.5 * usualLatencyMs(u) };
    const run = begun({ checks: { ...specOf().checks, errorRate: { maxIncrease: 0.02, max: 0.5, strict: false } } });
    run.traffic(100, { stable: { ...stable, wrongShare: 0.1 }, canary: slow });
    expect(said(run.last)).toBe('fail latency-too-slow');
    expect(run.last.reason.text).toMatch(
      /^accuracy is higher by 8.42 points \(98.2 % against 89.8 %\), but p50 latency is 60 ms against 40 ms .*limit x1\.2 or \+[\d.]+ ms/,
    );
  });

  it('says that it is more accurate so far when latency is decided before enough labels have come', () => {
    const latencyMs = (u: number): number => 4 * usualLatencyMs(u);
    const run = begun({ checks: { ...specOf().checks, errorRate: { maxIncrease: 0.02, max: 0.5, strict: false } } });
    run.traffic(8, {
      stable: { ...stable, wrongShare: 0.16 },
      canary: { n: 5, errorShare: 0.02, wrongShare: 0.1, latencyMs },
    });
    expect(said(run.last)).toBe('fail latency-too-slow');
    expect(run.last.reason.text).toMatch(
      /^accuracy is higher so far by [\d.]+ points \([\d.]+ % against [\d.]+ %\), of [\d,]+ labels and not beyond doubt \[-[\d.]+, \+[\d.]+\], but p\d\d latency is/,
    );
  });

  it('fails for accuracy from labels that are mature', () => {
    const run = begun().traffic(60, { stable, canary: { n: 5, errorShare: 0.02, wrongShare: 0.4 } });
    expect(said(run.last)).toBe('fail accuracy-too-low');
    const [first] = run.last.checks;
    expect(first).toMatchObject({ check: 'accuracy', limit: -0.05, result: 'fail' });
    expect(first!.difference!).toBeLessThan(-0.05);
  });

  it('fails in the bake, where there is no control', () => {
    const run = begun()
      .traffic(60, good)
      .enter(3)
      .traffic(5, { canary: { n: 50 } });
    run.traffic(1, { canary: { n: 50, errorShare: 1 } });
    expect(said(run.last)).toBe('fail ceiling-exceeded');
  });

  it('is held in the bake when the canary drifts from what control was', () => {
    const run = begun()
      .traffic(60, good)
      .enter(3)
      .traffic(19, { canary: { n: 50, errorShare: 0.12 } });
    expect(said(run.last)).toBe('hold bake-drift');
    expect(run.last.reason.text).toMatch(
      /1,166 of 9,500 predictions \(12.3 %\) failed, and [\d.]+ % would be within the limit/,
    );
  });

  it('judges on during a planned pause, which ends nothing but a bad canary', () => {
    const run = begun().traffic(200, good).enter(1).traffic(10, good);
    expect(said(run.last)).toBe('continue paused-by-plan');
    run.traffic(2, { stable, canary: { n: 5, errorShare: 1 } });
    expect(run.last.result).toBe('fail');
  });

  it('is inconclusive once the step’s time is over, and counts anew when a person resumes it', () => {
    const run = begun().traffic(590, { stable, canary: { n: 5, errorShare: 0.036 } });
    expect(said(run.last)).toBe('continue evidence-growing');
    run.traffic(15, { stable, canary: { n: 5, errorShare: 0.036 } });
    expect(said(run.last)).toBe('inconclusive step-time-over');
    run.resume().traffic(1, { stable, canary: { n: 5, errorShare: 0.036 } });
    expect(said(run.last)).toBe('continue evidence-growing');
  });

  it('fails for a latency above the most allowed, though within its ratio', () => {
    const latency = { p50: { maxRatio: 3, minIncreaseMs: 5, maxMs: 60 }, strict: false };
    const slow = { n: 5, latencyMs: (u: number) => 2 * usualLatencyMs(u) };
    const run = begun({ checks: { latency } }).traffic(20, { stable, canary: slow });
    expect(said(run.last)).toBe('fail ceiling-exceeded');
    expect(run.last.reason.text).toMatch(/^p50 latency of v2 is 8\d ms, above the most allowed, 60 ms/);
  });

  it('compares the time to the first byte where answers have one, and waits where they do not', () => {
    const firstByte = { p50: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false };
    const streams = (factor: number) => (s: Summary) => {
      const bucket = s as BucketSummary;
      const versions = Object.fromEntries(
        Object.entries(bucket.versions).map(([version, arm]) => {
          const slower = version === 'v2' ? factor : 1;
          const cells = Array.from({ length: arm.routed }, (_, i) => ({
            group: (bucket.bucket * 7 + i * 5) % 64,
            latencyMs: slower * usualLatencyMs(((bucket.bucket * 31 + i * 17) % 101) / 102),
          }));
          return [version, { ...arm, firstByte: cellsOf(cells) }];
        }),
      );
      return { ...bucket, versions };
    };
    const run = (factor: number) =>
      new EngineRun(specOf({ checks: { firstByte } }))
        .traffic(60, { stable, change: streams(factor) })
        .enter(0)
        .traffic(60, { ...good, change: streams(factor) });
    expect(said(run(1).last)).toBe('pass passed');
    expect(said(run(1.6).last)).toBe('fail latency-too-slow');
    expect(said(begun({ checks: { firstByte } }).traffic(60, good).last)).toBe('continue baseline-missing');
  });
});

describe('missing data never passes, and each kind has its own code', () => {
  const ready = (): EngineRun => begun({ steps: longSteps() }).traffic(200, good);

  it('is ready to pass without it', () => {
    expect(said(ready().last)).toBe('pass passed');
  });

  it('no labels at all', () => {
    const none = { labelledShare: 0 };
    const run = begun().traffic(120, { stable: { ...stable, ...none }, canary: { n: 5, errorShare: 0.02, ...none } });
    expect(said(run.last)).toBe('hold no-labels');
    expect(run.judgements.some(({ result }) => result === 'pass')).toBe(false);
  });

  it('no labels of the canary', () => {
    const run = begun().traffic(120, { stable, canary: { n: 5, errorShare: 0.02, labelledShare: 0 } });
    expect(said(run.last)).toBe('hold no-labels');
    expect(run.last.reason.text).toContain('of v2');
  });

  it('labels that are not old enough yet', () => {
    const run = begun({
      checks: { ...specOf().checks, accuracy: { maxDrop: 0.05, labelsWithinMs: 200_000, strict: false } },
    });
    run.traffic(180, good);
    expect(said(run.last)).toBe('continue labels-maturing');
  });

  it('labels that are missing on the canary alone are taken for wrong', () => {
    const run = begun().traffic(200, { stable, canary: { n: 5, errorShare: 0.02, labelledShare: 0.7, wrongShare: 0 } });
    expect(run.engine.evidence()!.accuracy!.coverage.differs).toBe(true);
    expect(run.judgements.some(({ result }) => result === 'pass')).toBe(false);
  });

  it('no canary traffic', () => {
    expect(said(ready().traffic(30, { stable }).last)).toBe('hold no-canary-traffic');
    expect(said(begun().traffic(30, { stable }).last)).toBe('hold no-canary-traffic');
  });

  it('no control traffic', () => {
    expect(said(ready().traffic(30, { canary: { n: 5 } }).last)).toBe('hold no-control-traffic');
  });

  it('no traffic', () => {
    expect(said(ready().traffic(30, {}).last)).toBe('hold no-traffic');
    expect(said(begun().traffic(30, {}).last)).toBe('hold no-traffic');
  });

  it('a partition that lags by a minute', () => {
    expect(said(ready().traffic(3, { ...good, outcomeLagsMs: [0, 60_000] }).last)).toBe('invalid stale');
    expect(said(ready().traffic(3, { ...good, labelLagsMs: [60_000] }).last)).toBe('invalid stale');
    expect(ready().traffic(3, { ...good, outcomeLagsMs: [0, 1_500] }).last.result).toBe('pass');
  });

  it('a partition without any record', () => {
    expect(said(ready().traffic(3, { ...good, outcomeLagsMs: [0, BEGIN_MS * 2] }).last)).toBe('invalid stale');
  });

  it('more than 5 % of the buckets lost', () => {
    let i = 0;
    const change = (s: Summary): Summary => (i++ % 10 === 0 ? lost(s as BucketSummary) : s);
    const run = begun().traffic(200, { ...good, change });
    expect(said(run.last)).toBe('invalid losses');
    expect(run.judgements.some(({ result }) => result === 'pass')).toBe(false);
    i = 1;
    expect(
      said(begun().traffic(200, { ...good, change: (s) => (i++ % 40 === 0 ? lost(s as BucketSummary) : s) }).last),
    ).toBe('pass passed');
  });

  it('a router that does not send users where they belong', () => {
    const change = (s: Summary): Summary => {
      const bucket = s as BucketSummary;
      const v2 = { ...bucket.versions['v2']!, intended: bucket.versions['v2']!.routed + 1 };
      return { ...bucket, versions: { ...bucket.versions, v2 } };
    };
    expect(said(begun().traffic(200, { ...good, change }).last)).toBe('invalid split-mismatch');
  });

  it('an outage both versions share', () => {
    const down = { errorShare: 1 };
    const run = ready().traffic(8, { stable: { n: 45, ...down }, canary: { n: 5, ...down } });
    expect(said(run.last)).toBe('hold both-failing');
  });

  it('no baseline yet', () => {
    const run = new EngineRun().enter(0).traffic(3, { stable: { n: 5 }, canary: { n: 5 } });
    expect(said(run.last)).toBe('continue baseline-missing');
  });

  it('too few predictions, too short a time, warming up', () => {
    expect(said(begun({ steps: longSteps(1_000_000) }).traffic(60, good).last)).toBe('continue min-predictions');
    expect(said(begun({ steps: longSteps(10, 500_000) }).traffic(300, good).last)).toBe('continue min-duration');
    const warm = begun({ warmup: { predictions: 10, durationMs: 30_000 } }).traffic(20, good);
    expect(said(warm.last)).toBe('continue warming-up');
    expect(warm.engine.evidence()!.errorsFinal!.n1).toBe(0);
    warm.traffic(1, { stable, canary: { n: 5, errorShare: 1 } });
    expect(said(warm.last)).toBe('fail ceiling-exceeded');
  });
});

describe('judgements', () => {
  it('are those of the verdict contract', () => {
    const run = begun().traffic(30, good);
    for (const judgement of run.judgements) {
      const verdict = {
        kind: 'verdict',
        schemaVersion: 1,
        verdictId: 'x',
        engineVersion: '1',
        model: 'digits',
        asOf: 1,
        cut: { owner: 0, number: 1, positions: { outcome: [1], label: [1] } },
        ...judgement,
      };
      expect(verdictCodec.decode(Buffer.from(JSON.stringify(verdict)))).toMatchObject({ ok: true });
    }
  });

  it('come when something has changed, and every two seconds as a sign of life', () => {
    const { accuracy, ...checks } = specOf().checks;
    expect(accuracy).toBeDefined();
    const run = begun({ checks }).traffic(20, good);
    const before = run.judgements.length;
    for (let i = 0; i < 8; i++) run.traffic(0.5, { stable: undefined });
    const quiet = run.judgements.length - before;
    expect(quiet).toBeGreaterThanOrEqual(1);
    expect(quiet).toBeLessThanOrEqual(3);
  });

  it('are none without an open rollout', () => {
    const run = new EngineRun().baseline();
    expect(run.judgements).toEqual([]);
    expect(run.engine.encode().length).toBeLessThan(2_500);
  });

  it('state the baseline once, in the first one', () => {
    const run = begun().traffic(5, good);
    expect(run.judgements[0]!.baseline).toMatchObject({
      errorsFinal: { n: 10_035 },
      latencyMs: { 'latency.p50': expect.closeTo(40, 0) as number },
    });
    expect(run.judgements.slice(1).every(({ baseline }) => baseline === undefined)).toBe(true);
  });

  it('say how long it will still take', () => {
    const run = begun().traffic(20, good);
    expect(said(run.last)).toBe('continue evidence-growing');
    const { predictionsToGo, minutesToGo } = run.last.forecast;
    expect(predictionsToGo).toBeGreaterThan(0);
    // 50 canary predictions a second.
    expect(minutesToGo).toBeCloseTo(predictionsToGo! / 3000, 0);
    expect(run.last.reason.text).toMatch(/about [\d,]+ canary predictions to go, .* at the present rate/);
  });

  it('ask for haste only while the canary fails', () => {
    const run = begun().traffic(20, good);
    expect(run.engine.urgent()).toBe(false);
    run.traffic(0.5, { stable, canary: { n: 1, errorShare: 1 } });
    expect(run.engine.urgent()).toBe(true);
  });

  it('ask for haste when a canary that is slow, and fails no more than stable, has come half of the way to FAIL', () => {
    const slow = { n: 5, errorShare: 0.02, latencyMs: (u: number) => 1.5 * usualLatencyMs(u) };
    const run = begun().traffic(20, good);
    while (run.last.evidence.lnE < run.last.evidence.lnLimit / 2) {
      expect(run.engine.urgent()).toBe(false);
      run.traffic(0.2, { stable, canary: slow });
    }
    expect(run.last.result).toBe('continue');
    expect(run.engine.urgent()).toBe(true);
  });
});

describe('the same records', () => {
  it('give the same bytes, also when the engine is packed and unpacked after every cut', () => {
    const script = (run: EngineRun, between: (run: EngineRun) => void): readonly [Buffer, string] => {
      for (let i = 0; i < 30; i++) {
        run.traffic(1, good);
        between(run);
      }
      run.enter(2).traffic(5, half);
      between(run);
      run.enter(3).traffic(3, { canary: { n: 50, errorShare: 0.3 } });
      return [run.engine.encode(), JSON.stringify(run.judgements)];
    };
    const [bytes, judgements] = script(begun(), () => undefined);
    const [again, same] = script(begun(), (run) => {
      run.engine = decodeModelEngine('digits', run.engine.encode());
    });
    expect(same).toBe(judgements);
    expect(again.equals(bytes)).toBe(true);
    expect(bytes.length).toBeLessThan(15_000);
  });

  it('give the same evidence in whatever order the outcomes of a bucket came', () => {
    const outcomes = Array.from({ length: 40 }, (_, i) => ({ group: i % 7, latencyMs: 10 + ((i * 37) % 100) }));
    const at = (order: typeof outcomes) =>
      bucketOf({ routedFrom: BEGIN_MS, versions: { v1: armOf(order), v2: armOf(order.slice(0, 9)) } });
    const there = at(outcomes);
    const back = at([...outcomes.slice(0, 9).reverse(), ...outcomes.slice(9).reverse()]);
    expect(back).toEqual(there);
  });
});

describe('nonsense', () => {
  it('never throws and never passes', () => {
    const run = begun().traffic(5, good);
    const { engine } = run;
    const before = said(run.last);
    for (const bad of [NaN, Infinity, -1, 1e300, 0.5]) {
      for (const field of ['routedFrom', 'routedTo', 'ageMs', 'previousAgeMs'] as const)
        foldAlone(engine, { ...bucketOf({ generation: 2, routedFrom: BEGIN_MS, versions: {} }), [field]: bad });
      for (const field of ['routed', 'intended', 'pending'] as const) {
        const arm = { ...armOf([]), [field]: bad };
        foldAlone(engine, bucketOf({ generation: 2, routedFrom: BEGIN_MS, versions: { v1: arm, v2: arm } }));
      }
      const share = { n: bad, wrong: bad, groupN: [], groupWrong: [] };
      foldAlone(engine, {
        kind: 'label-share',
        model: 'digits',
        generation: 2,
        stratum: bad,
        strataMs: 1000,
        stable: share,
        canary: share,
      });
    }
    foldAlone(engine, bucketOf({ generation: 99, routedFrom: BEGIN_MS, versions: { v9: armOf([]) } }));
    run.traffic(1, good);
    expect(said(run.last)).toBe(before);
    decodeModelEngine('digits', engine.encode());
  });

  it('of ten million predictions in a bucket is folded like any other', () => {
    const run = begun().traffic(5, good);
    const many = { keys: [10], counts: [10_000_000] };
    const arm = { ...armOf([]), routed: 10_000_000, intended: 10_000_000, cells: many };
    foldAlone(run.engine, bucketOf({ generation: 2, routedFrom: BEGIN_MS + 70_000, versions: { v1: arm, v2: arm } }));
    expect(Number.isFinite(run.engine.evidence()!.lnTotal())).toBe(true);
  });

  it('is no engine at all without a plan', () => {
    const engine = createModelEngine('digits');
    foldAlone(engine, bucketOf({ routedFrom: BEGIN_MS, versions: {} }));
    expect(engine.endCut()).toBeNull();
    expect(decodeModelEngine('digits', engine.encode()).endCut()).toBeNull();
  });
});

function foldAlone(engine: VerdictEngine, summary: Summary): void {
  engine.fold(summary);
}

function lost({ model, generation, router, bucket, routedFrom, versions }: BucketSummary): Summary {
  const routed = Object.fromEntries(Object.entries(versions).map(([version, arm]) => [version, arm.routed]));
  return { kind: 'left-out', model, generation, router, bucket, routedFrom, cause: 'lost', routed };
}

function longSteps(predictions = 100, durationMs = 10_000) {
  return [{ kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: { predictions, durationMs } }] as const;
}
