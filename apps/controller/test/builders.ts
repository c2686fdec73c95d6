import type {
  CheckResult,
  Command,
  RolloutSpec,
  RolloutState,
  RolloutStep,
  TrafficStep,
  Verdict,
  VersionSpec,
} from '@app/shared';

/** Builders of what the controller is fed with. Everything not named is ordinary. */
export const T0 = 1_800_000_000_000;

export function version(name: string, url = `http://127.0.0.1:9/${name}`): VersionSpec {
  return { version: name, url, deadlineMs: 10_000, maxConcurrency: 1024 };
}

export function traffic(canary: number, more: Partial<TrafficStep> = {}): RolloutStep {
  return {
    kind: 'traffic',
    weights: { v1: Number((1 - canary).toFixed(4)), v2: canary },
    atLeast: { predictions: 1000, durationMs: 60_000 },
    ...more,
  };
}

export function shadow(fraction = 0.5): RolloutStep {
  return { kind: 'shadow', fraction, atLeast: { predictions: 1000, durationMs: 60_000 } };
}

export function spec(overrides: Partial<RolloutSpec> = {}): RolloutSpec {
  return {
    model: 'digits',
    stable: version('v1'),
    canary: version('v2'),
    prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
    warmup: { predictions: 200, durationMs: 30_000 },
    steps: [traffic(0.1), traffic(0.5), traffic(1)],
    checks: {
      errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
      latency: { p99: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false },
    },
    onInconclusive: 'pause',
    alpha: 0.01,
    beta: 0.05,
    ...overrides,
  };
}

/** A file that only registers the model. */
export function registration(overrides: Partial<RolloutSpec> = {}): RolloutSpec {
  return spec({ canary: undefined, steps: [], ...overrides });
}

let commandNumber = 0;

export function command(action: Command['action'], overrides: Partial<Command> = {}): Command {
  return {
    schemaVersion: 1,
    commandId: `c-${++commandNumber}`,
    model: 'digits',
    action,
    actor: 'ann',
    reason: '',
    at: T0,
    ...overrides,
  };
}

export function check(name: string, overrides: Partial<CheckResult> = {}): CheckResult {
  return {
    check: name,
    gating: true,
    stable: { n: 9000, bad: 45, value: 0.005 },
    canary: { n: 1000, bad: 6, value: 0.006 },
    difference: 0.001,
    interval: [-0.004, 0.006],
    limit: 0.01,
    unit: 'fraction',
    evidence: { fail: 0, pass: 3.2 },
    result: 'pass',
    predictionsToGo: null,
    ...overrides,
  };
}

let cutNumber = 0;

/** A verdict about the present phase of a model with a rollout. */
export function verdict(state: RolloutState, result: Verdict['result'], overrides: Partial<Verdict> = {}): Verdict {
  const number = overrides.cut?.number ?? ++cutNumber;
  return {
    kind: 'verdict',
    schemaVersion: 1,
    verdictId: `verdict-${number}`,
    engineVersion: '1',
    model: state.model,
    rollout: state.rollout?.rollout ?? 'none',
    step: state.rollout?.step ?? 0,
    generation: state.generation,
    result,
    reason: { code: `code-of-${result}`, text: `the data says ${result}` },
    checks: [check('errorRate')],
    evidence: { lnE: 0, lnLimit: 4.6 },
    asOf: state.updatedAt + number,
    counted: { stable: 9000, canary: 1000 },
    forecast: { predictionsToGo: null, minutesToGo: null },
    cut: { owner: 0, number, positions: { outcome: [number], label: [0] } },
    ...overrides,
  };
}
