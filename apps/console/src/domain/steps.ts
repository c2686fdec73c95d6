import { roughDuration } from '@app/words';
import { countText, percentText } from './figures.js';
import type { Estimate, RolloutRecord, RolloutStep } from './records.js';

export type StepPlace = 'done' | 'present' | 'ended-here' | 'to-come' | 'skipped';

/** A step of the file, and how far the rollout has come in it. */
export interface StepView {
  readonly key: number;
  readonly title: string;
  /** What it takes at least and at most. */
  readonly bounds: string;
  readonly place: StepPlace;
}

export function stepViews({
  spec,
  step,
  status,
}: Pick<RolloutRecord, 'spec' | 'step' | 'status'>): readonly StepView[] {
  return (spec?.steps ?? []).map((one, index) => ({
    key: index,
    title: stepTitle(one, spec?.canary?.version ?? ''),
    bounds: boundsText(one),
    place: placeOf(index, step, status),
  }));
}

function placeOf(index: number, step: number, status: RolloutRecord['status']): StepPlace {
  if (index < step) return 'done';
  switch (status) {
    case 'promoted':
      return index === step ? 'done' : 'skipped';
    case 'rolled-back':
    case 'aborted':
      return index === step ? 'ended-here' : 'skipped';
    case 'waiting-ready':
      return 'to-come';
    case 'progressing':
    case 'paused':
      return index === step ? 'present' : 'to-come';
  }
}

export function stepTitle(step: RolloutStep, canary: string): string {
  switch (step.kind) {
    case 'traffic':
      return `${canary} gets ${percentText(step.weights[canary] ?? 0)}`;
    case 'shadow':
      return `Shadow: copies of ${percentText(step.fraction)} go to ${canary}`;
    case 'pause':
      return step.durationMs === undefined ? 'A person approves' : `Pause of ${roughDuration(step.durationMs)}`;
  }
}

function boundsText(step: RolloutStep): string {
  if (step.kind === 'pause') return '';
  const { predictions, durationMs } = step.atLeast;
  const least = [
    ...(predictions > 0 ? [`${countText(predictions)} predictions`] : []),
    ...(durationMs > 0 ? [roughDuration(durationMs)] : []),
  ];
  const most = step.atMostMs === undefined ? '' : `at most ${roughDuration(step.atMostMs)}`;
  return [least.length > 0 ? `at least ${least.join(' and ')}` : '', most].filter((part) => part !== '').join(', ');
}

/** How long a step is going to take, and what for. */
export function stepEstimateText(
  { durationMs, waitsFor, check }: Estimate['steps'][number],
  name: (check: string) => string,
): string {
  const long = durationMs === null ? '' : `about ${roughDuration(durationMs)}, `;
  switch (waitsFor) {
    case 'evidence':
      return `${long}for the evidence on ${name(check ?? '')}`;
    case 'labels':
      return `${long}for the labels of ${name(check ?? '')}`;
    case 'predictions':
      return `${long}for its least number of predictions`;
    case 'minimum':
      return `${long}its least duration`;
    case 'pause':
      return `${long}then it goes on by itself`;
    case 'person':
      return 'until a person approves';
    case 'traffic':
      return 'there is no traffic to judge by';
  }
}

export function totalText({ totalMs, waitsForPerson }: Pick<Estimate, 'totalMs' | 'waitsForPerson'>): string {
  const total = totalMs === null ? 'It does not end at this traffic' : `About ${roughDuration(totalMs)} in all`;
  return `${total}${waitsForPerson ? ', and the time a person takes to approve' : ''}.`;
}
