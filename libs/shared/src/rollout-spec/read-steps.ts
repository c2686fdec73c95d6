import type { Findings, Path } from './findings.js';
import { readDuration } from './read-duration.js';
import type { FileStep } from './rollout-file.js';
import { readShadowFraction, refuseLateShadow } from './read-shadow.js';
import type { RolloutStep, ShadowStep, TrafficStep } from './rollout-spec.js';
import { readWeights } from './weights.js';

export const DEFAULT_STEP_PREDICTIONS = 1000;
export const DEFAULT_STEP_DURATION_MS = 60_000;
const STEP_DURATION = { minMs: 0, maxMs: 30 * 86_400_000 };

export interface ArmNames {
  readonly stable: string;
  readonly canary: string;
}

/** Reads the steps, and refuses what cannot be walked from top to bottom: falling shares, nothing at the end. */
export function readSteps(steps: readonly FileStep[], arms: ArmNames, findings: Findings): readonly RolloutStep[] {
  const problemsBefore = findings.problems.length;
  const read = steps.map((step, index) => readStep(step, ['steps', index], arms, findings));
  if (findings.problems.length === problemsBefore) checkOrder(read as RolloutStep[], arms, findings);
  return read.filter((step) => step !== undefined);
}

function readStep(file: FileStep, path: Path, arms: ArmNames, findings: Findings): RolloutStep | undefined {
  const kinds = (['traffic_split', 'pause', 'shadow'] as const).filter((kind) => file[kind] !== undefined);
  if (kinds.length !== 1) {
    const what =
      kinds.length === 0
        ? 'has neither traffic_split nor pause: write one of the two'
        : `has both ${kinds[0]} and ${kinds[1]}: write one of the two`;
    findings.refuse(path, 'wrong-step', `${path.join('.')} ${what}`);
    return undefined;
  }
  if (file.shadow) return readShadowStep(file, file.shadow, path, findings);
  if (file.pause === undefined) return readTrafficStep(file, path, arms, findings);
  for (const key of ['atLeast', 'atMost'] as const)
    if (file[key] !== undefined)
      findings.refuse(
        [...path, key],
        'wrong-step',
        `${path.join('.')}.${key}: a pause has only a duration: leave it out`,
      );
  const duration = file.pause?.duration;
  if (duration === undefined) return { kind: 'pause' };
  const range = { ...STEP_DURATION, minMs: 1 };
  return { kind: 'pause', durationMs: readDuration(duration, 0, range, [...path, 'pause', 'duration'], findings) };
}

function readTrafficStep(file: FileStep, path: Path, arms: ArmNames, findings: Findings): TrafficStep | undefined {
  const weights = readWeights(file.traffic_split, [arms.stable, arms.canary], [...path, 'traffic_split'], findings);
  const bounds = readBounds(file, path, findings);
  return weights ? { kind: 'traffic', weights, ...bounds } : undefined;
}

function readShadowStep(
  file: FileStep,
  shadow: NonNullable<FileStep['shadow']>,
  path: Path,
  findings: Findings,
): ShadowStep {
  const fraction = readShadowFraction(shadow, [...path, 'shadow'], findings);
  return { kind: 'shadow', fraction, ...readBounds(file, path, findings) };
}

/** How long a step lasts: at least and at most. */
function readBounds(file: FileStep, path: Path, findings: Findings): Pick<TrafficStep, 'atLeast' | 'atMostMs'> {
  const atLeast = {
    predictions: file.atLeast?.predictions ?? DEFAULT_STEP_PREDICTIONS,
    durationMs: readDuration(
      file.atLeast?.duration,
      DEFAULT_STEP_DURATION_MS,
      STEP_DURATION,
      [...path, 'atLeast', 'duration'],
      findings,
    ),
  };
  const atMostPath = [...path, 'atMost', 'duration'];
  const atMostMs = readDuration(file.atMost?.duration, Infinity, { ...STEP_DURATION, minMs: 1 }, atMostPath, findings);
  if (atMostMs < atLeast.durationMs)
    findings.refuse(
      atMostPath,
      'out-of-range',
      `${atMostPath.join('.')}: the step may not end before atLeast.duration is over: make it longer, or atLeast shorter`,
    );
  return { atLeast, ...(Number.isFinite(atMostMs) ? { atMostMs } : {}) };
}

function checkOrder(steps: readonly RolloutStep[], arms: ArmNames, findings: Findings): void {
  const full = `{ traffic_split: { ${arms.stable}: 0, ${arms.canary}: 1 } }`;
  let highest = 0;
  steps.forEach((step, index) => {
    if (step.kind === 'pause') return;
    if (step.kind === 'shadow') {
      if (highest > 0) refuseLateShadow(['steps', index], findings);
      return;
    }
    const share = step.weights[arms.canary]!;
    const path: Path = ['steps', index, 'traffic_split'];
    const field = path.join('.');
    if (share === 0)
      findings.refuse(
        path,
        'no-canary-traffic',
        `${field}: ${arms.canary} gets nothing, so nothing can be learnt: give it a share above 0`,
      );
    else if (share < highest)
      findings.refuse(
        path,
        'falling-steps',
        `${field}: the canary's share falls from ${highest} to ${share}: steps only rise, a rollback is automatic`,
      );
    else if (share === 1 && index < steps.length - 1)
      findings.refuse(
        path,
        'full-too-early',
        `${field}: ${arms.canary} gets everything, and then nothing is left to compare with: make it the last step`,
      );
    highest = Math.max(highest, share);
  });
  const last = steps.at(-1)!;
  const lastPath: Path = ['steps', steps.length - 1];
  if (last.kind === 'pause')
    findings.refuse(
      lastPath,
      'ends-with-pause',
      `${lastPath.join('.')}: a pause cannot be the last step: end with ${full}, and pause before it`,
    );
  else if (last.kind === 'shadow' || last.weights[arms.canary] !== 1)
    findings.refuse(
      lastPath,
      'not-full-at-end',
      `${lastPath.join('.')}: the last step must give ${arms.canary} everything before it becomes stable: add ${full}`,
    );
  const first = steps[0]!;
  if (first.kind === 'pause')
    findings.refuse(
      ['steps', 0],
      'begins-with-pause',
      'steps.0: a pause cannot be the first step: apply the file when the rollout may begin',
    );
  else if (first.kind === 'traffic' && first.weights[arms.canary] === 1)
    findings.warn(
      ['steps', 0],
      'everybody-at-once',
      `steps.0: the first step sends everybody to ${arms.canary}, so it is compared with nothing and only a dead canary is noticed: begin with { traffic_split: { ${arms.stable}: 0.9, ${arms.canary}: 0.1 } }`,
    );
}
