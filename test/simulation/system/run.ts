import type { LogLevel } from './world/machine.js';
import { type Decision, decisionCodec, PredictionIdSealer } from '@app/shared';
import { type EngineFactory, verdictEngines } from '../../../apps/evaluator/src/domain/cut/engine-factory.js';
import { DecisionChecks } from './checks/decision-checks.js';
import { LossChecks } from './checks/loss-checks.js';
import { checkTheEnd, type MissedRecords, untoldPoison } from './checks/end-checks.js';
import { RouterChecks } from './checks/router-checks.js';
import { VerdictChecks } from './checks/verdict-checks.js';
import { Violation } from './checks/violation.js';
import { History } from './machine/history.js';
import { forbidRealTimers } from './machine/virtual-globals.js';
import type { Plan } from './plan/plan.js';
import { countingEngines } from './world/counting-engine.js';
import { endOf, type FaultKind } from './world/faults.js';
import { ignoring } from './world/ignoring.js';
import { EXPECTED_END } from './world/stories.js';
import { SEALING_KEY, World, type WorldWatcher } from './world/world.js';

export interface RunOptions {
  /** Gets the history, line by line. */
  readonly print?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  /** Hash of the history. */
  readonly digest: string;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly predictions: number;
  readonly summaries: number;
  readonly verdicts: number;
  /** Null: every invariant held. */
  readonly violation: { readonly rule: string; readonly text: string; readonly atMs: number } | null;
  /** From the last fault's end until every rollout had ended. */
  readonly healedMs: number;
  /** Every decision, in order: what was done, why, and to which weights and generation it led. */
  readonly decisions: readonly string[];
  /** Steps of each process. */
  readonly stepsOf: Readonly<Record<string, number>>;
}

/** After the last fault every rollout has to come to its end within this time. */
const HEALED_WITHIN_MS = 200_000;
/** And then everything that was sent has to be counted. */
const QUIET_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** Runs a plan to its end, or to the first violation. */
export async function run(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  forbidRealTimers(true);
  try {
    return await new Running(plan, options).run();
  } finally {
    forbidRealTimers(false);
  }
}

class Running {
  private readonly engines: (version: string) => EngineFactory;
  private readonly history: History;
  private readonly world: World;
  private readonly routers: RouterChecks;
  private readonly models: readonly string[];
  private readonly anewFrom = new Map<number, number>();
  private readonly losses: LossChecks;
  /** A slot was made without some of its records, and said so. */
  private recordsLost = false;
  private readonly verdicts: VerdictChecks;
  /** Verdicts and commands that controllers said they could not read. */
  private readonly missed: MissedRecords[] = [];
  private violation: Violation | null = null;
  private healedMs = 0;
  private readonly decisions: string[] = [];
  private readonly stepsOf: Record<string, number> = {};
  private figures = { summaries: 0, verdicts: 0 };

  constructor(
    private readonly plan: Plan,
    { print }: RunOptions,
  ) {
    this.history = new History(print ?? null);
    this.engines = plan.judge === 'counting' ? countingEngines : (version) => ({ ...verdictEngines, version });
    this.models = plan.models.map(({ model }) => model);
    this.routers = new RouterChecks(this.report);
    this.world = World.open({
      plan,
      history: this.history,
      engines: this.engines,
      watcher: this.watcher(),
      afterStep: (host) => {
        this.stepsOf[host.name] = (this.stepsOf[host.name] ?? 0) + 1;
        for (const router of this.world.routers)
          if (router.host === host && router.service) this.routers.check(router.service, this.models);
      },
    });
    const { ledger } = this.world;
    new DecisionChecks({ ledger, report: this.report, clockDifferenceMs: () => this.world.clockDifferenceMs() });
    this.verdicts = new VerdictChecks(ledger, this.report);
    ledger.onRecord('decision', ({ value }) => {
      const decision = decisionCodec.decode(value);
      if (decision.ok) this.decisions.push(decisionText(decision.value));
    });
    this.losses = new LossChecks(ledger, plan.shape.dataPartitions, this.report);
    if (this.history.isPrinted) this.tellRecords();
  }

  async run(): Promise<RunResult> {
    const onCrash = (reason: unknown): void => this.report('crash', (reason as Error).stack ?? String(reason));
    process.on('unhandledRejection', onCrash);
    try {
      await this.live();
    } catch (error) {
      if (error instanceof Violation) this.violation ??= error;
      else onCrash(error);
    } finally {
      process.off('unhandledRejection', onCrash);
    }
    const { seed } = this.plan;
    const { scheduler, traffic } = this.world;
    const { violation } = this;
    return {
      seed,
      digest: this.history.digest(),
      steps: scheduler.steps,
      simulatedMs: scheduler.nowMs,
      predictions: traffic.asked - traffic.refused,
      ...this.figures,
      violation: violation && { rule: violation.rule, text: violation.message, atMs: violation.atMs },
      healedMs: this.healedMs,
      decisions: this.decisions,
      stepsOf: this.stepsOf,
    };
  }

  /** Evidence may be given up only where its records, its cuts or its checkpoints were taken away. */
  private mayLoseEvidence(): boolean {
    return this.plan.faults.some(({ kind }) => kind === 'retention');
  }

  /** Reading all records again takes long: only where Redis, checkpoints or cuts were taken away, or the engine changed. */
  private mayRebuild(): boolean {
    const taking: readonly FaultKind[] = ['flush', 'roll-back', 'checkpoint-loss', 'retention', 'upgrade'];
    return this.plan.faults.some(({ kind }) => taking.includes(kind));
  }

  private async live(): Promise<void> {
    const { world, plan } = this;
    const { scheduler } = world;
    world.begin();
    const lastMs = Math.max(0, ...plan.faults.map(endOf), ...plan.models.map(({ applyMs }) => applyMs));
    await scheduler.runUntil(lastMs);
    const done = (): boolean =>
      plan.models.every((model) => world.people.isDone(model)) && world.people.unanswered === 0;
    await this.until(() => (done() ? '' : this.whatIsStuck()), lastMs + HEALED_WITHIN_MS);
    this.healedMs = scheduler.nowMs - lastMs;
    this.checkEndings();
    world.traffic.end();
    const leftToDo = async (): Promise<string> => (await world.whatIsNotQuiet()) || untoldPoison(world, this.missed);
    await this.until(leftToDo, scheduler.nowMs + QUIET_WITHIN_MS);
    for (const { service } of world.routers) if (service) this.routers.checkAtRest(service);
    this.throwViolation();
    this.figures = await checkTheEnd({
      world,
      sealer: new PredictionIdSealer([SEALING_KEY]),
      controlPartitions: plan.shape.controlPartitions,
      slotCounts: { outcome: plan.shape.dataPartitions, label: plan.shape.dataPartitions },
      report: this.report,
      engines: this.engines,
      anewFrom: this.anewFrom,
      recordsLost: this.recordsLost,
      missed: this.missed,
    });
    this.throwViolation();
  }

  /** @param left what is still to be waited for; empty when nothing is. */
  private async until(left: () => string | Promise<string>, limitMs: number): Promise<void> {
    const { scheduler } = this.world;
    for (let what = await left(); what !== ''; what = await left()) {
      if (scheduler.nowMs >= limitMs) this.report('liveness', what);
      this.throwViolation();
      await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
    }
  }

  private throwViolation(): void {
    if (this.violation) throw this.violation;
  }

  private checkEndings(): void {
    const { ends, abortedTooLate } = this.world.people;
    for (const { model, story } of this.plan.models) {
      const end = ends.get(model);
      const expected = abortedTooLate.has(model) ? 'promoted' : EXPECTED_END[story];
      if (end !== expected) this.report('ending', `the rollout of ${model} (${story}) ended ${end}, not ${expected}`);
    }
    this.throwViolation();
  }

  private whatIsStuck(): string {
    const { people } = this.world;
    const open = this.plan.models
      .filter((model) => !people.isDone(model))
      .map(({ model, story }) => {
        const rollout = people.states.get(model)?.rollout;
        const why = rollout?.held ?? rollout?.pause;
        return `${model} (${story}) is ${rollout?.status ?? 'not begun'} at step ${rollout?.step}${why ? `: ${why.code}` : ''}`;
      });
    return `${open.join('; ')}${people.unanswered > 0 ? `; ${people.unanswered} orders without an answer` : ''}`;
  }

  private readonly report = (rule: string, text: string): void => {
    const violation = new Violation(rule, text, this.world.scheduler.nowMs);
    this.violation ??= violation;
    this.world.tell(`VIOLATION of ${rule}: ${text}`);
    this.world.scheduler.fail(violation);
  };

  private watcher(): WorldWatcher {
    return {
      log: (machine, level, text) => this.onLog(machine, level, text),
      routed: (router, prediction) => this.routers.routed(router, prediction),
      evaluatorMetrics: () =>
        ignoring<ReturnType<WorldWatcher['evaluatorMetrics']>>({
          tookOver: ({ owner, how }) => {
            if (how === 'rebuilt' && !this.mayRebuild())
              this.report('4', `owner ${owner} read all records again, and nothing was lost that it needs`);
            if (how !== 'anew') return;
            this.verdicts.beginsAnew(owner);
            if (!this.mayLoseEvidence())
              this.report('4', `owner ${owner} began anew, and nothing was lost that it needs`);
            const cuts = (this.world.ledger.lastCut(owner)?.number ?? 0) + 1;
            this.anewFrom.set(owner, Math.min(cuts, this.anewFrom.get(owner) ?? Infinity));
          },
          recordsMissed: (_slot, records) => {
            this.recordsLost = true;
            if (!this.plan.faults.some(({ kind }) => kind === 'retention'))
              this.report('4', `${records} records are said to be gone, and none are`);
          },
          diverged: (model) => this.report('8', `${model}: folding again gave another verdict than the published one`),
          engineFailed: (model) => this.report('8', `the engine of ${model} threw`),
        }),
      controllerMetrics: ignoring<WorldWatcher['controllerMetrics']>({
        recordsMissed: ({ topic, partition }, from, to) => {
          this.missed.push({ topic, partition, from, to });
          const { ledger, topics } = this.world;
          const role = topic === topics.command ? 'command' : 'verdict';
          if (to > ledger.low(role, partition))
            this.report('4', `records ${from} to ${to} of ${topic}/${partition} are said to be gone, and are there`);
        },
      }),
      lost: (loss) => {
        this.world.tell(`LOST records of slot ${loss.slot} below the end ${loss.end}`);
        this.losses.lost(loss);
      },
      applied: () => undefined,
      restored: () => undefined,
      trimmed: () => undefined,
    };
  }

  private onLog(machine: string, level: LogLevel, text: string): void {
    if (level !== 'debug') this.history.tell(this.world.scheduler.nowMs, machine, `${level} ${text}`);
  }

  private tellRecords(): void {
    const { ledger } = this.world;
    ledger.onRecord('decision', ({ value, atMs }) => this.history.tell(atMs, 'decision', String(value).slice(0, 400)));
    ledger.onRecord('verdict', ({ value, atMs }) => this.history.tell(atMs, 'verdict', String(value).slice(0, 300)));
  }
}

function decisionText({ model, action, rollout, reason, from, to, generation }: Decision): string {
  const weights = `${JSON.stringify(from)} to ${JSON.stringify(to)}`;
  return `${model} ${action} ${rollout ?? ''} ${reason.code} ${weights} at ${generation}`;
}
