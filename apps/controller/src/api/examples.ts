import type { CheckResult, Decision, Label, RolloutFile, RolloutSpec, RolloutState, Verdict } from '@app/shared';
import { readingExamples } from './reading-examples.js';
import type { Applied, CommandDone, History, LabelsAccepted, Me, ModelList, ModelView, Windows } from './schemas.js';

/** What the OpenAPI document shows: one model in the middle of one rollout, in every answer the same. */
const AT = 1_795_356_190_000;

const FILE: RolloutFile = {
  model: 'digits',
  stable: { version: 'v1', url: 'http://digits-v1.models:9001' },
  canary: { version: 'v2', url: 'http://digits-v2.models:9001' },
  prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
  steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: '10m' } }],
  checks: { accuracy: { maxDrop: 0.02, labelsWithin: '5m' } },
};

const reached = { deadlineMs: 10_000, maxConcurrency: 1024 };
const gating = { predictions: 1000, durationMs: 60_000 };
const SPEC: RolloutSpec = {
  model: 'digits',
  stable: { ...FILE.stable, ...reached },
  canary: { version: 'v2', url: 'http://digits-v2.models:9001', ...reached },
  prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
  warmup: { predictions: 200, durationMs: 30_000 },
  steps: [
    { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast: gating, atMostMs: 14_400_000 },
    { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 0, durationMs: 600_000 } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
    accuracy: { maxDrop: 0.02, labelsWithinMs: 300_000, strict: false },
  },
  onInconclusive: 'pause',
  alpha: 0.01,
  beta: 0.05,
};

const CHECK: CheckResult = {
  check: 'accuracy',
  gating: true,
  stable: { n: 9000, bad: 1710, value: 0.81 },
  canary: { n: 1004, bad: 92, value: 0.908 },
  difference: 0.098,
  interval: [0.061, 0.135],
  limit: -0.02,
  unit: 'fraction',
  evidence: { fail: -9.1, pass: 2.6 },
  result: 'continue',
  predictionsToGo: 180,
};

const VERDICT: Verdict = {
  kind: 'verdict',
  schemaVersion: 1,
  verdictId: '0c1e6d2f9a54b873',
  engineVersion: '1',
  model: 'digits',
  rollout: 'digits-4',
  step: 0,
  generation: 8,
  result: 'continue',
  reason: { code: 'evidence-growing', text: 'accuracy is not decided yet' },
  checks: [CHECK],
  evidence: { lnE: -0.9, lnLimit: 4.605 },
  asOf: AT,
  counted: { stable: 9100, canary: 1010 },
  forecast: { predictionsToGo: 1800, minutesToGo: 0.2 },
  cut: { owner: 5, number: 311, positions: { outcome: [10_412, 9_987], label: [4_031, 4_102] } },
};

const STARTED: Decision = {
  schemaVersion: 1,
  decisionId: 'digits/13',
  sequence: 13,
  model: 'digits',
  rollout: 'digits-4',
  action: 'started',
  from: { v1: 1, v2: 0 },
  to: { v1: 0.9, v2: 0.1 },
  generation: 8,
  phase: 'progressing',
  step: 0,
  reason: { code: 'canary-ready', text: 'digits-4 starts: v2 gets 10 % of the traffic, v1 keeps 90 %' },
  cause: { kind: 'command', commandId: '7b0f5f0e-6d0c-4f5c-9d55-0a7a0e0c9f10' },
  actor: 'ci',
  onBehalfOf: 'ada',
  at: AT - 60_000,
  safeToRemove: [],
};

const PAUSED: Decision = {
  ...STARTED,
  decisionId: 'digits/14',
  sequence: 14,
  action: 'paused',
  from: STARTED.to,
  phase: 'paused',
  reason: { code: 'paused-by-hand', text: 'paused by ci on behalf of ada: busy hours' },
  cause: { kind: 'command', commandId: '0b8e3a52-45a7-4a8c-9a41-5d7f1f6f0a11' },
  at: AT,
};

const STATE: RolloutState = {
  schemaVersion: 1,
  model: 'digits',
  sequence: 13,
  generation: 8,
  updatedAt: AT - 60_000,
  salt: 'digits-4',
  stable: 'v1',
  canary: 'v2',
  weights: { v1: 0.9, v2: 0.1 },
  versions: {
    v1: { index: 0, url: 'http://digits-v1.models:9001', ...reached },
    v2: { index: 1, url: 'http://digits-v2.models:9001', ...reached },
  },
  prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
  rollout: {
    rollout: 'digits-4',
    spec: SPEC,
    status: 'progressing',
    stable: 'v1',
    canary: 'v2',
    step: 0,
    phases: [
      { sequence: 13, generation: 8, step: 0, weights: { v1: 0.9, v2: 0.1 }, bake: false, startedAt: AT - 60_000 },
    ],
    startedAt: AT - 61_000,
    stepStartedAt: AT - 60_000,
    appliedBy: {
      commandId: '7b0f5f0e-6d0c-4f5c-9d55-0a7a0e0c9f10',
      actor: 'ci',
      onBehalfOf: 'ada',
      reason: 'release 2026-47',
    },
  },
  rolloutCount: 4,
  versionIndexMax: 1,
  versionIndexes: { v1: 0, v2: 1 },
  decisions: [STARTED],
  commands: [],
};

const LABEL: Label = {
  predictionId: 'AEi5NKsSh3Xo66B4WByLa1l2FXS4Li5xI2XGWcpawayoQH0m8A2jLG7jormL',
  label: 3,
  occurredAt: AT - 5_000,
};

const PAUSED_STATE: RolloutState = {
  ...STATE,
  sequence: 14,
  updatedAt: AT,
  rollout: {
    ...STATE.rollout!,
    status: 'paused',
    pause: { code: 'paused-by-hand', text: PAUSED.reason.text, since: AT },
  },
  decisions: [STARTED, PAUSED],
};

/** By the name of the schema that each is an example of. */
export const EXAMPLES = {
  Me: { name: 'ci', role: 'operate', by: 'token' } satisfies Me,
  ModelList: { models: [{ state: STATE, verdict: VERDICT }] } satisfies ModelList,
  ModelView: { state: STATE, verdict: VERDICT } satisfies ModelView,
  History: { model: 'digits', decisions: [STARTED] } satisfies History,
  Windows: {
    model: 'digits',
    windows: [
      {
        startMs: AT - 10_000,
        durationMs: 10_000,
        versions: {
          v1: {
            routed: 4500,
            errors: 3,
            labelled: 4100,
            right: 3330,
            latencyMs: { p50: 16.2, p95: 30.1, p99: 44.8 },
            labelDelayMs: { p50: 3100, p95: 21_000 },
          },
          v2: {
            routed: 500,
            errors: 0,
            labelled: 455,
            right: 413,
            latencyMs: { p50: 18.3, p95: 33.5, p99: 47.7 },
            labelDelayMs: { p50: 3000, p95: 20_000 },
          },
        },
      },
    ],
  } satisfies Windows,
  CommandDone: {
    result: {
      commandId: PAUSED.cause.kind === 'command' ? PAUSED.cause.commandId : '',
      result: 'applied',
      sequence: 14,
    },
    decisions: [PAUSED],
    state: PAUSED_STATE,
  } satisfies CommandDone,
  Applied: {
    model: 'digits',
    rollout: 'digits-4',
    dryRun: false,
    changed: true,
    spec: SPEC,
    warnings: [],
    estimate: {
      predictionsPerSecond: 500,
      totalMs: 900_000,
      waitsForPerson: false,
      steps: [
        { step: 0, durationMs: 300_000, waitsFor: 'evidence', check: 'errorRate' },
        { step: 1, durationMs: 600_000, waitsFor: 'minimum' },
      ],
      warnings: [],
    },
    decisions: [STARTED],
    state: STATE,
  } satisfies Applied,
  LabelsAccepted: { accepted: 1 } satisfies LabelsAccepted,
  LabelList: { labels: [LABEL] } satisfies { labels: Label[] },
  RolloutFile: FILE,
  ...readingExamples({ state: STATE, spec: SPEC, verdict: VERDICT, check: CHECK, started: STARTED }),
} as const;
