import type { CheckResult } from '@app/shared';
import { sketchUpperEdgeMs } from '../sketch.js';
import { predictionsToGo } from './forecast.js';
import type { CheckGroup, LatencySource } from './checks-plan.js';
import type { Look } from './look.js';
import { optionalResults } from './optional-results.js';
import { quantileBand, quantileMs } from './quantiles.js';
import type { RolloutEvidence } from './rollout-evidence.js';

/** A check as the verdict shows it, and the group whose evidence it is part of. */
export interface GroupedCheck {
  readonly group: CheckGroup;
  readonly figures: CheckResult;
}

/** What decides: evidence for FAIL of a check alone, and for PASS. */
export interface Levels {
  readonly lnFail: number;
  readonly lnPass: number;
}

/** ln E beyond this is shown as this: JSON knows no infinity. */
const LN_SHOWN_MAX = 1e6;
export const finite = (lnE: number): number => Math.max(-LN_SHOWN_MAX, Math.min(LN_SHOWN_MAX, lnE));

/** Every check of the rollout, in the order of the groups. */
export function checkResults(evidence: RolloutEvidence, step: number, levels: Levels): readonly GroupedCheck[] {
  return [
    ...errorResult(evidence, step, levels),
    ...ceilingResults(evidence, levels),
    ...evidence.quantiles.map((_, i) => quantileResult(evidence, i, step, levels)),
    ...accuracyResult(evidence, levels),
    ...optionalResults(evidence, step, levels),
  ];
}

function errorResult(evidence: RolloutEvidence, step: number, levels: Levels): GroupedCheck[] {
  const look = evidence.errorsFinal;
  const check = evidence.checks.errors;
  if (!look || !check) return [];
  const lnFail = evidence.lnErrors();
  const lnPass = look.lnPassOfStep(step);
  const p = share(look.n0, look.x0);
  const figures = rateFigures(look, check.maxIncrease, { check: 'errorRate', lnFail, lnPass, levels, accuracy: false });
  const line = evidence.passLine('errors');
  const togo =
    line === null
      ? null
      : predictionsToGo({
          lnE: lnPass,
          lnWanted: levels.lnPass,
          p0: p,
          p1: p,
          line,
          ratio: evidence.armRatio(),
          d: look.stickiness.d,
          floorLimit: check.maxIncrease,
        });
  return [{ group: 'errors', figures: { ...figures, predictionsToGo: togo } }];
}

function accuracyResult(evidence: RolloutEvidence, levels: Levels): GroupedCheck[] {
  const { accuracy } = evidence;
  const check = evidence.checks.accuracy;
  if (!accuracy || !check) return [];
  const { look } = accuracy;
  const lnPass = accuracy.lnPass();
  const lnFail = look.lnFail();
  const figures = rateFigures(look, check.maxDrop, { check: 'accuracy', lnFail, lnPass, levels, accuracy: true });
  const line = evidence.passLine('accuracy');
  const coverage = accuracy.coverage.answered1 > 0 ? accuracy.coverage.labelled1 / accuracy.coverage.answered1 : 0;
  const labels =
    line === null
      ? null
      : predictionsToGo({
          lnE: lnPass,
          lnWanted: levels.lnPass,
          p0: share(look.n0, look.x0),
          p1: share(look.n0, look.x0),
          line,
          ratio: evidence.armRatio(),
          d: look.stickiness.d,
          floorLimit: check.maxDrop,
        });
  const togo = labels === null || coverage === 0 ? null : Math.ceil(labels / coverage);
  return [{ group: 'accuracy', figures: { ...figures, predictionsToGo: labels === 0 ? 0 : togo } }];
}

interface RateUse {
  readonly check: string;
  readonly lnFail: number;
  readonly lnPass: number;
  readonly levels: Levels;
  /** Shown as the share that is right, with a limit on its drop. */
  readonly accuracy: boolean;
}

/** A check of rates: shown as the bad share, or for accuracy as the good one. */
function rateFigures(look: Look, limit: number, use: RateUse): CheckResult {
  const { check, lnFail, lnPass, levels, accuracy } = use;
  const { n1, x1, n0, x0 } = look;
  const seen = n1 > 0 && n0 > 0;
  const result = !seen ? 'no-data' : lnFail >= levels.lnFail ? 'fail' : lnPass >= levels.lnPass ? 'pass' : 'continue';
  const difference = look.difference.value();
  const interval = clip(look.difference.interval({ n1, x1, n0, x0 }, look.stickiness.d, limit), limit, result);
  const value = (n: number, x: number): number | null => (n === 0 ? null : accuracy ? 1 - x / n : x / n);
  return {
    check,
    gating: true,
    stable: { n: n0, bad: x0, value: value(n0, x0) },
    canary: { n: n1, bad: x1, value: value(n1, x1) },
    difference: difference === null ? null : accuracy ? -difference : difference,
    interval: interval && (accuracy ? [-interval[1], -interval[0]] : interval),
    limit: accuracy ? -limit : limit,
    unit: 'fraction',
    evidence: { fail: finite(lnFail), pass: finite(lnPass) },
    result,
    predictionsToGo: null,
  };
}

function ceilingResults(evidence: RolloutEvidence, levels: Levels): GroupedCheck[] {
  return evidence.ceilings.looks.map((look): GroupedCheck => {
    const { check, limit, quantile, source } = look.check;
    const lnFail = look.lnFail();
    const ms = quantile && quantileMs(evidence.sketches[source][1], quantile);
    const figures: CheckResult = {
      check,
      gating: false,
      stable: null,
      canary: { n: look.n, bad: look.x, value: quantile ? ms : look.n === 0 ? null : look.x / look.n },
      difference: null,
      interval: null,
      limit,
      unit: quantile ? 'ms' : 'fraction',
      evidence: { fail: finite(lnFail), pass: null },
      result: look.n === 0 ? 'no-data' : lnFail >= levels.lnFail ? 'fail' : 'continue',
      predictionsToGo: null,
    };
    return { group: 'ceilings', figures };
  });
}

function quantileResult(evidence: RolloutEvidence, index: number, step: number, levels: Levels): GroupedCheck {
  const { check, fail, pass } = evidence.quantiles[index]!;
  const [stableSketch, canarySketch] = evidence.sketches[check.source];
  const stableMs = quantileMs(stableSketch, check.quantile);
  const canaryMs = quantileMs(canarySketch, check.quantile);
  const limitMs = limitIncreaseMs(evidence, index, check.source);
  const lnFail = fail.lnFail();
  const lnPass = pass.lnPassOfStep(step);
  const seen = pass.n1 > 0 && pass.n0 > 0 && limitMs !== null;
  const result = !seen ? 'no-data' : lnFail >= levels.lnFail ? 'fail' : lnPass >= levels.lnPass ? 'pass' : 'continue';
  const stableBand = quantileBand(stableSketch, check.quantile, pass.stickiness.d);
  const canaryBand = quantileBand(canarySketch, check.quantile, pass.stickiness.d);
  const interval: [number, number] | null =
    stableBand && canaryBand ? [canaryBand[0] - stableBand[1], canaryBand[1] - stableBand[0]] : null;
  const figures: CheckResult = {
    check: check.check,
    gating: true,
    stable: { n: pass.n0, bad: pass.x0, value: stableMs },
    canary: { n: pass.n1, bad: pass.x1, value: canaryMs },
    difference: stableMs === null || canaryMs === null ? null : canaryMs - stableMs,
    interval: limitMs === null ? interval : clip(interval, limitMs, result),
    limit: limitMs ?? 0,
    unit: 'ms',
    evidence: { fail: finite(lnFail), pass: finite(lnPass) },
    result,
    predictionsToGo: quantileToGo(evidence, index, lnPass, levels),
  };
  return { group: 'latency', figures };
}

/** A canary that is no different is above its limit as often as control would be. */
function quantileToGo(evidence: RolloutEvidence, index: number, lnPass: number, levels: Levels): number | null {
  if (lnPass >= levels.lnPass) return 0;
  const { check, pass } = evidence.quantiles[index]!;
  const frozen = evidence.present()?.thresholds(index, check.source);
  const control = evidence.sketches[check.source][0];
  if (!frozen || control.total === 0) return null;
  return predictionsToGo({
    lnE: lnPass,
    lnWanted: levels.lnPass,
    p0: share(control.total, control.above(frozen.stableBin)),
    p1: share(control.total, control.above(frozen.canaryBin)),
    line: 1,
    ratio: evidence.armRatio(),
    d: pass.stickiness.d,
    floorLimit: null,
  });
}

/** The limit as an increase over T, as frozen for the present generation; null before that. */
function limitIncreaseMs(evidence: RolloutEvidence, index: number, source: LatencySource): number | null {
  const frozen = evidence.present()?.thresholds(index, source);
  return frozen ? sketchUpperEdgeMs(frozen.canaryBin) - sketchUpperEdgeMs(frozen.stableBin) : null;
}

/** Once the evidence has decided, the end of the interval that faces the limit is clipped to it. */
export function clip(
  interval: readonly [number, number] | null,
  limit: number,
  result: CheckResult['result'],
): [number, number] | null {
  if (!interval) return null;
  const [low, high] = interval;
  if (result === 'fail') return [Math.max(low, limit), Math.max(high, limit)];
  if (result === 'pass') return [Math.min(low, limit), Math.min(high, limit)];
  return [low, high];
}

function share(n: number, x: number): number {
  return (x + 0.5) / (n + 1);
}
