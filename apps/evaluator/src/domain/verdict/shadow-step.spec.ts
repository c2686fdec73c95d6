import { type Cut, type RolloutSpec, verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { BEGIN_MS, EngineRun, specOf } from '../../../../../test/fixtures/engine-run.js';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import { verdictOf } from '../cut/verdict-envelope.js';
import type { PairedCounts, PairShare } from '../summary.js';
import { createModelEngine, decodeModelEngine } from './model-engine.js';

const GENERATION = 2;

function shadowSpec(changes: Partial<RolloutSpec['checks']> = {}, atMostMs?: number): RolloutSpec {
  const base = specOf();
  const atLeast = { predictions: 200, durationMs: 10_000 };
  const bounds = atMostMs === undefined ? { atLeast } : { atLeast, atMostMs };
  return {
    ...base,
    steps: [{ kind: 'shadow', fraction: 0.5, ...bounds }, ...base.steps],
    checks: { ...base.checks, shadow: { minAgreement: 0.8, maxDrop: 0.05 }, ...changes },
  };
}

/** How often what happens in pairs; by default both versions are as good as each other. */
interface Pairs {
  readonly canaryFails?: number;
  readonly stableFails?: number;
  readonly disagree?: number;
  readonly worse?: number;
  readonly better?: number;
  readonly labelled?: boolean;
}

/** A rollout in its shadow step: stable serves, and each second brings pairs, and who was right in them. */
class ShadowRun {
  readonly run: EngineRun;
  private seconds = 60;
  private readonly random = seededRandom(3);

  constructor(readonly spec = shadowSpec()) {
    this.run = new EngineRun(spec).baseline();
    this.run.enter(0);
  }

  get last() {
    return this.run.last;
  }

  copies(seconds: number, pairs: Pairs = {}, perSecond = 100): this {
    for (let i = 0; i < seconds; i++) {
      this.run.traffic(1, { stable: { n: 20, errorShare: 0.02 } });
      this.run.cut(this.sharesOf(pairs, perSecond));
      this.seconds++;
    }
    return this;
  }

  silence(seconds: number): this {
    this.run.traffic(seconds, { stable: { n: 20 } });
    this.seconds += seconds;
    return this;
  }

  private sharesOf(pairs: Pairs, n: number): PairShare[] {
    const { canaryFails = 0.01, stableFails = 0.01, disagree = 0.08, worse = 0.04, better = 0.04 } = pairs;
    const at = { model: 'digits', generation: GENERATION, stratum: BEGIN_MS / 1000 + this.seconds, strataMs: 1000 };
    const errors = this.counts(n, canaryFails, stableFails);
    const agreement = this.counts(n, disagree, 0);
    const answers: PairShare = { kind: 'pair-share', ...at, answers: { errors, agreement }, accuracy: null };
    const accuracy: PairShare = { kind: 'pair-share', ...at, answers: null, accuracy: this.counts(n, worse, better) };
    return pairs.labelled === false ? [answers] : [answers, accuracy];
  }

  private counts(n: number, worseShare: number, betterShare: number): PairedCounts {
    const zeros = (): number[] => new Array<number>(64).fill(0);
    const [groupN, groupWorse, groupBetter] = [zeros(), zeros(), zeros()];
    let bothBad = 0;
    for (let i = 0; i < n; i++) {
      const group = Math.floor(this.random() * 64);
      const u = this.random();
      groupN[group]!++;
      if (u < worseShare) groupWorse[group]!++;
      else if (u < worseShare + betterShare) groupBetter[group]!++;
      else if (u > 0.99) bothBad++;
    }
    return { groupN, groupWorse, groupBetter, bothBad };
  }
}

const checkOf = ({ last }: ShadowRun, check: string) => last.checks.find((c) => c.check === check)!;

describe('a shadow step', () => {
  it('gives verdicts that everybody can read when every label so far says the canary is worse', () => {
    const { last } = new ShadowRun().copies(1, { canaryFails: 1, stableFails: 0, worse: 1, better: 0 }, 1);
    const cut: Cut = {
      kind: 'cut',
      schemaVersion: 1,
      owner: 0,
      number: 1,
      positions: { outcome: [], label: [] },
      logTimes: { outcome: [], label: [] },
      asOf: BEGIN_MS,
      known: {},
    };
    const verdict = verdictOf(last, { model: 'digits', engineVersion: '1', cut });
    expect(verdictCodec.decode(verdictCodec.encode(verdict))).toEqual({ ok: true, value: verdict });
  });

  it('passes a canary that is no worse, with the figures of both versions on the same predictions', () => {
    const shadow = new ShadowRun().copies(60);
    expect(shadow.last).toMatchObject({ result: 'pass', step: 0, reason: { code: 'passed' } });
    expect(shadow.last.checks.map(({ check, gating, result }) => [check, gating, result])).toEqual([
      ['shadow.errorRate', true, 'pass'],
      ['shadow.agreement', true, 'pass'],
      ['shadow.accuracy', true, 'pass'],
    ]);
    const { canary, stable, difference, limit } = checkOf(shadow, 'shadow.accuracy');
    expect([canary.n, stable?.n, limit]).toEqual([6000, 6000, -0.05]);
    expect(difference).toBeCloseTo(canary.value! - stable!.value!, 10);
    expect(shadow.last.counted.canary).toBeGreaterThan(5_800);
    expect(shadow.last.reason.text).toMatch(/agreement on copies is 9\d(\.\d)? %/);
  });

  it.each([
    ['is wrong more often', { worse: 0.16, disagree: 0.15 }, 'shadow-accuracy-too-low', 'shadow.accuracy'],
    ['fails more often', { canaryFails: 0.1 }, 'shadow-errors-too-many', 'shadow.errorRate'],
    ['fails everything', { canaryFails: 1, stableFails: 0, disagree: 0 }, 'shadow-errors-too-many', 'shadow.errorRate'],
    ['disagrees more often than it may', { disagree: 0.35 }, 'shadow-agreement-too-low', 'shadow.agreement'],
  ])('fails a canary that %s', (_what, pairs, code, check) => {
    const shadow = new ShadowRun().copies(60, pairs);
    expect(shadow.last).toMatchObject({ result: 'fail', reason: { code } });
    expect(shadow.last.checks[0]).toMatchObject({ check, result: 'fail' });
    expect(shadow.last.evidence.lnE).toBeGreaterThan(shadow.last.evidence.lnLimit);
  });

  it('finds a dead canary within some ten copies a second', () => {
    const dead = { canaryFails: 1, stableFails: 0, disagree: 0, labelled: false };
    expect(new ShadowRun().copies(4, dead, 20).last.result).toBe('fail');
  });

  it('never passes a dead canary, not even without an error check', () => {
    const { accuracy, shadow: check } = shadowSpec().checks;
    const shadow = new ShadowRun({ ...shadowSpec(), checks: { accuracy, shadow: check } });
    shadow.copies(60, { canaryFails: 1, stableFails: 0, disagree: 0, labelled: false });
    expect(shadow.last).toMatchObject({ result: 'continue', reason: { code: 'min-predictions' } });
  });

  it("does not blame the canary for stable's failures", () => {
    expect(new ShadowRun().copies(60, { stableFails: 0.3 }).last.result).toBe('pass');
  });

  it.each([
    ['no copies come back', (shadow: ShadowRun) => shadow.silence(80), 'hold', 'no-copies'],
    ['labels are too young', (shadow: ShadowRun) => shadow.copies(15, { labelled: false }), 'continue', undefined],
    ['no labels come', (shadow: ShadowRun) => shadow.copies(80, { labelled: false }), 'hold', 'no-labels'],
    ['too few copies have been answered', (shadow: ShadowRun) => shadow.copies(30, {}, 5), 'continue', undefined],
    ['too little time has gone by', (shadow: ShadowRun) => shadow.copies(5, {}, 2_000), 'continue', 'min-duration'],
  ])('does not pass while %s', (_what, play, result, code) => {
    const { last } = play(new ShadowRun());
    expect(last.result).toBe(result);
    if (code) expect(last.reason.code).toBe(code);
  });

  it('does not wait for agreement that nobody asked for, and shows it', () => {
    const shadow = new ShadowRun(shadowSpec({ shadow: { maxDrop: 0.05 } })).copies(60, { disagree: 0.4 });
    expect(shadow.last.result).toBe('pass');
    expect(checkOf(shadow, 'shadow.agreement')).toMatchObject({ gating: false, result: 'continue' });
  });

  it('is inconclusive when its time is over', () => {
    const shadow = new ShadowRun(shadowSpec({}, 30_000)).copies(40, {}, 3);
    expect(shadow.last).toMatchObject({ result: 'inconclusive', reason: { code: 'step-time-over' } });
  });

  it('says how many copies are still to go', () => {
    const { forecast } = new ShadowRun().copies(12, {}, 30).last;
    expect(forecast.predictionsToGo).toBeGreaterThan(0);
    expect(forecast.minutesToGo).toBeGreaterThan(0);
  });

  it('goes on counting: labels of copies that come in the first step of users still fail the canary', () => {
    const shadow = new ShadowRun().copies(40);
    shadow.run.enter(1);
    shadow.run.traffic(2, { stable: { n: 18 }, canary: { n: 2 } });
    expect(shadow.last.step).toBe(1);
    expect(shadow.last.checks.filter(({ gating }) => gating).map(({ check }) => check)).not.toContain(
      'shadow.accuracy',
    );
    shadow.copies(60, { worse: 0.3 });
    expect(shadow.last).toMatchObject({ result: 'fail', reason: { code: 'shadow-accuracy-too-low' } });
  });

  it('is continued by the next owner where this one stood', () => {
    const [whole, halved] = [new ShadowRun().copies(20), new ShadowRun().copies(20)];
    halved.run.engine = decodeModelEngine('digits', halved.run.engine.encode());
    whole.copies(10);
    halved.copies(10);
    expect(halved.last).toEqual(whole.last);
    expect(halved.run.engine.encode().equals(whole.run.engine.encode())).toBe(true);
  });
});

describe('a rollout without a shadow step', () => {
  it('takes no notice of pairs', () => {
    const engine = createModelEngine('digits');
    const before = new EngineRun(specOf(), engine).baseline();
    before.enter(0);
    const bytes = engine.encode();
    const [share] = new ShadowRun()['sharesOf']({}, 10);
    engine.fold(share!);
    expect(engine.encode().equals(bytes)).toBe(true);
  });
});
