import type { Findings, Path } from './findings.js';
import { readDuration } from './read-duration.js';
import { readWatchedMore } from './read-watched-more.js';
import { readShadowCheck } from './read-shadow.js';
import { type FileChecks, type FileLatency, isOff, type RolloutFile } from './rollout-file.js';
import { type Checks, type LatencyCheck, QUANTILES, type QuantileLimit } from './rollout-spec.js';

export const DEFAULT_ERROR_RATE = { maxIncrease: 0.01, max: 0.5, strict: false } as const;
export const DEFAULT_ACCURACY = { maxDrop: 0.02, labelsWithinMs: 300_000, strict: false } as const;
export const DEFAULT_QUANTILE = { maxRatio: 1.2, minIncreaseMs: 5 } as const;
/** Labels are kept for 30 days (topic prediction-label). */
const LABELS_WITHIN = { minMs: 1000, maxMs: 30 * 86_400_000 };

/** Fills in the checks: what is absent has its default, what is `off` is left out. */
export function readChecks(file: RolloutFile, findings: Findings): Checks {
  const checks: FileChecks = file.checks ?? {};
  const accuracy = readAccuracy(file, findings);
  const latency = isOff(checks.latency)
    ? undefined
    : readLatency(checks.latency ?? {}, ['checks', 'latency'], findings);
  const firstByte =
    checks.firstByte === undefined || isOff(checks.firstByte)
      ? undefined
      : readLatency(checks.firstByte, ['checks', 'firstByte'], findings);
  const shadow = readShadowCheck(file, accuracy, findings);
  const read: Checks = {
    ...(isOff(checks.errorRate) ? {} : { errorRate: { ...DEFAULT_ERROR_RATE, ...checks.errorRate } }),
    ...(accuracy ? { accuracy } : {}),
    ...(latency ? { latency } : {}),
    ...(firstByte ? { firstByte } : {}),
    ...readWatchedMore(file, findings),
    ...(shadow ? { shadow } : {}),
  };
  if (Object.keys(read).length === 0)
    findings.refuse(['checks'], 'no-checks', 'checks: all of them are off, so nothing would be compared: leave one on');
  else if (!read.errorRate)
    findings.warn(
      ['checks', 'errorRate'],
      'no-error-check',
      'checks.errorRate is off: a canary that fails every prediction is not rolled back for it',
    );
  return read;
}

function readAccuracy(file: RolloutFile, findings: Findings): Checks['accuracy'] {
  const written = file.checks?.accuracy;
  if (isOff(written)) return undefined;
  if (!file.prediction) {
    const remedy = 'add prediction: { pointer: /outputs/0/data/0, kind: class }, where the answer holds the prediction';
    if (written)
      findings.refuse(
        ['checks', 'accuracy'],
        'no-prediction',
        `checks.accuracy: labels cannot be compared with anything: ${remedy}`,
      );
    else
      findings.warn(
        ['checks'],
        'no-accuracy',
        `accuracy is not checked, only errors and latency: ${remedy}, and send labels; or write accuracy: off under checks`,
      );
    return undefined;
  }
  const path = ['checks', 'accuracy', 'labelsWithin'];
  const { labelsWithin, ...limits } = written ?? {};
  const labelsWithinMs = readDuration(labelsWithin, DEFAULT_ACCURACY.labelsWithinMs, LABELS_WITHIN, path, findings);
  return { ...DEFAULT_ACCURACY, ...limits, labelsWithinMs };
}

function readLatency(written: FileLatency, path: Path, findings: Findings): LatencyCheck | undefined {
  const limits: Partial<Record<(typeof QUANTILES)[number], QuantileLimit>> = {};
  for (const quantile of QUANTILES) {
    const file = written[quantile];
    // p95 watches only when it is asked for: two quantiles gate by default.
    if (isOff(file) || (file === undefined && quantile === 'p95')) continue;
    const { maxRatio, maxMs, minIncreaseMs } = file ?? {};
    if (isOff(maxRatio) && maxMs === undefined) {
      const field = [...path, quantile].join('.');
      findings.refuse(
        [...path, quantile],
        'no-limit',
        `${field}: there is no limit left: write maxRatio, maxMs, or ${quantile}: off`,
      );
      continue;
    }
    limits[quantile] = {
      ...(isOff(maxRatio) ? {} : { maxRatio: maxRatio ?? DEFAULT_QUANTILE.maxRatio }),
      ...(maxMs === undefined ? {} : { maxMs }),
      minIncreaseMs: minIncreaseMs ?? DEFAULT_QUANTILE.minIncreaseMs,
    };
  }
  if (Object.keys(limits).length > 0) return { ...limits, strict: written.strict ?? false };
  findings.refuse(path, 'no-limit', `${path.join('.')}: every quantile is off: write ${path.at(-1)}: off`);
  return undefined;
}
