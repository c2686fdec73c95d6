import { formatDuration } from '@app/words';
import type { ModelState, RolloutSpec } from './records.js';

/** What the form asks for, as it is typed. */
export interface RolloutForm {
  readonly model: string;
  readonly stableVersion: string;
  readonly stableUrl: string;
  readonly canaryVersion: string;
  readonly canaryUrl: string;
  /** Where an answer holds what was predicted; empty: there is no accuracy. */
  readonly pointer: string;
  readonly kind: 'class' | 'number';
  readonly steps: readonly FormStep[];
  readonly errorPoints: string;
  readonly accuracyPoints: string;
  readonly labelsWithin: string;
  /** Most that a quantile may grow, in per cent; empty: not checked. */
  readonly latencyP50: string;
  readonly latencyP99: string;
  readonly onInconclusive: 'pause' | 'rollback';
}

export type FormStep =
  | { readonly kind: 'traffic'; readonly percent: string; readonly duration: string }
  /** An empty duration waits for a person. */
  | { readonly kind: 'pause'; readonly duration: string };

const EMPTY: RolloutForm = {
  model: '',
  stableVersion: 'v1',
  stableUrl: '',
  canaryVersion: 'v2',
  canaryUrl: '',
  pointer: '',
  kind: 'class',
  steps: [
    { kind: 'traffic', percent: '10', duration: '5m' },
    { kind: 'traffic', percent: '50', duration: '5m' },
    { kind: 'traffic', percent: '100', duration: '10m' },
  ],
  errorPoints: '1',
  accuracyPoints: '2',
  labelsWithin: '5m',
  latencyP50: '20',
  latencyP99: '20',
  onInconclusive: 'pause',
};

/** What is known of a model already; its last rollout's steps and limits are a good beginning. */
export function formOf(state: ModelState | null): RolloutForm {
  if (!state) return EMPTY;
  const { model, stable, versions, prediction, rollout } = state;
  const known: RolloutForm = {
    ...EMPTY,
    model,
    stableVersion: stable,
    stableUrl: versions[stable]?.url ?? '',
    canaryVersion: nextVersion(stable),
    pointer: prediction?.pointer ?? '',
    kind: prediction?.kind ?? 'class',
  };
  return rollout ? { ...known, ...formOfSpec(rollout.spec) } : known;
}

/** `v1` -> `v2`, `2026-11-27` and the like: nothing, a person knows better. */
function nextVersion(version: string): string {
  const [, name, number] = /^([A-Za-z]+)(\d+)$/.exec(version) ?? [];
  return name === undefined ? '' : `${name}${Number(number) + 1}`;
}

function formOfSpec({ steps, checks, canary, onInconclusive }: RolloutSpec): Partial<RolloutForm> {
  const percent = (ratio: number | undefined): string => (ratio === undefined ? '' : text((ratio - 1) * 100));
  return {
    steps: steps.flatMap((step): FormStep[] => {
      const name = canary?.version ?? '';
      if (step.kind === 'traffic') return [{ kind: 'traffic', percent: text((step.weights[name] ?? 0) * 100), duration: formatDuration(step.atLeast.durationMs) }]; // prettier-ignore
      if (step.kind === 'pause') return [{ kind: 'pause', duration: step.durationMs === undefined ? '' : formatDuration(step.durationMs) }]; // prettier-ignore
      return []; // shadow steps are for the text
    }),
    errorPoints: checks.errorRate ? text(checks.errorRate.maxIncrease * 100) : '',
    accuracyPoints: checks.accuracy ? text(checks.accuracy.maxDrop * 100) : '',
    labelsWithin: checks.accuracy ? formatDuration(checks.accuracy.labelsWithinMs) : EMPTY.labelsWithin,
    latencyP50: percent(checks.latency?.p50?.maxRatio),
    latencyP99: percent(checks.latency?.p99?.maxRatio),
    onInconclusive,
  };
}

const text = (value: number): string => String(Number(value.toFixed(4)));

/** The rollout file that the form says; what is wrong in it is for the API to find. */
export function fileOf(form: RolloutForm): string {
  const { model, stableVersion, stableUrl, canaryVersion, canaryUrl, pointer, kind, steps } = form;
  return [
    `model: ${scalar(model)}`,
    `stable: { version: ${scalar(stableVersion)}, url: ${scalar(stableUrl)} }`,
    `canary: { version: ${scalar(canaryVersion)}, url: ${scalar(canaryUrl)} }`,
    ...(pointer === '' ? [] : [`prediction: { pointer: ${scalar(pointer)}, kind: ${kind} }`]),
    'steps:',
    ...steps.map((step) => `  - ${stepText(step, form)}`),
    'checks:',
    ...checkLines(form).map((one) => `  ${one}`),
    `onInconclusive: ${form.onInconclusive}`,
    '',
  ].join('\n');
}

function stepText(step: FormStep, { stableVersion, canaryVersion }: RolloutForm): string {
  if (step.kind === 'pause')
    return step.duration === '' ? '{ pause: {} }' : `{ pause: { duration: ${scalar(step.duration)} } }`;
  const share = fraction(step.percent);
  const rest = typeof share === 'number' ? Number((1 - share).toFixed(6)) : share;
  const least = step.duration === '' ? '' : `, atLeast: { duration: ${scalar(step.duration)} }`;
  return `{ traffic_split: { ${scalar(stableVersion)}: ${rest}, ${scalar(canaryVersion)}: ${share} }${least} }`;
}

function checkLines({
  errorPoints,
  accuracyPoints,
  labelsWithin,
  latencyP50,
  latencyP99,
  pointer,
}: RolloutForm): string[] {
  const limit = (value: string): string => {
    const share = fraction(value);
    return value === '' ? 'off' : `{ maxRatio: ${typeof share === 'number' ? Number((1 + share).toFixed(6)) : share} }`;
  };
  return [
    errorPoints === '' ? 'errorRate: off' : `errorRate: { maxIncrease: ${fraction(errorPoints)} }`,
    ...(pointer === '' ? [] : [accuracyPoints === '' ? 'accuracy: off' : `accuracy: { maxDrop: ${fraction(accuracyPoints)}, labelsWithin: ${scalar(labelsWithin)} }`]), // prettier-ignore
    latencyP50 === '' && latencyP99 === ''
      ? 'latency: off'
      : `latency: { p50: ${limit(latencyP50)}, p99: ${limit(latencyP99)} }`,
  ];
}

/** Per cent as a fraction; what is no number stays as it was typed, so that the finding shows it. */
function fraction(percent: string): number | string {
  const value = Number(percent);
  return percent.trim() === '' || !Number.isFinite(value) ? scalar(percent) : Number((value / 100).toFixed(6));
}

/** Quoted where YAML would read something else. */
function scalar(value: string): string {
  return /^[A-Za-z/][A-Za-z0-9_./:-]*$/.test(value) &&
    !/^(true|false|yes|no|on|off|null|~)$/i.test(value) &&
    !value.endsWith(':')
    ? value
    : /^\d+(ms|s|m|h|d)+[\da-z]*$/.test(value)
      ? value
      : JSON.stringify(value);
}
