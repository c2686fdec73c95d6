import type { Api } from '@app/api';

/** What the API tells, by the names that the pages use. */
export type ModelState = Api['RolloutState'];
export type Progress = NonNullable<ModelState['rollout']>;
export type RolloutStatus = Progress['status'];
export type Decision = Api['Decision'];
export type Verdict = Api['Verdict'];
export type CheckResult = Api['CheckResult'];
export type RolloutSpec = Api['RolloutSpec'];
export type RolloutStep = RolloutSpec['steps'][number];
export type RolloutRecord = Api['RolloutRecord'];
export type RolloutLine = Api['RolloutLine'];
export type FleetRow = Api['FleetRow'];
export type VerdictSeries = Api['VerdictSeries'];
export type CheckSeries = Api['CheckSeries'];
export type ModelWindow = Api['Window'];
export type Estimate = Api['DurationEstimate'];
export type FieldProblem = Api['FieldProblem'];
export type Weights = Readonly<Record<string, number>>;

/** What a page about a model rests on. */
export interface ModelView {
  readonly state: ModelState;
  readonly verdict: Verdict | null;
}

export type OpenStatus = 'waiting-ready' | 'progressing' | 'paused';

export const isOpen = (status: RolloutStatus): status is OpenStatus =>
  status === 'waiting-ready' || status === 'progressing' || status === 'paused';
