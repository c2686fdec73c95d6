import type { Findings, Path } from './findings.js';
import { isOff, type FileStep, type RolloutFile } from './rollout-file.js';
import type { Checks, ShadowCheck } from './rollout-spec.js';

export const DEFAULT_SHADOW_MAX_DROP = 0.02;
const BASIS_POINTS = 10_000;

/** Reads the fraction of the predictions that is copied: as weights, with at most four decimals. */
export function readShadowFraction(file: NonNullable<FileStep['shadow']>, path: Path, findings: Findings): number {
  const { fraction } = file;
  const rounded = Math.round(fraction * BASIS_POINTS) / BASIS_POINTS;
  if (Math.abs(fraction - rounded) > 1e-10)
    findings.refuse(
      [...path, 'fraction'],
      'too-many-decimals',
      `${[...path, 'fraction'].join('.')}: ${fraction} has more than four decimals: write ${Math.max(rounded, 1 / BASIS_POINTS)}`,
    );
  return rounded;
}

/** A shadow step after users have met the canary teaches nothing that the users' own predictions do not. */
export function refuseLateShadow(path: Path, findings: Findings): void {
  findings.refuse(
    [...path, 'shadow'],
    'shadow-too-late',
    `${path.join('.')}.shadow: the canary has users by then, and they show more than copies: move it before the first traffic_split`,
  );
}

/** What answers to copies are held to: by default accuracy, where labels are compared at all. */
export function readShadowCheck(
  file: RolloutFile,
  accuracy: Checks['accuracy'],
  findings: Findings,
): ShadowCheck | undefined {
  const written = file.checks?.shadow;
  const path = ['checks', 'shadow'];
  if (!file.steps?.some((step) => step.shadow !== undefined)) {
    if (written !== undefined && !isOff(written))
      findings.refuse(
        path,
        'no-shadow-step',
        'checks.shadow: no step sends copies: begin steps with - { shadow: { fraction: 0.5 } }, or leave it out',
      );
    return undefined;
  }
  if (isOff(written)) return undefined;
  const { minAgreement, maxDrop } = written ?? {};
  if (minAgreement !== undefined && !file.prediction)
    findings.refuse(
      [...path, 'minAgreement'],
      'no-prediction',
      'checks.shadow.minAgreement: answers cannot be compared: add prediction: { pointer: /outputs/0/data/0, kind: class }, where the answer holds the prediction',
    );
  if (typeof maxDrop === 'number' && file.prediction && !accuracy)
    findings.refuse(
      [...path, 'maxDrop'],
      'no-labels',
      'checks.shadow.maxDrop: labels are not compared, since checks.accuracy is off: switch it on, or leave maxDrop out',
    );
  if (typeof maxDrop === 'number' && !file.prediction)
    findings.refuse(
      [...path, 'maxDrop'],
      'no-prediction',
      'checks.shadow.maxDrop: labels cannot be compared with anything: add prediction: { pointer: /outputs/0/data/0, kind: class }, where the answer holds the prediction',
    );
  const drop = isOff(maxDrop) || !accuracy ? undefined : (maxDrop ?? DEFAULT_SHADOW_MAX_DROP);
  return { ...(minAgreement === undefined ? {} : { minAgreement }), ...(drop === undefined ? {} : { maxDrop: drop }) };
}
