import type { CheckResult, Decision, RolloutSpec, RolloutState, Verdict } from '@app/shared';
import type { RolloutInput } from '../../apps/controller/src/domain/rollout/inputs.js';
import { transition } from '../../apps/controller/src/domain/rollout/transition.js';
import { check, command, spec, verdict } from '../../apps/controller/test/builders.js';

/** What the canary of a scene is like. */
export type Kind = 'good' | 'slow' | 'wrong';

const STEP_MS = 1_000;

/**
 * A model's history as the state machine makes it, told in verdicts and commands: what the topics would hold. Ends at
 * `nowMs`.
 */
export class Scene {
  state: RolloutState | null = null;
  readonly decisions: Decision[] = [];
  readonly verdicts: Verdict[] = [];
  private atMs: number;
  private counted = 0;
  private cut = 0;
  private commands = 0;

  constructor(
    readonly model: string,
    private readonly options: { readonly beginsAtMs: number; readonly kind?: Kind; readonly seed?: number },
  ) {
    this.atMs = options.beginsAtMs;
  }

  registered(): this {
    const file = this.spec();
    return this.does({
      kind: 'command',
      command: this.command('apply', { spec: { ...file, canary: undefined, steps: [] } }),
    });
  }

  applied(overrides: Partial<RolloutSpec> = {}): this {
    return this.does({ kind: 'command', command: this.command('apply', { spec: this.spec(overrides) }) });
  }

  started(overrides: Partial<RolloutSpec> = {}): this {
    this.applied(overrides);
    this.counted = 0;
    return this.does({ kind: 'readiness', rollout: this.rollout(), ready: true, detail: '200' });
  }

  notReady(detail: string): this {
    return this.does({ kind: 'readiness', rollout: this.rollout(), ready: false, detail });
  }

  /** Verdicts that see no end yet, one a second. */
  watched(seconds: number, reason?: Verdict['reason']): this {
    for (let i = 0; i < seconds; i++)
      this.judged('continue', reason ?? { code: 'evidence-growing', text: this.growing() });
    return this;
  }

  held(reason: Verdict['reason']): this {
    return this.judged('hold', reason);
  }

  passed(): this {
    this.judged('pass', {
      code: 'passed',
      text: `every check is within its limit after ${this.counted} canary predictions`,
    });
    this.counted = 0;
    return this;
  }

  failed(reason: Verdict['reason']): this {
    return this.judged('fail', reason);
  }

  told(action: 'pause' | 'abort' | 'promote-full' | 'undo', reason: string, actor = 'ann'): this {
    return this.does({ kind: 'command', command: this.command(action, { reason, actor }) });
  }

  gone(ms: number): this {
    this.atMs += ms;
    return this;
  }

  /** What an evaluator that is alive would say now, if there is something to say. */
  another(nowMs: number): Verdict | null {
    const { rollout } = this.state ?? {};
    if (rollout?.status !== 'progressing' && rollout?.status !== 'paused') return null;
    if (rollout.phases.length === 0) return null;
    this.atMs = Math.max(this.atMs, nowMs - STEP_MS);
    const last = this.verdicts.at(-1);
    const held = rollout.held && last?.result === 'hold';
    this.judged(held ? 'hold' : 'continue', held ? last.reason : { code: 'evidence-growing', text: this.growing() });
    return this.verdicts.at(-1)!;
  }

  private does(input: RolloutInput): this {
    const moved = transition(this.state, input, { nowMs: this.atMs });
    if (moved.commandResult?.result === 'refused')
      throw new Error(`${this.model}: ${moved.commandResult.reason?.text}`);
    this.state = moved.state;
    this.decisions.push(...moved.decisions);
    return this;
  }

  private judged(result: Verdict['result'], reason: Verdict['reason']): this {
    this.atMs += STEP_MS;
    this.counted += 55;
    const { state } = this;
    const said = verdict(state!, result, {
      verdictId: `${this.model}-${this.cut}`,
      reason,
      asOf: this.atMs,
      checks: this.checks(),
      counted: this.share(),
      evidence: { lnE: this.lnAgainst(), lnLimit: Math.log(100) },
      forecast: { predictionsToGo: 1_800, minutesToGo: 6 },
      cut: { owner: 0, number: ++this.cut, positions: { outcome: [this.cut], label: [0] } },
    });
    this.verdicts.push(said);
    return this.does({ kind: 'verdict', verdict: said });
  }

  /** About as the weights say. */
  private share(): Verdict['counted'] {
    const weight = this.state!.weights['v2'] ?? 0;
    const canary = Math.round(this.counted * 0.98);
    return { canary, stable: weight === 0 || weight === 1 ? 0 : Math.round((this.counted * (1 - weight)) / weight) };
  }

  private lnAgainst(): number {
    const { kind = 'good' } = this.options;
    return kind === 'good'
      ? -0.4 + 0.3 * Math.sin(this.counted / 300)
      : Math.min(5.4, (this.counted / 1400) ** 1.5 * 4.7);
  }

  /** As evidence grows the intervals narrow around what the canary is really like. */
  private checks(): CheckResult[] {
    const { kind = 'good', seed = 1 } = this.options;
    const n = this.counted;
    const wobble = (period: number): number => Math.sin((n + seed * 97) / period) / Math.sqrt(n);
    const arms = (stable: number, canary: number): Pick<CheckResult, 'stable' | 'canary'> => ({
      stable: { n: n * 9, bad: 0, value: stable },
      canary: { n, bad: 0, value: canary },
    });
    const compared = (
      name: string,
      at: { stable: number; difference: number; width: number; limit: number; worse: 1 | -1; unit: 'fraction' | 'ms' },
    ): CheckResult => {
      const difference = at.difference + at.width * 2 * wobble(210 + name.length * 13);
      const half = (at.width * 9) / Math.sqrt(n);
      const room = at.worse * (at.limit - difference);
      const beyond = room < 0 && n > 1200;
      const result = beyond ? 'fail' : room > half && n > 400 ? 'pass' : 'continue';
      return check(name, { ...arms(at.stable, at.stable + difference), difference, interval: [difference - half, difference + half], limit: at.limit, unit: at.unit, result, evidence: { fail: room < 0 ? this.lnAgainst() + 1.4 : -2, pass: room > 0 ? (room / half) * 2.6 : -3 }, predictionsToGo: result === 'pass' ? 0 : 1_800 }); // prettier-ignore
    };
    const list = [
      compared('latency.p99', {
        stable: 84,
        difference: kind === 'slow' ? 61 : 3,
        width: 9,
        limit: 20,
        worse: 1,
        unit: 'ms',
      }),
      compared('accuracy', {
        stable: 0.912,
        difference: kind === 'wrong' ? -0.061 : kind === 'slow' ? 0.021 : -0.002,
        width: 0.02,
        limit: -0.02,
        worse: -1,
        unit: 'fraction',
      }),
      compared('errorRate', {
        stable: 0.0112,
        difference: 0.0009,
        width: 0.012,
        limit: 0.01,
        worse: 1,
        unit: 'fraction',
      }),
      compared('latency.p50', {
        stable: 31,
        difference: kind === 'slow' ? 4 : 1,
        width: 2,
        limit: 6.2,
        worse: 1,
        unit: 'ms',
      }),
      check('errorCeiling', {
        ...arms(0, 0.0121),
        stable: null,
        difference: null,
        interval: null,
        limit: 0.5,
        gating: false,
        result: 'continue',
        evidence: { fail: -6, pass: null },
      }),
    ];
    return kind === 'wrong' ? [list[1]!, list[0]!, ...list.slice(2)] : list;
  }

  private growing(): string {
    return 'not yet sure enough of accuracy; accuracy is 91 % against 91.2 %, −0.2 points [−1.1, +0.7], limit −2; about 1,800 canary predictions to go, 6 min at the present rate';
  }

  private spec(overrides: Partial<RolloutSpec> = {}): RolloutSpec {
    return spec({ model: this.model, checks: CHECKS, ...overrides });
  }

  private command(action: Parameters<typeof command>[0], more: Parameters<typeof command>[1]) {
    return command(action, {
      model: this.model,
      at: this.atMs,
      commandId: `${this.model}-${++this.commands}`,
      ...more,
    });
  }

  private rollout(): string {
    return this.state!.rollout!.rollout;
  }
}

const CHECKS: RolloutSpec['checks'] = {
  errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
  accuracy: { maxDrop: 0.02, labelsWithinMs: 60_000, strict: false },
  latency: {
    p50: { maxRatio: 1.2, minIncreaseMs: 5 },
    p99: { maxRatio: 1.2, minIncreaseMs: 5, maxMs: 250 },
    strict: false,
  },
};
