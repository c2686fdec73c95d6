import type { CheckResult } from '@app/shared';
import type { GroupedCheck, Levels } from './check-results.js';
import type { PairedTest } from './paired-test.js';
import type { ShadowEvidence } from './shadow-evidence.js';

const LN_SHOWN_MAX = 1e6;
const finite = (lnE: number): number => Math.max(-LN_SHOWN_MAX, Math.min(LN_SHOWN_MAX, lnE));
/** Slower growth than this is none: see forecast.ts. */
const GROWTH_LEAST = 3e-9;

/** What copies show. A pass of the shadow step waits for it; in later steps it is only told. */
export function shadowResults(shadow: ShadowEvidence, levels: Levels, isShadowStep: boolean): GroupedCheck[] {
  const results = [errorResult(shadow, levels), agreementResult(shadow, levels), accuracyResult(shadow, levels)];
  return results.flatMap((figures) =>
    figures ? [{ group: 'accuracy' as const, figures: isShadowStep ? figures : { ...figures, gating: false } }] : [],
  );
}

function errorResult(shadow: ShadowEvidence, levels: Levels): CheckResult | null {
  const { errors, errorCheck, pairs, canaryFailed, stableFailed } = shadow;
  if (!errors || !errorCheck) return null;
  const arm = (bad: number) => ({ n: pairs, bad, value: pairs === 0 ? null : bad / pairs });
  const lnFail = shadow.lnFailOfErrors() ?? 0;
  return {
    check: 'shadow.errorRate',
    gating: true,
    stable: arm(stableFailed),
    canary: arm(canaryFailed),
    ...paired(errors, errorCheck.maxIncrease, lnFail, levels),
  };
}

function accuracyResult({ accuracy, check }: ShadowEvidence, levels: Levels): CheckResult | null {
  if (!accuracy || check.maxDrop === undefined) return null;
  const { n } = accuracy;
  const figures = paired(accuracy, check.maxDrop, accuracy.lnFail(), levels);
  const { difference, interval, limit } = figures;
  const arm = (bad: number) => ({ n, bad, value: n === 0 ? null : 1 - bad / n });
  return {
    check: 'shadow.accuracy',
    gating: true,
    stable: arm(accuracy.better + accuracy.bothBad),
    canary: arm(accuracy.worse + accuracy.bothBad),
    ...figures,
    difference: difference === null ? null : -difference,
    interval: interval && [-interval[1], -interval[0]],
    limit: -limit,
  };
}

function paired(
  test: PairedTest,
  limit: number,
  lnFail: number,
  levels: Levels,
): Omit<CheckResult, 'check' | 'gating' | 'stable' | 'canary'> {
  const lnPass = test.lnPass();
  const result =
    test.n === 0 ? 'no-data' : lnFail >= levels.lnFail ? 'fail' : lnPass >= levels.lnPass ? 'pass' : 'continue';
  return {
    difference: test.difference(),
    interval: test.interval(),
    limit,
    unit: 'fraction',
    evidence: { fail: finite(lnFail), pass: finite(lnPass) },
    result,
    predictionsToGo: toGo(levels.lnPass - lnPass, test.passGrowth()),
  };
}

/** Shown as the share in which both say the same. */
function agreementResult({ agreement, check }: ShadowEvidence, levels: Levels): CheckResult | null {
  const { n, x } = agreement;
  const { minAgreement } = check;
  if (minAgreement === undefined && n === 0) return null;
  const [lnFail, lnPass] = [agreement.lnFail(), agreement.lnPass()];
  const gating = minAgreement !== undefined;
  const decided = !gating
    ? 'continue'
    : lnFail >= levels.lnFail
      ? 'fail'
      : lnPass >= levels.lnPass
        ? 'pass'
        : 'continue';
  return {
    check: 'shadow.agreement',
    gating,
    stable: null,
    canary: { n, bad: x, value: n === 0 ? null : 1 - x / n },
    difference: null,
    interval: null,
    limit: minAgreement ?? 0,
    unit: 'fraction',
    evidence: gating ? { fail: finite(lnFail), pass: finite(lnPass) } : { fail: null, pass: null },
    result: n === 0 ? 'no-data' : decided,
    predictionsToGo: gating ? toGo(levels.lnPass - lnPass, agreement.passGrowth()) : null,
  };
}

/** Pairs still to go at this growth of ln E; null: it does not grow. */
function toGo(missing: number, growth: number): number | null {
  if (missing <= 0) return 0;
  const pairs = Math.ceil(missing / growth);
  return growth > GROWTH_LEAST && Number.isSafeInteger(pairs) ? pairs : null;
}
