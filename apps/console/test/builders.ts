import type {
  CheckResult,
  Decision,
  FleetRow,
  ModelState,
  ModelWindow,
  Progress,
  RolloutRecord,
  RolloutSpec,
  Verdict,
  VerdictSeries,
} from '../src/domain/records.js';

/** Builders of what the API answers. Everything not named is ordinary. */
export const T0 = 1_800_000_000_000;

const version = (name: string) => ({
  version: name,
  url: `http://${name}:9001`,
  deadlineMs: 10_000,
  maxConcurrency: 10,
});

export function spec(more: Partial<RolloutSpec> = {}): RolloutSpec {
  const atLeast = { predictions: 1000, durationMs: 60_000 };
  return {
    model: 'digits',
    stable: version('v1'),
    canary: version('v2'),
    warmup: { predictions: 200, durationMs: 30_000 },
    steps: [
      { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast },
      { kind: 'pause' },
      { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 0, durationMs: 600_000 } },
    ],
    checks: { errorRate: { maxIncrease: 0.01, max: 0.5, strict: false } },
    onInconclusive: 'pause',
    alpha: 0.01,
    beta: 0.05,
    ...more,
  };
}

export function check(name: string, more: Partial<CheckResult> = {}): CheckResult {
  return {
    check: name,
    gating: true,
    stable: { n: 9000, bad: 90, value: 0.01 },
    canary: { n: 1000, bad: 12, value: 0.012 },
    difference: 0.002,
    interval: [-0.004, 0.008],
    limit: 0.01,
    unit: 'fraction',
    evidence: { fail: -2, pass: 1.5 },
    result: 'continue',
    predictionsToGo: 1800,
    ...more,
  };
}

export function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    kind: 'verdict',
    schemaVersion: 1,
    verdictId: 'v',
    engineVersion: '1',
    model: 'digits',
    rollout: 'digits-1',
    step: 0,
    generation: 2,
    result: 'continue',
    reason: { code: 'evidence-growing', text: 'not yet sure enough of error rate' },
    checks: [check('errorRate')],
    evidence: { lnE: 0, lnLimit: Math.log(100) },
    asOf: T0,
    counted: { stable: 9000, canary: 1000 },
    forecast: { predictionsToGo: 1800, minutesToGo: 6 },
    cut: { owner: 0, number: 1, positions: { outcome: [1], label: [1] } },
    ...more,
  };
}

export function decision(sequence: number, action: Decision['action'], more: Partial<Decision> = {}): Decision {
  return {
    schemaVersion: 1,
    decisionId: `digits/${sequence}`,
    sequence,
    model: 'digits',
    rollout: 'digits-1',
    action,
    from: { v1: 0.9, v2: 0.1 },
    to: { v1: 0.9, v2: 0.1 },
    generation: 2,
    reason: { code: 'code', text: `why it was ${action}` },
    cause: { kind: 'verdict', verdictId: 'v' },
    actor: 'system',
    at: T0 + sequence * 1000,
    safeToRemove: [],
    ...more,
  };
}

export function progress(more: Partial<Progress> = {}): Progress {
  return {
    rollout: 'digits-1',
    spec: spec(),
    status: 'progressing',
    stable: 'v1',
    canary: 'v2',
    step: 0,
    phases: [],
    startedAt: T0,
    stepStartedAt: T0,
    ...more,
  };
}

export function state(rollout: Progress | undefined = progress(), more: Partial<ModelState> = {}): ModelState {
  const reached = { deadlineMs: 1000, maxConcurrency: 1 };
  return {
    schemaVersion: 1,
    model: 'digits',
    sequence: 3,
    generation: 2,
    updatedAt: T0,
    salt: 's',
    stable: 'v1',
    canary: 'v2',
    weights: { v1: 0.9, v2: 0.1 },
    versions: {
      v1: { index: 0, url: 'http://v1:9001', ...reached },
      v2: { index: 1, url: 'http://v2:9001', ...reached },
    },
    rollout,
    rolloutCount: 1,
    versionIndexMax: 1,
    versionIndexes: { v1: 0, v2: 1 },
    decisions: [],
    commands: [],
    ...more,
  };
}

export function record(more: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    rollout: 'digits-1',
    status: 'progressing',
    spec: spec(),
    stable: 'v1',
    canary: 'v2',
    step: 0,
    startedAt: T0,
    endedAt: null,
    decisions: [],
    ...more,
  };
}

export function row(
  model: string,
  more: Partial<FleetRow> = {},
  rollout: Partial<NonNullable<FleetRow['rollout']>> = {},
): FleetRow {
  return {
    model,
    stable: 'v1',
    canary: 'v2',
    weights: { v1: 0.9, v2: 0.1 },
    shadow: null,
    rollout: {
      rollout: `${model}-1`,
      status: 'progressing',
      stable: 'v1',
      canary: 'v2',
      step: 0,
      steps: 3,
      startedAt: T0,
      stepStartedAt: T0,
      endedAt: null,
      held: null,
      pause: null,
      ...rollout,
    },
    verdict: null,
    last: { sequence: 1, action: 'started', at: T0, actor: 'ann', reason: { code: 'c', text: 't' } },
    ...more,
  };
}

export function window(startMs: number, routed: Readonly<Record<string, number>>): ModelWindow {
  const figures = (n: number) => ({
    routed: n,
    errors: n / 100,
    labelled: n / 2,
    right: n / 4,
    latencyMs: { p50: 10, p95: 20, p99: 30 },
    labelDelayMs: { p50: 1000, p95: 2000 },
  });
  const versions = Object.fromEntries(Object.entries(routed).map(([name, n]) => [name, figures(n)]));
  return { startMs, durationMs: 10_000, versions };
}

export const emptySeries: VerdictSeries = {
  model: 'digits',
  rollout: 'digits-1',
  at: [],
  step: [],
  result: [],
  code: [],
  lnE: [],
  lnLimit: [],
  stable: [],
  canary: [],
  checks: [],
};
