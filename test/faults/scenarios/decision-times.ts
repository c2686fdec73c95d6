import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutState } from '@app/shared';
import { seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { freePort } from '../../../deploy/local/ports.js';
import { Child } from '../processes/child.js';
import type { LoadFigures, LoadQuestion } from '../processes/load.js';
import type { ModelQuestion } from '../processes/model.js';
import type { TablesQuestion } from '../processes/tables.js';
import { ControllerApi } from '../world/controller-api.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { comesTrue } from '../world/settle.js';
import { DecisionTrace, type TracedDecision } from './decision-trace.js';
import { quantile } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';

/** How a canary goes wrong. `killed`: its process is gone. */
export const CANARY_FAULTS = ['killed', 'refuses', 'hangs', 'garbage', 'drips'] as const;
export type CanaryFault = (typeof CANARY_FAULTS)[number];

export interface DecisionTimesOptions {
  /** Of each fault. */
  readonly runs: number;
  readonly faults: readonly CanaryFault[];
  /** Aborts by hand. */
  readonly aborts: number;
  readonly tables: number;
  readonly predictionsPerSecond: number;
  readonly routers: number;
  /** The ceiling of the canary's errors, 0 to 1; default: that of a rollout, .5. */
  readonly maxErrors?: number | undefined;
  /** Share of both versions' answers that are errors when all is well, 0 to 1; default none. */
  readonly ownErrors?: number | undefined;
}

const MODEL = 'judged';
const UNCHECKED = { accuracy: 'off', latency: 'off' } as const;
/** A prediction that the canary does not answer is asked of stable after so long. */
const DEADLINE = '2s';
/** Traffic of both versions before something goes wrong: so long, and up to a second more, for fresh starts begin each second. */
const BEFORE_MS = { least: 1_000, spread: 1_000 };
const DECISION_MS_MAX = 60_000;
const GOAL_MS = 1_000;
const ABORT_GOAL_MS = 100;
const APART_GOAL_MS = 1_000;
const CANARY_SHARE = 0.1;

/** Time from a canary's fault to weight 0 at every router, and from an abort by hand to weight 0 at many routing tables. */
export async function timeDecisions(options: DecisionTimesOptions, { say }: ScenarioContext): Promise<DecisionTimes> {
  await using opened = new AsyncDisposableStack();
  const world = await startFaultWorld({
    brokers: 1,
    counts: { router: options.routers, evaluator: 1, controller: 1 },
    direct: true,
    optimised: true,
    say,
  });
  opened.defer(() => world.close());
  await world.startAll();
  const stage = await Stage.open(world, options);
  opened.defer(() => stage.close());
  const byFault = new Map<CanaryFault, Timed[]>();
  for (let run = 1; run <= options.runs; run++) {
    for (const fault of options.faults) {
      const timed = await stage.timeFault(fault);
      byFault.set(fault, [...(byFault.get(fault) ?? []), timed]);
    }
    if (run % 10 === 0 || run === options.runs) say(progressOf(run, byFault));
  }
  const abortMs: number[] = [];
  for (let i = 0; i < options.aborts; i++) abortMs.push(...(await stage.timeAbort()));
  await stage.endLoad();
  return resultOf(options, { byFault, abortMs, apartMs: stage.apartMs() });
}

/** In ms. */
export interface DecisionFigures {
  readonly byFault: Readonly<Partial<Record<CanaryFault, readonly Timed[]>>>;
  readonly abortMs: readonly number[];
  /** How long routers served different generations, change by change. */
  readonly apartMs: readonly number[];
}

export interface DecisionTimes extends ScenarioResult {
  readonly figures: DecisionFigures;
}

/** One run: where its time went, and what clients saw meanwhile. */
export interface Timed extends TracedDecision {
  readonly failed: number;
  readonly failures: readonly string[];
}

class Stage {
  private canary: Child<ModelQuestion, number> | null = null;
  private commands = 0;
  private readonly random = seededRandom(1);

  private constructor(
    private readonly world: FaultWorld,
    private readonly options: DecisionTimesOptions,
    private readonly api: ControllerApi,
    private readonly stable: Child<ModelQuestion, number>,
    private readonly stablePort: number,
    private readonly canaryPort: number,
    private readonly load: Child<LoadQuestion, LoadFigures>,
    private readonly tables: Child<TablesQuestion, readonly number[]>,
    private readonly trace: DecisionTrace,
  ) {}

  static async open(world: FaultWorld, options: DecisionTimesOptions): Promise<Stage> {
    const stable = new Child<ModelQuestion, number>('model');
    const { ownErrors = 0 } = options;
    const stablePort = await stable.ask({ kind: 'listen', port: 0, ownErrors });
    const api = new ControllerApi(() => world.running('controller').map(({ url }) => url));
    const load = new Child<LoadQuestion, LoadFigures>('load');
    const tables = new Child<TablesQuestion, readonly number[]>('tables');
    const canaryPort = await freePort();
    const trace = new DecisionTrace(world, MODEL);
    const stage = new Stage(world, options, api, stable, stablePort, canaryPort, load, tables, trace);
    await stage.begin();
    return stage;
  }

  async close(): Promise<void> {
    await this.trace.close();
    await Promise.all([this.stable.kill(), this.canary?.kill(), this.load.kill(), this.tables.kill()]);
  }

  /** Breaks a canary that has 10 % and fares well, and waits until no router sends it anything. */
  async timeFault(fault: CanaryFault): Promise<Timed> {
    const { maxErrors } = this.options;
    const state = await this.roll({ accuracy: 'off', ...(maxErrors && { errorRate: { max: maxErrors } }) });
    await this.load.ask({ kind: 'figures' });
    const faultMs = Date.now();
    if (fault === 'killed') await this.canary!.kill();
    else await this.canary!.ask({ kind: 'mode', mode: fault });
    const traced = await this.trace.ended(state, faultMs, DECISION_MS_MAX);
    // Predictions that were under way may still fail.
    await delay(100);
    const { failed, failures } = await this.load.ask({ kind: 'figures' });
    if (fault === 'killed') this.canary = null;
    else await this.canary!.ask({ kind: 'mode', mode: 'ok' });
    return { ...traced, failed, failures };
  }

  /** From the order until each table sends the canary nothing, by table. */
  async timeAbort(): Promise<readonly number[]> {
    const { generation } = await this.roll(UNCHECKED);
    await delay(300 * this.random());
    const orderedMs = Date.now();
    await this.order(`models/${MODEL}/abort`, { reason: 'measured' });
    const times = await this.tables.ask({ kind: 'times', model: MODEL, generation: generation + 1 });
    return times.map((ms) => ms - orderedMs);
  }

  /** How long routers served different generations, change by change. */
  apartMs(): readonly number[] {
    return this.trace.apartMs();
  }

  endLoad(): Promise<LoadFigures> {
    return this.load.ask({ kind: 'end' });
  }

  private async begin(): Promise<void> {
    const { world, options } = this;
    await this.order('rollouts', this.file());
    await this.until('routers serve', async () => this.trace.routersAt(1));
    const urls = world.running('router').map(({ url }) => url);
    await this.load.ask({ kind: 'begin', urls, model: MODEL, perSecond: options.predictionsPerSecond });
    const { brokers, topics } = world;
    await this.tables.ask({ kind: 'begin', brokers, stateTopic: topics.state, tables: options.tables });
  }

  /** A rollout at 10 % with traffic on both versions. */
  private async roll(checks: object): Promise<RolloutState> {
    if (!this.canary) {
      this.canary = new Child<ModelQuestion, number>('model');
      const { ownErrors = 0 } = this.options;
      await this.canary.ask({ kind: 'listen', port: this.canaryPort, ownErrors });
    }
    const { rolloutCount } = (await this.api.state(MODEL))!;
    await this.order('rollouts', { ...this.file(), ...this.rollout(checks) });
    let state: RolloutState | null = null;
    await this.until('the rollout begins', async () => {
      state = await this.api.state(MODEL);
      const isOn = state?.rolloutCount === rolloutCount + 1 && state.weights['v2'] === CANARY_SHARE;
      return isOn && this.trace.routersAt(state!.generation);
    });
    await delay(BEFORE_MS.least + BEFORE_MS.spread * this.random());
    const { generation } = (await this.api.state(MODEL))!;
    // On a machine that is busy with something else a version may well be slower than the other.
    return generation === state!.generation ? state! : this.roll(checks);
  }

  private file(): object {
    const url = `http://127.0.0.1:${this.stablePort}`;
    return {
      model: MODEL,
      stable: { version: 'v1', url, deadline: DEADLINE },
      prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
    };
  }

  private rollout(checks: object): object {
    const never = { predictions: 1_000_000, duration: '1h' };
    return {
      canary: { version: 'v2', url: `http://127.0.0.1:${this.canaryPort}`, deadline: DEADLINE },
      warmup: { predictions: 10, duration: '500ms' },
      steps: [
        { traffic_split: { v1: 1 - CANARY_SHARE, v2: CANARY_SHARE }, atLeast: never },
        { traffic_split: { v1: 0, v2: 1 }, atLeast: never },
      ],
      checks,
    };
  }

  private async order(path: string, body: object): Promise<void> {
    const answer = await this.api.order(path, body, { commandId: `order-${++this.commands}` });
    if (answer!.status >= 300) throw new Error(`${path}: ${answer!.status} ${JSON.stringify(answer!.body)}`);
  }

  private async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await comesTrue(condition, DECISION_MS_MAX)))
      throw new Error(`not within ${DECISION_MS_MAX / 1000} s: ${what}`);
  }
}

const PARTS = ['evidence', 'bucket', 'verdict', 'decision', 'spread'] as const;
const ms = (values: readonly number[], q: number): string => `${Math.round(quantile(values, q))}`;

function progressOf(run: number, byFault: ReadonlyMap<CanaryFault, readonly Timed[]>): string {
  const parts = [...byFault].map(([fault, timed]) => {
    const totals = timed.map(({ total }) => total);
    return `${fault} ${ms(totals, 0.5)}/${ms(totals, 0.99)} ms`;
  });
  return `${run} runs, p50/p99: ${parts.join(', ')}`;
}

interface Measured {
  readonly byFault: ReadonlyMap<CanaryFault, readonly Timed[]>;
  readonly abortMs: readonly number[];
  readonly apartMs: readonly number[];
}

function resultOf(options: DecisionTimesOptions, { byFault, abortMs, apartMs }: Measured): DecisionTimes {
  const empty = new Array<string>(PARTS.length + 2).fill('-');
  const both = (values: readonly number[]): string => `${ms(values, 0.5)} / ${ms(values, 0.99)}`;
  const rows = [...byFault].map(([fault, timed]) => [
    fault,
    String(timed.length),
    both(timed.map(({ total }) => total)),
    ...PARTS.map((part) => both(timed.map((one) => one[part]))),
    String(timed.reduce((sum, one) => sum + one.failed, 0)),
    [...new Set(timed.map(({ reason }) => reason))].join(', '),
  ]);
  if (abortMs.length > 0)
    rows.push(['abort by hand', `${options.aborts} to ${options.tables} tables`, both(abortMs), ...empty]);
  rows.push([
    'routers differ',
    `${apartMs.length} changes`,
    `${both(apartMs)}, at most ${Math.max(...apartMs)}`,
    ...empty,
  ]);
  const problems = problemsOf(options, { byFault, abortMs, apartMs });
  const failed = [...byFault.values()].flat().reduce((sum, one) => sum + one.failed, 0);
  return {
    passed: problems.length === 0,
    head: ['what', 'runs', 'to weight 0, ms p50 / p99', 'evidence', 'bucket and age', 'verdict', 'decision', 'spread', 'failed', 'told as'], // prettier-ignore
    rows,
    problems,
    summary: `${options.predictionsPerSecond} predictions/s, ${CANARY_SHARE * 100} % canary, ${(options.ownErrors ?? 0) * 100} % errors when all is well: ${problems.length === 0 ? 'all goals met' : 'goals not met'}, ${failed} predictions failed`,
    figures: { byFault: Object.fromEntries(byFault), abortMs, apartMs },
  };
}

function problemsOf({ faults }: DecisionTimesOptions, { byFault, abortMs, apartMs }: Measured): readonly string[] {
  const failing = faults.filter((fault) => fault === 'killed' || fault === 'refuses');
  const p99 = (fault: CanaryFault): number =>
    quantile(
      byFault.get(fault)!.map(({ total }) => total),
      0.99,
    );
  return [
    ...failing
      .filter((fault) => p99(fault) > GOAL_MS)
      .map((fault) => `${fault}: p99 is ${p99(fault)} ms, goal ${GOAL_MS}`),
    ...(quantile(abortMs, 0.99) > ABORT_GOAL_MS
      ? [`abort by hand: p99 is ${ms(abortMs, 0.99)} ms, goal ${ABORT_GOAL_MS}`]
      : []),
    ...(Math.max(...apartMs) > APART_GOAL_MS
      ? [`routers served different generations for ${Math.max(...apartMs)} ms`]
      : []),
    ...[...byFault].flatMap(([fault, timed]) =>
      timed.flatMap(({ failures }) => failures.map((failure) => `${fault}: a prediction failed: ${failure}`)),
    ),
  ];
}
