import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutState } from '@app/shared';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { ControllerApi } from './controller-api.js';
import { type Behaviour, ModelServer } from './model-server.js';

/** A command that a controller has confirmed. */
export interface ConfirmedCommand {
  readonly model: string;
  readonly commandId: string;
  readonly action: string;
}

export interface OperatorsOptions {
  readonly seed: number;
  readonly models: readonly string[];
  /** Where the controllers are that are there now. */
  readonly controllerUrls: () => readonly string[];
  readonly labelsWithinMs: number;
  /** What is rolled out; drawn by the seed. Default: all there are. */
  readonly plans?: readonly PlanName[];
}

interface Plan {
  readonly name: PlanName;
  readonly canary: Behaviour;
  /** What a person does some time after the start; absent: waits for the end. */
  readonly byHand?: 'abort' | 'promote' | 'pause-resume' | 'undo-after';
}

const PLAN_NAMES = ['good', 'failing', 'wrong', 'dead', 'aborted', 'promoted by hand', 'paused', 'undone'] as const;
export type PlanName = (typeof PLAN_NAMES)[number];

const GOOD: Behaviour = { errorRate: 0.02, accuracy: 0.9, latencyMs: 2 };
const PLANS: readonly Plan[] = [
  { name: 'good', canary: GOOD },
  { name: 'failing', canary: { ...GOOD, errorRate: 0.5 } },
  { name: 'wrong', canary: { ...GOOD, accuracy: 0.4 } },
  { name: 'dead', canary: { ...GOOD, errorRate: 1 } },
  { name: 'aborted', canary: GOOD, byHand: 'abort' },
  { name: 'promoted by hand', canary: GOOD, byHand: 'promote' },
  { name: 'paused', canary: GOOD, byHand: 'pause-resume' },
  { name: 'undone', canary: GOOD, byHand: 'undo-after' },
];
const POLL_MS = 250;
/** A rollout that takes longer is aborted: others are to have their turn. */
const PATIENCE_MS = 30_000;

/** People who roll out one version after the other, of every model. They ask whichever controller answers. */
export class Operators {
  readonly confirmed: ConfirmedCommand[] = [];
  /** Rollouts that were begun, by how they were meant to go. */
  readonly begun: { readonly model: string; readonly plan: string; end: string }[] = [];
  private readonly servers: ModelServer[] = [];
  private readonly ending = new AbortController();
  private readonly work: Promise<void>[] = [];
  private readonly plans: readonly Plan[];
  private readonly api: ControllerApi;
  private commands = 0;

  constructor(private readonly options: OperatorsOptions) {
    const { plans = PLAN_NAMES, controllerUrls } = options;
    this.api = new ControllerApi(controllerUrls);
    this.plans = PLANS.filter(({ name }) => plans.includes(name));
  }

  /** Registers all models; rollouts begin with goOn(). */
  async register(): Promise<void> {
    await Promise.all(
      this.options.models.map(async (model) => {
        const stable = await this.newServer(`${model}-v0`, GOOD);
        await this.apply(model, { model, stable: { version: 'v0', url: stable.url, deadline: '10s' }, ...PREDICTION });
      }),
    );
  }

  goOn(): void {
    this.options.models.forEach((model, i) => {
      const random = seededRandom(this.options.seed * 1000 + i);
      this.work.push(this.rollOutForEver(model, random));
    });
  }

  /** Begins nothing more; what is open stays open. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.work);
  }

  async close(): Promise<void> {
    await this.stop();
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  /** The state of a model as some controller shows it; null when everything ends before one answers. */
  state(model: string): Promise<RolloutState | null> {
    return this.api.state(model, this.ending.signal);
  }

  private async rollOutForEver(model: string, random: Random): Promise<void> {
    for (let number = 1; !this.ending.signal.aborted; number++) {
      const plan = this.plans[Math.floor(random() * this.plans.length)]!;
      const canary = await this.newServer(`${model}-v${number}`, plan.canary);
      const before = await this.state(model);
      if (!before) return;
      const record = { model, plan: plan.name, end: 'open' };
      this.begun.push(record);
      await this.apply(model, this.rolloutFile(before, `v${number}`, canary.url));
      record.end = await this.seeThrough(model, { plan, before: before.rollout?.rollout }, random);
    }
  }

  /** @param of `before`: the rollout before this one, which a controller that was cut off may still show. */
  private async seeThrough(
    model: string,
    of: { readonly plan: Plan; readonly before: string | undefined },
    random: Random,
  ): Promise<string> {
    const { byHand } = of.plan;
    const sinceMs = performance.now();
    const actAtMs = 3_000 + 4_000 * random();
    let acted = false;
    while (!this.ending.signal.aborted) {
      await this.pause(POLL_MS);
      const state = await this.state(model);
      const status = state?.rollout?.rollout === of.before ? undefined : state?.rollout?.status;
      if (status === 'promoted' || status === 'rolled-back' || status === 'aborted') {
        if (byHand === 'undo-after' && status === 'promoted') await this.command(model, 'undo');
        return status;
      }
      const elapsedMs = performance.now() - sinceMs;
      if (elapsedMs > PATIENCE_MS) await this.command(model, 'abort');
      if (acted || elapsedMs < actAtMs || status === undefined || status === 'waiting-ready') continue;
      acted = true;
      if (byHand === 'abort' || byHand === 'promote') await this.command(model, byHand);
      if (byHand === 'pause-resume') {
        await this.command(model, 'pause');
        await this.pause(1_000);
        await this.command(model, 'resume');
      }
    }
    return 'open';
  }

  private rolloutFile(before: RolloutState, canary: string, url: string): object {
    const { model, stable, versions } = before;
    const split = (weight: number) => ({ traffic_split: { [stable]: round(1 - weight), [canary]: weight } });
    const atLeast = { predictions: 40, duration: '1s' };
    return {
      model,
      stable: { version: stable, url: versions[stable]!.url, deadline: '10s' },
      canary: { version: canary, url, deadline: '10s' },
      ...PREDICTION,
      warmup: { predictions: 10, duration: '500ms' },
      steps: [0.2, 0.6, 1].map((weight) => ({ ...split(weight), atLeast })),
      checks: {
        errorRate: { maxIncrease: 0.1 },
        accuracy: { maxDrop: 0.2, labelsWithin: `${this.options.labelsWithinMs}ms` },
        latency: 'off',
      },
    };
  }

  /** Orders something by hand; resolves when a controller has said yes or no. */
  command(model: string, action: string): Promise<void> {
    return this.order(model, action, `models/${model}/${action}`, { reason: 'a fault run' });
  }

  private apply(model: string, file: object): Promise<void> {
    return this.order(model, 'apply', 'rollouts', file);
  }

  private async order(model: string, action: string, path: string, body: object): Promise<void> {
    const commandId = `fault-run-${this.options.seed}-${++this.commands}`;
    const answer = await this.api.order(path, body, { commandId, signal: this.ending.signal });
    if (answer && answer.status < 300) this.confirmed.push({ model, commandId, action });
  }

  private async newServer(name: string, behaviour: Behaviour): Promise<ModelServer> {
    const server = await new ModelServer(name, behaviour).start();
    this.servers.push(server);
    return server;
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.ending.signal }).catch(() => undefined); // ended: whoever waits looks
  }
}

const PREDICTION = { prediction: { pointer: '/outputs/0/data/0', kind: 'class' } } as const;
const round = (weight: number): number => Math.round(weight * 10_000) / 10_000;
