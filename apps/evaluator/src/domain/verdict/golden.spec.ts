import { readFileSync } from 'node:fs';
import type { RolloutSpec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { armOf, bucketOf, type OutcomeSketch } from '../../../../../test/fixtures/summaries.js';
import type { ModelPlan } from '../plan.js';
import { CELL_CLASS, type LabelledArm, type LabelShare } from '../summary.js';
import type { Look } from './look.js';
import { createModelEngine, decodeModelEngine, type VerdictEngine } from './model-engine.js';

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}
interface Figures {
  readonly oFail?: number;
  readonly lnE: number;
  readonly D?: number;
  readonly lnEfresh: number;
  readonly oPass?: number;
  readonly lnPassStep?: number;
  readonly lnPass?: number;
}
interface Golden {
  readonly prior: Table;
  readonly buckets: Table;
  readonly strata: Table;
  readonly expected: {
    readonly afterBucket: readonly (Record<'errorsEarly' | 'errorsFinal' | 'p50' | 'p99' | 'ceiling', Figures> & {
      readonly E: Record<'errors' | 'ceilings' | 'latency' | 'accuracy', number>;
      readonly lnTotal: number;
    })[];
    readonly afterStratum: readonly { readonly accuracy: Figures; readonly E: number; readonly lnTotal: number }[];
  };
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../../test/fixtures/verdict-golden.json', import.meta.url), 'utf8'),
) as Golden;
const rowsOf = ({ columns, rows }: Table): Record<string, number>[] =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])));

/** Routing time of t = 0, a whole number of strata. */
const BEGIN_MS = 1_700_000_000_000;
const FAST_MS = 10;
const SLOW50_MS = 100;
const SLOW99_MS = 1_000;
/** Above every threshold's age that these latencies give, below none. */
const LOOK_AGE_MS = 250;

const spec: RolloutSpec = {
  model: 'digits',
  stable: { version: 'v1', url: 'http://v1', deadlineMs: 10_000, maxConcurrency: 100 },
  canary: { version: 'v2', url: 'http://v2', deadlineMs: 10_000, maxConcurrency: 100 },
  prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
  warmup: { predictions: 0, durationMs: 0 },
  steps: [
    { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 1000, durationMs: 60_000 } },
    { kind: 'traffic', weights: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 1000, durationMs: 60_000 } },
    { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 1000, durationMs: 60_000 } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
    accuracy: { maxDrop: 0.02, labelsWithinMs: 60_000, strict: false },
    latency: { p50: { maxRatio: 1.2, minIncreaseMs: 5 }, p99: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false },
  },
  onInconclusive: 'pause',
  alpha: 0.01,
  beta: 0.05,
};

/** The plan while step `step` (0, 1, 2) routes; -1: before the rollout. */
function planAt(step: number): ModelPlan {
  const phases = spec.steps.slice(0, step + 1).map((s, i) => ({
    sequence: i + 2,
    generation: i + 2,
    step: i,
    weights: s.kind === 'traffic' ? s.weights : {},
    bake: i === 2,
    startedAt: 0,
  }));
  const rollout =
    step < 0
      ? null
      : { model: 'digits', rollout: 'digits-1', spec, stable: 'v1', canary: 'v2', phases, step, ended: false };
  return { model: 'digits', stable: 'v1', generation: step + 2, rollout };
}

/** An engine that is taken apart into bytes and put together again after every cut. */
class Driver {
  engine: VerdictEngine = createModelEngine('digits');
  private cuts = 0;
  private bucketNumber = 0;
  private step = -1;

  constructor() {
    this.engine.setPlan(planAt(-1));
  }

  enter(step: number): void {
    if (step === this.step) return;
    this.step = step;
    this.engine.setPlan(planAt(step));
  }

  /** A bucket that is looked at early and then finally. */
  bucket(
    tMs: number,
    early: readonly (readonly OutcomeSketch[])[],
    final: readonly (readonly OutcomeSketch[])[],
  ): void {
    const at = { generation: this.step + 2, bucket: this.bucketNumber++, routedFrom: BEGIN_MS + tMs };
    const versions = (arms: readonly (readonly OutcomeSketch[])[]) => ({ v1: armOf(arms[0]!), v2: armOf(arms[1]!) });
    this.cut([
      bucketOf({ ...at, versions: versions(early), ageMs: LOOK_AGE_MS, previousAgeMs: 0, final: false }),
      bucketOf({ ...at, versions: versions(final), ageMs: 1_000, previousAgeMs: LOOK_AGE_MS, final: true }),
    ]);
  }

  cut(summaries: readonly Parameters<VerdictEngine['fold']>[0][], labelMs = 0): void {
    const asOfMs = BEGIN_MS + 1_000_000 + this.cuts * 10;
    const labelLogTimesMs = [BEGIN_MS + labelMs];
    this.engine.beginCut({ number: ++this.cuts, outcomeLogTimesMs: [asOfMs], labelLogTimesMs, asOfMs });
    for (const summary of summaries) this.engine.fold(summary);
    this.engine.endCut();
    const bytes = this.engine.encode();
    this.engine = decodeModelEngine('digits', bytes);
    expect(this.engine.encode().equals(bytes)).toBe(true);
  }
}

/** Outcomes of an arm: event i is in group (first + i) mod 64, and the first ones are the bad and the slow ones. */
function outcomes(n: number, first: number, bad: number, slow50: number, slow99: number): OutcomeSketch[] {
  return Array.from({ length: n }, (_, i) => ({
    group: (first + i) % 64,
    cellClass: i < bad ? CELL_CLASS.error : CELL_CLASS.ok,
    latencyMs: i < slow99 ? SLOW99_MS : i < slow50 ? SLOW50_MS : FAST_MS,
  }));
}

function labelled(n: number, first: number, wrong: number): LabelledArm {
  const groupN = new Array<number>(64).fill(0);
  const groupWrong = new Array<number>(64).fill(0);
  for (let i = 0; i < n; i++) {
    groupN[(first + i) % 64]! += 1;
    if (i < wrong) groupWrong[(first + i) % 64]! += 1;
  }
  return { n, wrong, groupN, groupWrong };
}

function shareAt(tMs: number, generation: number, stable: LabelledArm, canary: LabelledArm): LabelShare {
  const stratum = (BEGIN_MS + tMs) / 1000;
  return { kind: 'label-share', model: 'digits', generation, stratum, strataMs: 1000, stable, canary };
}

const six = (value: number): number => Number(value.toFixed(6));
const seen = (look: Look, step: number) => ({
  lnE: six(look.lnCumulative()),
  D: six(look.stickiness.d),
  lnEfresh: six(look.lnFresh()),
  lnPassStep: six(look.lnPassOfStep(step)),
});
const wanted = ({ lnE, D, lnEfresh, lnPassStep }: Figures) => ({ lnE, D, lnEfresh, lnPassStep });

describe('the golden decision', () => {
  const driver = new Driver();
  // Traffic long before, so that the thresholds and the age of the early look are known when the prior rows come.
  const longBefore = [...outcomes(2_300, 0, 0, 30, 0)];
  driver.cut([bucketOf({ routedFrom: BEGIN_MS - 3_600_000, versions: { v1: armOf(longBefore) } })]);
  rowsOf(golden.prior).forEach((row, i) => {
    const t = -8_000 + 2_000 * i;
    const arm = (bad: number) => [outcomes(row['n0']!, 0, bad, 10, 0), []];
    driver.bucket(t, arm(row['badEarly']!), arm(row['badFinal']!));
    driver.cut([shareAt(t, 1, labelled(row['n0']!, 0, row['wrong']!), labelled(0, 0, 0))]);
  });

  rowsOf(golden.buckets).forEach((row, i) => {
    it(`is exact after bucket ${i}`, () => {
      const r = (name: string): number => row[name]!;
      const step = r('step') - 1;
      driver.enter(step);
      const arms = (bad1: number, bad0: number) => [
        outcomes(r('n0'), r('g0'), bad0, r('slow50_0'), r('slow99_0')),
        outcomes(r('n1'), r('g1'), bad1, r('slow50_1'), r('slow99_1')),
      ];
      driver.bucket(r('t') * 1000, arms(r('early1'), r('early0')), arms(r('final1'), r('final0')));
      const evidence = driver.engine.evidence()!;
      const expected = golden.expected.afterBucket[i]!;
      const [p50, p99] = evidence.quantiles;
      expect({ ...seen(evidence.errorsEarly!, step), lnPassStep: undefined }).toEqual(wanted(expected.errorsEarly));
      expect(seen(evidence.errorsFinal!, step)).toEqual(wanted(expected.errorsFinal));
      expect(seen(p50!.fail, step)).toEqual(wanted(expected.p50));
      expect(seen(p99!.fail, step)).toEqual(wanted(expected.p99));
      const ceiling = evidence.ceilings.looks[0]!;
      expect(six(ceiling.lnCumulative())).toBe(expected.ceiling.lnE);
      expect(six(ceiling.lnFresh())).toBe(expected.ceiling.lnEfresh);
      for (const group of ['errors', 'ceilings', 'latency', 'accuracy'] as const) {
        const e = Math.exp(evidence.lnFail(group));
        expect(e / Math.max(1, expected.E[group])).toBeCloseTo(expected.E[group] / Math.max(1, expected.E[group]), 6);
      }
      expect(six(evidence.lnTotal())).toBe(expected.lnTotal);
    });
  });

  rowsOf(golden.strata).forEach((row, i) => {
    it(`is exact after stratum ${i} of labels`, () => {
      const r = (name: string): number => row[name]!;
      const control = labelled(r('n0'), r('g0'), r('wrong0'));
      const canary = labelled(r('n1'), r('g1'), r('wrong1'));
      const tMs = r('t') * 1000;
      driver.cut([shareAt(tMs, r('step') + 1, control, canary)], tMs + 1_000 + 60_000);
      const evidence = driver.engine.evidence()!;
      const expected = golden.expected.afterStratum[i]!;
      expect(seen(evidence.accuracy!.look, r('step') - 1)).toEqual(wanted(expected.accuracy));
      expect(six(evidence.accuracy!.look.lnPassOfAll())).toBe(expected.accuracy.lnPass);
      expect(six(Math.exp(evidence.lnFail('accuracy')))).toBe(expected.E);
      expect(six(evidence.lnTotal())).toBe(expected.lnTotal);
    });
  });
});
