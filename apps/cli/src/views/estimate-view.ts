import {
  assertNever,
  checkName,
  type DurationEstimate,
  type RolloutSpec,
  type RolloutStep,
  roughDuration,
  type StepEstimate,
} from '@app/shared';
import { percentText, weightsText } from './figures.js';

/** How long a rollout will take at a traffic, step by step. */
export function estimateLines(spec: RolloutSpec, estimate: DurationEstimate): string[] {
  const rate = Number(estimate.predictionsPerSecond.toPrecision(3));
  const total = estimate.totalMs === null ? 'it does not end' : `about ${roughDuration(estimate.totalMs)}`;
  const person = estimate.waitsForPerson ? ', and the time a person takes to approve' : '';
  return [
    `at ${rate} predictions/s: ${total}${person}`,
    ...estimate.steps.map((step) => `  step ${step.step + 1}  ${stepLine(spec, step)}`),
  ];
}

function stepLine(spec: RolloutSpec, estimate: StepEstimate): string {
  const step = spec.steps[estimate.step];
  const what = step ? stepText(step) : '';
  const howLong = estimate.durationMs === null ? '' : ` ${roughDuration(estimate.durationMs)},`;
  return `${what}:${howLong} ${waitText(estimate)}`;
}

function stepText(step: RolloutStep): string {
  switch (step.kind) {
    case 'traffic':
      return weightsText(step.weights);
    case 'shadow':
      return `shadow, copies of ${percentText(step.fraction)} %`;
    case 'pause':
      return 'pause';
    default:
      return assertNever(step, 'step');
  }
}

function waitText({ waitsFor, check }: StepEstimate): string {
  switch (waitsFor) {
    case 'evidence':
      return `for the evidence on ${checkName(check ?? '')}`;
    case 'labels':
      return `for the labels of ${checkName(check ?? '')}`;
    case 'predictions':
      return 'for its least number of predictions';
    case 'minimum':
      return 'its least duration';
    case 'pause':
      return 'then it goes on by itself';
    case 'person':
      return 'until a person approves';
    case 'traffic':
      return 'there is no traffic to judge by';
    default:
      return assertNever(waitsFor, 'wait');
  }
}
