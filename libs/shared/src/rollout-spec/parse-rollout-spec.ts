import type { Problem } from '../result.js';
import { checkShape } from './check-shape.js';
import { readSource } from './file-source.js';
import { Findings } from './findings.js';
import { readChecks } from './read-checks.js';
import { readDuration } from './read-duration.js';
import { readSegments } from './read-watched-more.js';
import { readSteps } from './read-steps.js';
import { readVersion } from './read-versions.js';
import type { RolloutFile } from './rollout-file.js';
import { QUANTILES, type RolloutSpec, type TrafficStep } from './rollout-spec.js';

export const DEFAULT_WARMUP = { predictions: 200, durationMs: 30_000 } as const;
export const DEFAULT_ALPHA = 0.01;
export const DEFAULT_BETA = 0.05;

export type ParsedRolloutSpec =
  | { readonly ok: true; readonly value: RolloutSpec; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a rollout file: YAML or JSON text, or the data a user would write, and fills in the defaults. Every refusal
 * names the field, the reason and the remedy, and line and column where the input is text. Never throws.
 */
export function parseRolloutSpec(input: unknown): ParsedRolloutSpec {
  const source = readSource(input);
  if (!source.ok) return source;
  const findings = new Findings(source.value.locate);
  const { data } = source.value;
  if (data === null || data === undefined) {
    findings.refuse([], 'empty', 'the file is empty: it needs at least model and stable');
    return { ok: false, problems: findings.problems };
  }
  if (!checkShape(data, findings)) return { ok: false, problems: findings.problems };
  const spec = data.canary ? readRollout(data, data.canary, findings) : readRegistration(data, findings);
  if (findings.problems.length > 0) return { ok: false, problems: findings.problems };
  return { ok: true, value: spec, warnings: findings.warnings };
}

const ROLLOUT_KEYS = ['steps', 'checks', 'segments', 'warmup', 'onInconclusive', 'alpha', 'beta'] as const;

/** A file with only a model and its stable version registers the model: stable gets all traffic. */
function readRegistration(file: RolloutFile, findings: Findings): RolloutSpec {
  for (const key of ROLLOUT_KEYS)
    if (file[key] !== undefined)
      findings.refuse(
        [key],
        'no-canary',
        `${key}: there is no canary to try: add canary: { version, url }, or leave ${key} out`,
        'key',
      );
  return {
    ...common(file, findings),
    warmup: DEFAULT_WARMUP,
    steps: [],
    checks: {},
    onInconclusive: 'pause',
    alpha: DEFAULT_ALPHA,
    beta: DEFAULT_BETA,
  };
}

function readRollout(
  file: RolloutFile,
  fileCanary: NonNullable<RolloutFile['canary']>,
  findings: Findings,
): RolloutSpec {
  const canary = readVersion(fileCanary, ['canary'], findings);
  const base = common(file, findings);
  if (canary.version === base.stable.version)
    findings.refuse(
      ['canary', 'version'],
      'same-version',
      `canary.version: ${canary.version} is the stable version too: give the canary a name of its own`,
    );
  else if (canary.url !== '' && canary.url === base.stable.url)
    findings.warn(
      ['canary', 'url'],
      'same-url',
      'canary.url is the same as stable.url: the version would be compared with itself',
    );
  if (!file.steps)
    findings.refuse(
      ['steps'],
      'missing',
      `steps is missing: write for instance - { traffic_split: { ${base.stable.version}: 0.9, ${canary.version}: 0.1 } } and, last, - { traffic_split: { ${base.stable.version}: 0, ${canary.version}: 1 } }`,
    );
  const arms = { stable: base.stable.version, canary: canary.version };
  const warmupPath = ['warmup', 'duration'];
  const spec: RolloutSpec = {
    ...base,
    canary,
    warmup: {
      predictions: file.warmup?.predictions ?? DEFAULT_WARMUP.predictions,
      durationMs: readDuration(
        file.warmup?.duration,
        DEFAULT_WARMUP.durationMs,
        { minMs: 0, maxMs: 86_400_000 },
        warmupPath,
        findings,
      ),
    },
    steps: file.steps ? readSteps(file.steps, arms, findings) : [],
    checks: readChecks(file, findings),
    ...(file.segments ? { segments: readSegments(file.segments, findings) } : {}),
    onInconclusive: file.onInconclusive ?? 'pause',
    alpha: file.alpha ?? DEFAULT_ALPHA,
    beta: file.beta ?? DEFAULT_BETA,
  };
  if (findings.problems.length === 0) warnOfImpossible(spec, findings);
  return spec;
}

function common(file: RolloutFile, findings: Findings): Pick<RolloutSpec, 'model' | 'stable' | 'prediction'> {
  const stable = readVersion(file.stable, ['stable'], findings);
  if (!file.prediction) return { model: file.model, stable };
  const { pointer, kind = 'class', tolerance } = file.prediction;
  if (kind === 'class' && tolerance !== undefined && tolerance > 0)
    findings.refuse(
      ['prediction', 'tolerance'],
      'wrong-value',
      'prediction.tolerance: classes are equal or not: leave it out, or write kind: number',
    );
  return { model: file.model, stable, prediction: { pointer, kind, tolerance: tolerance ?? 0 } };
}

/** What is allowed and yet cannot come to a good end. */
function warnOfImpossible(spec: RolloutSpec, findings: Findings): void {
  const first = spec.steps.findIndex((step): step is TrafficStep => step.kind === 'traffic');
  spec.steps.forEach((step, index) => {
    const bake = step.kind === 'traffic' && step.weights[spec.stable.version] === 0;
    if (step.kind !== 'traffic' || bake) return;
    const horizonMs = index === first ? (spec.checks.accuracy?.labelsWithinMs ?? 0) : 0;
    if ((step.atMostMs ?? Infinity) > spec.warmup.durationMs + horizonMs) return;
    const why = horizonMs > 0 ? 'labels are waited for (checks.accuracy.labelsWithin) after' : 'nothing is compared in';
    findings.warn(
      ['steps', index, 'atMost', 'duration'],
      'at-most-too-short',
      `steps.${index}.atMost: the step cannot pass by then, as ${why} the warm-up: make it longer`,
    );
  });
  const { errorRate } = spec.checks;
  if (errorRate && errorRate.max <= errorRate.maxIncrease)
    findings.warn(
      ['checks', 'errorRate', 'max'],
      'ceiling-below-limit',
      `checks.errorRate.max ${errorRate.max} is not above maxIncrease ${errorRate.maxIncrease}: it rolls back a canary that maxIncrease allows; raise max or lower maxIncrease`,
    );
  for (const check of ['latency', 'firstByte'] as const)
    for (const quantile of QUANTILES)
      if ((spec.checks[check]?.[quantile]?.maxMs ?? 0) >= spec.canary!.deadlineMs)
        findings.warn(
          ['checks', check, quantile, 'maxMs'],
          'limit-beyond-deadline',
          `checks.${check}.${quantile}.maxMs is not below canary.deadline: slower predictions are timeouts already; lower the limit or raise the deadline`,
        );
}
