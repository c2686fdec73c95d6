import { stringify } from 'yaml';
import { formatDuration } from './duration.js';
import {
  type Checks,
  type CustomCheck,
  type LatencyCheck,
  QUANTILES,
  type QuantileLimit,
  type RolloutSpec,
  type RolloutStep,
  type ShadowCheck,
  type VersionSpec,
} from './rollout-spec.js';

/** A spec as a user would write it, YAML with every default spelled out. parseRolloutSpec gives the same spec back. */
export function renderRolloutSpec(spec: RolloutSpec): string {
  return stringify(rolloutFileOf(spec), { lineWidth: 0, flowCollectionPadding: true });
}

/** The same as data, for JSON. */
export function rolloutFileOf(spec: RolloutSpec): Record<string, unknown> {
  const file: Record<string, unknown> = { model: spec.model, stable: versionOf(spec.stable) };
  if (spec.canary) file['canary'] = versionOf(spec.canary);
  if (spec.prediction) {
    const { pointer, kind, tolerance } = spec.prediction;
    file['prediction'] = { pointer, kind, ...(kind === 'number' ? { tolerance } : {}) };
  }
  if (!spec.canary) return file;
  return {
    ...file,
    warmup: { predictions: spec.warmup.predictions, duration: formatDuration(spec.warmup.durationMs) },
    steps: spec.steps.map(stepOf),
    checks: checksOf(spec),
    ...(spec.segments ? { segments: spec.segments } : {}),
    onInconclusive: spec.onInconclusive,
    alpha: spec.alpha,
    beta: spec.beta,
  };
}

function versionOf(version: VersionSpec): Record<string, unknown> {
  return {
    version: version.version,
    url: version.url,
    deadline: formatDuration(version.deadlineMs),
    maxConcurrency: version.maxConcurrency,
  };
}

function stepOf(step: RolloutStep): Record<string, unknown> {
  if (step.kind === 'pause')
    return { pause: step.durationMs === undefined ? {} : { duration: formatDuration(step.durationMs) } };
  return {
    ...(step.kind === 'shadow' ? { shadow: { fraction: step.fraction } } : { traffic_split: step.weights }),
    atLeast: { predictions: step.atLeast.predictions, duration: formatDuration(step.atLeast.durationMs) },
    ...(step.atMostMs === undefined ? {} : { atMost: { duration: formatDuration(step.atMostMs) } }),
  };
}

function checksOf({ checks, steps }: RolloutSpec): Partial<Record<keyof Checks, unknown>> {
  const { errorRate, accuracy, latency, firstByte, shadow, custom, drift } = checks;
  return {
    errorRate: errorRate ?? 'off',
    accuracy: accuracy
      ? {
          maxDrop: accuracy.maxDrop,
          labelsWithin: formatDuration(accuracy.labelsWithinMs),
          strict: accuracy.strict,
        }
      : 'off',
    latency: latency ? latencyOf(latency) : 'off',
    firstByte: firstByte ? latencyOf(firstByte) : 'off',
    ...(custom ? { custom: customOf(custom) } : {}),
    drift: drift ?? 'off',
    ...(steps.some((step) => step.kind === 'shadow') ? { shadow: shadow ? shadowOf(shadow) : 'off' } : {}),
  };
}

function shadowOf({ minAgreement, maxDrop }: ShadowCheck): Record<string, unknown> {
  return { ...(minAgreement === undefined ? {} : { minAgreement }), maxDrop: maxDrop ?? 'off' };
}

function customOf(custom: Readonly<Record<string, CustomCheck>>): Record<string, unknown> {
  const entries = Object.entries(custom).map(([name, { from, source, worse, limit, minEffect }]) => {
    const where = from === 'label' ? { from, value: source } : { pointer: source };
    return [name, { ...where, [worse === 'higher' ? 'maxIncrease' : 'maxDrop']: limit, minEffect }] as const;
  });
  return Object.fromEntries(entries);
}

function latencyOf(check: LatencyCheck): Record<string, unknown> {
  const quantiles = QUANTILES.map((quantile) => [quantile, quantileOf(check[quantile])] as const);
  return { ...Object.fromEntries(quantiles), strict: check.strict };
}

function quantileOf(limit: QuantileLimit | undefined): unknown {
  if (!limit) return 'off';
  return {
    maxRatio: limit.maxRatio ?? 'off',
    ...(limit.maxMs === undefined ? {} : { maxMs: limit.maxMs }),
    minIncreaseMs: limit.minIncreaseMs,
  };
}
