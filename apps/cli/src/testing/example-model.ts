import type { CheckResult, Decision, RolloutState } from '@app/shared';

const BEGUN_MS = Date.UTC(2026, 10, 22, 13, 0, 0);
const ENDED_MS = BEGUN_MS + 600_000;

const accuracy: CheckResult = {
  check: 'accuracy',
  gating: true,
  stable: { n: 2210, bad: 422, value: 0.809 },
  canary: { n: 243, bad: 70, value: 0.712 },
  difference: -0.097,
  interval: [-0.162, -0.032],
  limit: -0.02,
  unit: 'fraction',
  evidence: { fail: 6.1, pass: -8.2 },
  result: 'fail',
  predictionsToGo: null,
};
const latency: CheckResult = {
  ...accuracy,
  check: 'latency.p99',
  stable: { n: 2340, bad: 24, value: 84 },
  canary: { n: 260, bad: 3, value: 88 },
  difference: 4,
  interval: [1, 7],
  limit: 20,
  unit: 'ms',
  result: 'pass',
};

const started: Decision = {
  schemaVersion: 1,
  decisionId: 'digits/11',
  sequence: 11,
  model: 'digits',
  rollout: 'digits-4',
  action: 'started',
  from: { v1: 1, v3: 0 },
  to: { v1: 0.9, v3: 0.1 },
  generation: 8,
  phase: 'progressing',
  step: 0,
  reason: { code: 'canary-ready', text: 'v3 gets 10 %' },
  cause: { kind: 'command', commandId: 'c' },
  actor: 'ci',
  onBehalfOf: 'ada',
  at: BEGUN_MS,
  safeToRemove: [],
};
const rolledBack: Decision = {
  ...started,
  decisionId: 'digits/12',
  sequence: 12,
  action: 'rolled-back',
  from: started.to,
  to: { v1: 1, v3: 0 },
  generation: 9,
  phase: 'rolled-back',
  reason: { code: 'accuracy-too-low', text: 'accuracy 71.2 % against 80.9 %', checks: [accuracy, latency] },
  cause: { kind: 'verdict', verdictId: 'v' },
  actor: 'system',
  onBehalfOf: undefined,
  at: ENDED_MS,
  safeToRemove: ['v3'],
};
/** Of another rollout: not this report's. */
const before: Decision = { ...started, decisionId: 'digits/10', sequence: 10, rollout: 'digits-3', action: 'promoted' };

const reached = { deadlineMs: 10_000, maxConcurrency: 1024 };
const atLeast = { predictions: 1000, durationMs: 60_000 };
const state: RolloutState = {
  schemaVersion: 1,
  model: 'digits',
  sequence: 12,
  generation: 9,
  updatedAt: ENDED_MS,
  salt: 'digits-4',
  stable: 'v1',
  weights: { v1: 1, v3: 0 },
  versions: { v1: { index: 0, url: 'http://a:1', ...reached }, v3: { index: 2, url: 'http://b:2', ...reached } },
  rollout: {
    rollout: 'digits-4',
    spec: {
      model: 'digits',
      stable: { version: 'v1', url: 'http://a:1', ...reached },
      canary: { version: 'v3', url: 'http://b:2', ...reached },
      warmup: { predictions: 200, durationMs: 30_000 },
      steps: [
        { kind: 'traffic', weights: { v1: 0.9, v3: 0.1 }, atLeast },
        { kind: 'traffic', weights: { v1: 0, v3: 1 }, atLeast },
      ],
      checks: {},
      onInconclusive: 'pause',
      alpha: 0.01,
      beta: 0.05,
    },
    status: 'rolled-back',
    stable: 'v1',
    canary: 'v3',
    step: 0,
    phases: [],
    startedAt: BEGUN_MS,
    stepStartedAt: BEGUN_MS,
    endedAt: ENDED_MS,
    appliedBy: { commandId: 'c', actor: 'ci', onBehalfOf: 'ada', reason: 'release 47' },
  },
  rolloutCount: 4,
  versionIndexMax: 2,
  versionIndexes: { v1: 0, v3: 2 },
  decisions: [started, rolledBack],
  commands: [],
};

/** A model whose newest rollout was rolled back, as the API tells of it. */
export const EXAMPLE = {
  NOW_MS: ENDED_MS + 600_000,
  view: { state, verdict: null },
  decisions: [before, started, rolledBack] as readonly Decision[],
} as const;
