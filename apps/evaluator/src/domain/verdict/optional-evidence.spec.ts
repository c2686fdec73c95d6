import { binOfNumber, type CheckResult, type RolloutSpec, segmentOf, verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { EngineRun, type Load, specOf } from '../../../../../test/fixtures/engine-run.js';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import { cellsOf, type OutcomeSketch } from '../../../../../test/fixtures/summaries.js';
import type { ArmDetails } from '../arm-details.js';
import { CellCounter } from '../slot/cell-counter.js';
import { ValueTallies } from '../slot/value-tally.js';
import { type ArmCounts, type BucketSummary, CELL_CLASS, type LabelledArm, type Summary } from '../summary.js';
import { decodeModelEngine } from './model-engine.js';

type Random = () => number;
interface Told {
  readonly value?: number;
  readonly segment?: string;
  readonly bin?: number;
  readonly failed?: boolean;
  readonly latencyMs?: number;
}
/** What one prediction of a version is like. */
type Tell = (version: string, random: Random) => Told;

const stable = { n: 45 };
const canary = { n: 5 };
const ERRORS_ONLY = { errorRate: { maxIncrease: 0.02, max: 1, strict: false } } as const;
const said = ({ last }: EngineRun): string => `${last.result} ${last.reason.code}`;

/** Buckets of 45 and 5 predictions, each as `tell` has it. */
function told(tell: Tell, seed = 11): Load {
  const random = seededRandom(seed);
  const change = (summary: Summary): Summary => {
    const bucket = summary as BucketSummary;
    const versions = Object.entries(bucket.versions).map(([version, arm]): [string, ArmCounts] => {
      const predictions = Array.from({ length: arm.routed }, () => tell(version, random));
      return [version, armWith(arm, predictions, random)];
    });
    return { ...bucket, versions: Object.fromEntries(versions) };
  };
  return { stable, canary, change };
}

function armWith(arm: ArmCounts, predictions: readonly Told[], random: Random): ArmCounts {
  const values = new ValueTallies();
  const bins = new CellCounter();
  const bySegment = new Map<string, OutcomeSketch[]>();
  const all: OutcomeSketch[] = [];
  for (const { value, segment, bin, failed, latencyMs = 40 } of predictions) {
    const group = Math.floor(random() * 64);
    const outcome = { group, cellClass: failed ? CELL_CLASS.error : CELL_CLASS.ok, latencyMs };
    all.push(outcome);
    if (value !== undefined) values.add({ score: value }, group);
    if (bin !== undefined) bins.add((group << 14) | bin);
    if (segment !== undefined) bySegment.set(segment, [...(bySegment.get(segment) ?? []), outcome]);
  }
  const numbers = [...new Set([...bySegment.keys()].map(segmentOf))].sort((a, b) => a - b);
  const segments = numbers.map((segment) => {
    const names = [...bySegment.keys()].filter((name) => segmentOf(name) === segment);
    return { segment, name: names[0]!, cells: cellsOf(names.flatMap((name) => bySegment.get(name)!)) };
  });
  const cells = bins.cells();
  const names = new Map([...cells.keys].map((key) => [key & 16_383, `class ${key & 16_383}`]));
  const details: ArmDetails = {
    values: values.sums(),
    segments,
    predictions: cells.keys.length > 0 ? { cells, names } : null,
  };
  return { ...arm, cells: cellsOf(all), details };
}

const run = (changes: Partial<RolloutSpec>, load: Load): EngineRun =>
  new EngineRun(specOf({ checks: ERRORS_ONLY, ...changes })).traffic(30, load).enter(0).traffic(30, load);
const row = ({ last }: EngineRun, check: string, segment?: string): CheckResult | undefined =>
  last.checks.find((of) => of.check === check && (segment === undefined || of.segment === segment));

describe('a custom mean', () => {
  const custom = { score: { from: 'answer', source: '/score', worse: 'lower', limit: 0.05, minEffect: 0.05 } } as const;
  const checks = { ...ERRORS_ONLY, custom };
  const scores =
    (drop: number): Tell =>
    (version, random) => ({ value: random() - (version === 'v2' ? drop : 0) });

  it('that drops rolls back, with both means, the interval and the limit', () => {
    const failed = run({ checks }, told(scores(0.2)));
    expect(said(failed)).toBe('fail custom-beyond-limit');
    expect(failed.last.checks[0]).toMatchObject({
      check: 'custom.score',
      unit: 'number',
      result: 'fail',
      limit: -0.05,
    });
    expect(failed.last.reason.text).toMatch(
      /^mean score is 0\.\d+ \(n [\d,]+\) against 0\.\d+ \(n [\d,]+\), -0\.\d+ \[-0\.\d+, -0\.\d+\], limit -0\.05 \(evidence/,
    );
  });

  it('that is no worse passes, and a pass waits for it', () => {
    const passed = run({ checks }, told(scores(0)));
    expect(said(passed)).toBe('pass passed');
    expect(row(passed, 'custom.score')).toMatchObject({ gating: true, result: 'pass', predictionsToGo: 0 });
    const waiting = run(
      { checks: { ...checks, custom: { score: { ...custom.score, limit: 0.01, minEffect: 0.01 } } } },
      told(scores(0)),
    );
    expect(said(waiting)).toBe('continue evidence-growing');
    expect(waiting.last.reason.text).toContain('not yet sure enough of score; mean score is');
    expect(waiting.last.forecast.predictionsToGo).toBeGreaterThan(1_000);
  });

  it('that is nowhere in the answers holds, and says where it was looked for', () => {
    const held = run(
      { checks },
      told(() => ({})),
    );
    expect(said(held)).toBe('hold no-values');
    expect(held.last.reason.text).toContain('hold no number at /score');
  });
});

describe('drift of predictions', () => {
  const checks = { ...ERRORS_ONLY, drift: { allowance: 0.1 } };
  const classes =
    (share: number): Tell =>
    (version, random) => {
      if (version === 'v2' && random() < share) return { bin: 7 };
      return { bin: Math.floor(10 * random()) };
    };

  it('holds and never fails; the class that changed is named', () => {
    const held = run({ checks }, told(classes(0.2)));
    expect(said(held)).toBe('hold prediction-drift');
    expect(held.last.reason.text).toContain('class 7 is ');
    expect(row(held, 'predictionDrift')).toMatchObject({ gating: false, result: 'continue' });
    expect(held.judgements.every(({ result }) => result !== 'fail')).toBe(true);
  });

  it('within the allowance, or none at all, is no reason to hold', () => {
    for (const share of [0, 0.008]) expect(said(run({ checks }, told(classes(share))))).toBe('pass passed');
  });

  it('is seen in scores above the deciles of stable', () => {
    const prediction = { pointer: '/score', kind: 'number', tolerance: 0 } as const;
    const scores =
      (shift: number): Tell =>
      (version, random) => ({
        bin: binOfNumber(random() ** 2 + (version === 'v2' ? shift : 0)),
      });
    const held = run({ checks, prediction }, told(scores(0.15)));
    expect(said(held)).toBe('hold prediction-drift');
    expect(held.last.reason.text).toContain('above 0.');
    expect(said(run({ checks, prediction }, told(scores(0))))).toBe('pass passed');
  });
});

describe('segments', () => {
  const segments = { header: 'x-country', top: 3 };
  const countries = ['de', 'fr', 'us'];
  const country = (random: Random): string => (random() < 0.5 ? 'us' : countries[Math.floor(3 * random())]!);
  const faultIn =
    (bad: string, share: number): Tell =>
    (version, random) => {
      const segment = country(random);
      return { segment, failed: version === 'v2' && segment === bad ? random() < share : random() < 0.01 };
    };

  it('show a fault in one of them, and name it', () => {
    const failed = run({ segments }, told(faultIn('fr', 0.3)));
    expect(said(failed)).toBe('fail errors-too-many');
    expect(failed.last.checks[0]).toMatchObject({ check: 'errorRate', segment: 'x-country=fr', result: 'fail' });
    expect(failed.last.reason.text).toMatch(
      /^error rate of x-country=fr is [23]\d(\.\d)? % \(n \d+\) against [\d.]+ %/,
    );
  });

  it('let a fault of all traffic be told as such', () => {
    const everywhere: Tell = (version, random) => ({
      segment: country(random),
      failed: random() < (version === 'v2' ? 0.12 : 0.01),
    });
    const failed = run({ segments }, told(everywhere));
    expect(said(failed)).toBe('fail errors-too-many');
    expect(failed.last.checks[0]).not.toHaveProperty('segment');
  });

  it('show a canary that is slow in one of them, also where that is not the largest', () => {
    const latency = { p50: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false };
    const slowIn =
      (bad: string): Tell =>
      (version, random) => {
        const segment = country(random);
        const slow = version === 'v2' && segment === bad ? 1.7 : 1;
        return { segment, latencyMs: slow * 40 * Math.exp(random() - 0.5) };
      };
    const failed = run({ segments, checks: { ...ERRORS_ONLY, latency } }, told(slowIn('de')));
    expect(said(failed)).toBe('fail latency-too-slow');
    const shown = row(failed, 'latency.p50', 'x-country=de');
    expect(shown).toMatchObject({ unit: 'fraction', result: 'fail' });
    expect(failed.last.reason.text).toMatch(/^of x-country=de, \d+(\.\d)? % of the canary's predictions .* slower/);
  });

  it('change nothing for a good canary, and nothing when a flood of new names comes', () => {
    expect(said(run({ segments }, told(faultIn('none', 0))))).toBe('pass passed');
    let flood = 0;
    const flooded: Tell = (version, random) => {
      const segment = random() < 0.5 ? `flood-${flood++}` : country(random);
      return { segment, failed: version === 'v2' && segment === 'fr' ? random() < 0.3 : random() < 0.01 };
    };
    const load = told(faultIn('none', 0));
    const attacked = new EngineRun(specOf({ checks: ERRORS_ONLY, segments })).traffic(30, load).enter(0);
    attacked.traffic(10, load).traffic(30, told(flooded));
    expect(said(attacked)).toBe('fail errors-too-many');
    expect(attacked.last.checks[0]!.segment).toBe('x-country=fr');
    expect(flood).toBeGreaterThan(5_000);
    expect(attacked.engine.encode().length).toBeLessThan(40_000);
  });

  it('fail no honest canary', () => {
    const failed = Array.from({ length: 10 }, (_, seed) => {
      const strict = { errorRate: { ...ERRORS_ONLY.errorRate, strict: true } };
      const load = told((_version, random) => ({ segment: country(random), failed: random() < 0.05 }), seed + 1);
      return said(run({ segments, checks: strict }, load)).startsWith('fail');
    });
    expect(failed).not.toContain(true);
  });
});

describe('labels by segment and with numbers', () => {
  const custom = { revenue: { from: 'label', source: 'eur', worse: 'lower', limit: 1, minEffect: 1 } } as const;
  const checks = { accuracy: { maxDrop: 0.05, labelsWithinMs: 5_000, strict: false }, custom };
  const segments = { header: 'x-country', top: 2 };

  /** Shares of labels: half of each arm's from de, half from fr; `wrong` and `eur` by version and segment. */
  function share(stratum: number, arm: (version: string) => LabelledArm): Summary {
    const at = { model: 'digits', generation: 2, stratum, strataMs: 1_000 };
    return { kind: 'label-share', ...at, stable: arm('v1'), canary: arm('v2') };
  }

  function labelled(
    random: Random,
    n: number,
    tell: (segment: string) => { wrong: boolean; eur: number },
  ): LabelledArm {
    const groupN = new Array<number>(64).fill(0);
    const groupWrong = new Array<number>(64).fill(0);
    const values = new ValueTallies();
    const cells = new CellCounter();
    for (let i = 0; i < n; i++) {
      const segment = random() < 0.5 ? 'de' : 'fr';
      const { wrong, eur } = tell(segment);
      const group = Math.floor(random() * 64);
      groupN[group]!++;
      if (wrong) groupWrong[group]!++;
      values.add({ eur }, group);
      cells.add((segmentOf(segment) << 7) | (group << 1) | (wrong ? 1 : 0));
    }
    const wrong = groupWrong.reduce((a, b) => a + b, 0);
    return { n, wrong, groupN, groupWrong, segments: cells.cells(), values: values.sums() };
  }

  function labelRun(tell: (version: string, segment: string, random: Random) => { wrong: boolean; eur: number }) {
    const random = seededRandom(4);
    const load = told((_version, r) => ({ segment: r() < 0.5 ? 'de' : 'fr' }));
    const spec = specOf({ checks, segments });
    const begun = new EngineRun(spec).traffic(30, load).enter(0);
    for (let second = 0; second < 60; second++) {
      begun.traffic(1, load);
      const stratum = 1_700_000_000 + 30 + second - 8;
      if (second >= 8)
        begun.engine.fold(
          share(stratum, (version) => labelled(random, version === 'v2' ? 50 : 450, (s) => tell(version, s, random))),
        );
    }
    return begun;
  }

  it('show accuracy that drops in one segment, by name', () => {
    const failed = labelRun((version, segment, random) => ({
      wrong: random() < (version === 'v2' && segment === 'de' ? 0.45 : 0.1),
      eur: 10,
    }));
    expect(said(failed)).toBe('fail accuracy-too-low');
    expect(row(failed, 'accuracy', 'x-country=de')).toMatchObject({ result: 'fail', limit: -0.05 });
  });

  it('compare a number that comes with the labels', () => {
    const failed = labelRun((version, _segment, random) => ({
      wrong: random() < 0.1,
      eur: 10 * random() - (version === 'v2' ? 3 : 0),
    }));
    expect(said(failed)).toBe('fail custom-beyond-limit');
    expect(failed.last.reason.text).toMatch(/^mean revenue is /);
  });
});

describe('what only some rollouts watch', () => {
  const custom = { score: { from: 'answer', source: '/score', worse: 'higher', limit: 0.1, minEffect: 0.1 } } as const;
  const checks = { ...specOf().checks, custom, drift: { allowance: 0.1 } };
  const segments = { header: 'x-country', top: 5 };
  const load = told((_version, random) => ({
    value: random(),
    segment: `c${Math.floor(10 * random() ** 2)}`,
    bin: Math.floor(20 * random()),
    failed: random() < 0.02,
  }));

  it('goes on from its bytes as if nothing had happened', () => {
    const whole = new EngineRun(specOf({ checks, segments })).traffic(30, load).enter(0).traffic(10, load);
    const bytes = whole.engine.encode();
    whole.engine = decodeModelEngine('digits', bytes);
    expect(whole.engine.encode().equals(bytes)).toBe(true);
    whole.traffic(5, load);
    const { last } = whole;
    const envelope = {
      kind: 'verdict',
      schemaVersion: 1,
      verdictId: 'v',
      engineVersion: '1',
      model: 'digits',
      asOf: 1,
    };
    const cut = { owner: 0, number: 1, positions: { outcome: [0], label: [0] } };
    const encoded = verdictCodec.encode({ ...envelope, ...last, cut } as Parameters<typeof verdictCodec.encode>[0]);
    expect(verdictCodec.decode(encoded)).toMatchObject({ ok: true });
  });

  it('leaves no trace in the state of rollouts that ask for nothing', () => {
    const plain = run({}, { stable, canary });
    const watching = run({ segments }, { stable, canary });
    expect(watching.engine.encode().length).toBeGreaterThan(plain.engine.encode().length);
    const detailed = run({}, load);
    expect(detailed.last.checks.map(({ check }) => check)).toEqual(plain.last.checks.map(({ check }) => check));
  });
});
