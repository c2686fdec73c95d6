import type { Findings, Path } from './findings.js';
import { isOff, type RolloutFile } from './rollout-file.js';
import type { Checks, CustomCheck, SegmentsSpec } from './rollout-spec.js';

export const DEFAULT_DRIFT = { allowance: 0.1 } as const;
export const DEFAULT_SEGMENTS_TOP = 5;
const CUSTOM_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;

type FileCustom = NonNullable<NonNullable<RolloutFile['checks']>['custom']>[string];

/** The checks that are off unless they are written: means of numbers of one's own, and drift of the predictions. */
export function readWatchedMore(file: RolloutFile, findings: Findings): Pick<Checks, 'custom' | 'drift'> {
  const custom: Record<string, CustomCheck> = {};
  for (const [name, written] of Object.entries(file.checks?.custom ?? {})) {
    const check = readCustom(name, written, file, findings);
    if (check) custom[name] = check;
  }
  const drift = file.checks?.drift;
  const watched = drift !== undefined && !isOff(drift);
  if (watched && !file.prediction)
    findings.refuse(
      ['checks', 'drift'],
      'no-prediction',
      'checks.drift: there are no predictions to look at: add prediction: { pointer: /outputs/0/data/0, kind: class }, where the answer holds the prediction',
    );
  return {
    ...(Object.keys(custom).length > 0 ? { custom } : {}),
    ...(watched ? { drift: { ...DEFAULT_DRIFT, ...drift } } : {}),
  };
}

export function readSegments(written: NonNullable<RolloutFile['segments']>, findings: Findings): SegmentsSpec {
  const header = written.header.toLowerCase();
  if (header === 'cookie' || header === 'authorization')
    findings.refuse(
      ['segments', 'header'],
      'wrong-value',
      `segments.header: ${header} is a secret, and segments are shown: name a header such as x-country`,
    );
  return { header, top: written.top ?? DEFAULT_SEGMENTS_TOP };
}

function readCustom(name: string, written: FileCustom, file: RolloutFile, findings: Findings): CustomCheck | undefined {
  const path: Path = ['checks', 'custom', name];
  const field = path.join('.');
  const { pointer, from = 'answer', value, maxIncrease, maxDrop, minEffect } = written;
  const before = findings.problems.length;
  if (!CUSTOM_NAME.test(name))
    findings.refuse(
      path,
      'wrong-name',
      `${field}: a check's name begins with a letter and has letters, digits, hyphens and underscores, at most 40`,
      'key',
    );
  const limit = maxIncrease ?? maxDrop;
  if (limit === undefined || (maxIncrease !== undefined && maxDrop !== undefined)) {
    const what = limit === undefined ? 'has no limit' : 'has two limits';
    const remedy = 'write maxIncrease where more is worse, or maxDrop where less is';
    findings.refuse(path, 'no-limit', `${field} ${what}: ${remedy}`);
  }
  if (from === 'answer' && (pointer === undefined || value !== undefined))
    findings.refuse(
      path,
      'no-pointer',
      `${field}: write where the answer holds the number, pointer: /parameters/${name}`,
    );
  if (from === 'label' && pointer !== undefined)
    findings.refuse(
      [...path, 'pointer'],
      'wrong-value',
      `${field}.pointer: labels hold numbers by name, in values: write value: ${name} in its place`,
    );
  if (from === 'label' && (!file.prediction || isOff(file.checks?.accuracy)))
    findings.refuse(
      path,
      'no-labels',
      `${field}: labels are counted by the accuracy check, as late as its labelsWithin: leave it on, or take the number from the answer`,
    );
  if (findings.problems.length > before || limit === undefined) return undefined;
  return {
    from,
    source: from === 'label' ? (value ?? name) : pointer!,
    worse: maxIncrease === undefined ? 'lower' : 'higher',
    limit,
    minEffect: minEffect ?? limit,
  };
}
