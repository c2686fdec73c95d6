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
import { CANARY_SHARE, type CanaryCase, type CanaryFault, type DecisionTimesOptions } from './decision-cases.js';
import { type DecisionTimes, progressOf, resultOf, type Timed, type TimedCase } from './decision-figures.js';
import { DecisionTrace, type TracedDecision } from './decision-trace.js';
import type { ScenarioContext } from './scenario.js';

const MODEL = 'judged';
const UNCHECKED = { accuracy: 'off', latency: 'off' } as const;
/** A prediction that the canary does not answer is asked of stable after so long. */
const DEADLINE = '2s';
/** Traffic of both versions before something goes wrong: so long, and up to a second more, for fresh starts begin each second. */
const BEFORE_MS = { least: 1_000, spread: 1_000 };
const DECISION_MS_MAX = 60_000;
/** The line in odds goes by so many of stable's newest predictions, whole buckets; and some more. */
const HISTORY_PREDICTIONS = 11_000;

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
  const faults: TimedCase[] = [];
  for (const [ownErrors, cases] of Map.groupBy(options.cases, (of) => of.ownErrors)) {
    const group = cases.map((of): TimedCase => ({ of, timed: [] }));
    faults.push(...group);
    await stage.fillHistory(ownErrors);
    const runs = Math.max(...cases.map((of) => of.runs));
    for (let run = 1; run <= runs; run++) {
      for (const { of, timed } of group) if (run <= of.runs) timed.push(await stage.timeFault(of));
      if (run % 10 === 0 || run === runs) say(progressOf(run, group));
    }
  }
  const abortMs: number[] = [];
  for (let i = 0; i < options.aborts; i++) abortMs.push(...(await stage.timeAbort()));
  await stage.endLoad();
  return resultOf(options, { faults, abortMs, apartMs: stage.apartMs() });
}

class Stage {
  private canary: Child<ModelQuestion, number> | null = null;
  /** Share of both versions' answers that are errors when all is well; see fillHistory(). */
  private ownErrors = 0;
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
    const stablePort = await stable.ask({ kind: 'listen', port: 0 });
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

  /** From now on both versions fail so much when all is well; and until all that stable is judged by is of such traffic. */
  async fillHistory(ownErrors: number): Promise<void> {
    this.ownErrors = ownErrors;
    await this.stable.ask({ kind: 'mode', mode: 'ok', ownErrors });
    let answered = 0;
    const isFilled = async (): Promise<boolean> => {
      answered += (await this.load.ask({ kind: 'figures' })).answered;
      return answered >= HISTORY_PREDICTIONS;
    };
    const seconds = HISTORY_PREDICTIONS / this.options.predictionsPerSecond;
    await this.until('stable has a history', isFilled, DECISION_MS_MAX + 2_000 * seconds);
  }

  /** A canary at 10 % goes wrong, or is so from the beginning; until no router sends it anything. */
  async timeFault({ fault, later }: CanaryCase): Promise<Timed> {
    const { maxErrors } = this.options;
    const checks = { accuracy: 'off', ...(maxErrors && { errorRate: { max: maxErrors } }) };
    const timed = later ? await this.timeLater(fault, checks) : await this.timeFirst(fault, checks);
    // Predictions that were under way may still fail.
    await delay(100);
    const { failed, failures } = await this.load.ask({ kind: 'figures' });
    return { ...timed, failed, failures };
  }

  private async timeLater(fault: CanaryFault, checks: object): Promise<TracedDecision> {
    const state = await this.roll(checks);
    await this.load.ask({ kind: 'figures' });
    const faultMs = Date.now();
    await this.breakCanary(fault);
    return this.trace.ended(state.rollout!.rollout, () => faultMs, DECISION_MS_MAX);
  }

  private async timeFirst(fault: CanaryFault, checks: object): Promise<TracedDecision> {
    const canary = await this.haveCanary();
    await this.load.ask({ kind: 'figures' });
    await this.breakCanary(fault);
    const { rollout } = (await this.begins(checks, () => true)).rollout!;
    return this.trace.ended(rollout, () => canary.ask({ kind: 'first-refusal' }), DECISION_MS_MAX);
  }

  private async breakCanary(fault: CanaryFault): Promise<void> {
    if (fault !== 'killed') return void (await this.canary!.ask({ kind: 'mode', mode: fault, ownErrors: 0 }));
    await this.canary!.kill();
    this.canary = null;
  }

  /** One that fares well. */
  private async haveCanary(): Promise<Child<ModelQuestion, number>> {
    const { ownErrors } = this;
    if (!this.canary) {
      this.canary = new Child<ModelQuestion, number>('model');
      await this.canary.ask({ kind: 'listen', port: this.canaryPort });
    }
    await this.canary.ask({ kind: 'mode', mode: 'ok', ownErrors });
    return this.canary;
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
    await this.haveCanary();
    const isOn = (state: RolloutState): boolean =>
      state.weights['v2'] === CANARY_SHARE && this.trace.routersAt(state.generation);
    const state = await this.begins(checks, isOn);
    await delay(BEFORE_MS.least + BEFORE_MS.spread * this.random());
    const { generation } = (await this.api.state(MODEL))!;
    // On a machine that is busy with something else a version may well be slower than the other.
    return generation === state.generation ? state : this.roll(checks);
  }

  /** Begins a rollout and waits until it is so. */
  private async begins(checks: object, isSo: (state: RolloutState) => boolean): Promise<RolloutState> {
    const { rolloutCount } = (await this.api.state(MODEL))!;
    await this.order('rollouts', { ...this.file(), ...this.rollout(checks) });
    let state: RolloutState | null = null;
    await this.until('the rollout begins', async () => {
      state = await this.api.state(MODEL);
      return state?.rolloutCount === rolloutCount + 1 && isSo(state);
    });
    return state!;
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

  private async until(what: string, condition: () => Promise<boolean>, withinMs = DECISION_MS_MAX): Promise<void> {
    if (!(await comesTrue(condition, withinMs))) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
  }
}
