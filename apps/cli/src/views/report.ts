import { type Api, type CheckResult, checkTitle, type Decision } from '@app/shared';
import pc from 'picocolors';
import { countText, differenceText, intervalText, limitText, valueText, weightsText, whoText } from './figures.js';
import { resultText, statusText } from './model-view.js';

/** One page about a model's newest rollout, to go with a change ticket. */
export interface Report {
  readonly title: string;
  readonly madeAt: string;
  readonly summary: readonly (readonly [label: string, text: string])[];
  /** Why it stands where it stands, with the numbers. */
  readonly why: string;
  readonly checks: readonly CheckRow[];
  readonly decisions: readonly DecisionRow[];
}

export interface CheckRow {
  readonly check: string;
  readonly stable: string;
  readonly canary: string;
  readonly difference: string;
  readonly limit: string;
  readonly n: string;
  readonly result: string;
}

export interface DecisionRow {
  readonly at: string;
  readonly action: string;
  readonly traffic: string;
  readonly by: string;
  readonly reason: string;
}

const PLAIN = pc.createColors(false);

export function reportOf(view: Api['ModelView'], decisions: readonly Decision[], nowMs: number): Report {
  const { state, verdict } = view;
  const { rollout } = state;
  const own = rollout ? decisions.filter((decision) => decision.rollout === rollout.rollout) : decisions;
  const end = own.findLast((decision) => decision.reason.checks !== undefined);
  // What decided it, or, while nothing has, what the data says now.
  const checks =
    rollout?.endedAt === undefined ? (verdict?.checks ?? end?.reason.checks) : (end?.reason.checks ?? verdict?.checks);
  const last = own.at(-1) ?? state.decisions.at(-1);
  return {
    title: `${state.model}: ${rollout ? `${rollout.rollout}, ${rollout.canary} beside ${rollout.stable}` : `${state.stable}, no rollout yet`}`,
    madeAt: utc(nowMs),
    summary: [
      ['Status', statusText(state, nowMs, PLAIN)],
      ['Traffic', weightsText(state.weights)],
      ...(rollout ? rolloutSummary(rollout) : []),
    ],
    why: last?.reason.text ?? 'nothing has been decided about this model yet',
    checks: (checks ?? []).map(checkRow),
    decisions: own.map(decisionRow),
  };
}

function rolloutSummary(rollout: Api['RolloutProgress']): (readonly [string, string])[] {
  const { appliedBy, spec, startedAt, endedAt } = rollout;
  const shares = spec.steps.map((step) => {
    switch (step.kind) {
      case 'traffic':
        return `${Number(((step.weights[rollout.canary] ?? 0) * 100).toFixed(2))} %`;
      case 'shadow':
        return 'shadow';
      case 'pause':
        return 'pause';
    }
  });
  return [
    ['Begun', utc(startedAt)],
    ...(endedAt === undefined ? [] : [['Ended', utc(endedAt)] as const]),
    ...(appliedBy
      ? [['Asked for by', whoText(appliedBy) + (appliedBy.reason ? `: ${appliedBy.reason}` : '')] as const]
      : []),
    ['Steps', shares.join(' → ')],
  ];
}

function checkRow(check: CheckResult): CheckRow {
  const { unit } = check;
  return {
    check: checkTitle(check),
    stable: valueText(check.stable?.value, unit),
    canary: valueText(check.canary.value, unit),
    difference: `${differenceText(check.difference, unit)} ${intervalText(check.interval, unit)}`.trim(),
    limit: limitText(check),
    n: countText(check.canary.n),
    result: resultText(check, PLAIN),
  };
}

function decisionRow(decision: Decision): DecisionRow {
  const positive = Object.fromEntries(Object.entries(decision.to).filter(([, weight]) => weight > 0));
  return {
    at: utc(decision.at),
    action: decision.action.replaceAll('-', ' '),
    traffic: weightsText(positive),
    by: whoText(decision),
    reason: decision.reason.text,
  };
}

/** Whoever reads a ticket may be anywhere. */
const utc = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const CHECK_HEADS = [
  'Check',
  'Stable',
  'Canary',
  'Difference [95 % interval]',
  'Limit',
  'n',
  'Verdict',
] as const;
export const checkCells = (row: CheckRow): string[] => [
  row.check,
  row.stable,
  row.canary,
  row.difference,
  row.limit,
  row.n,
  row.result,
];
export const DECISION_HEADS = ['When', 'What', 'Traffic', 'By', 'Why'] as const;
export const decisionCells = (row: DecisionRow): string[] => [row.at, row.action, row.traffic, row.by, row.reason];
