import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision, DecisionAction, Label, RolloutState, RolloutStatus } from '@app/shared';
import { decisionCodec, labelCodec } from '@app/shared';
import type { Random } from '../../../apps/standalone/src/demo/seeded-random.js';
import { type Behaviour, ModelServerFake } from './model-server-fake.js';
import { readTopic } from './topic-reader.js';
import { Users } from './users.js';
import { until, type World } from './world.js';

export interface Given {
  /** Also the seed of everything random in the story. */
  readonly model: string;
  readonly stable?: Partial<Behaviour>;
  readonly canary?: Partial<Behaviour>;
  /** Canary weights, one step each; the last one may be 1. */
  readonly steps?: readonly number[];
  readonly checks?: Readonly<Record<string, unknown>>;
  readonly segments?: { readonly header: string; readonly top: number };
  /** A shadow step comes first: copies of this fraction of the predictions. */
  readonly shadow?: number;
  /** Of every step; by default short. */
  readonly atLeast?: { readonly predictions: number; readonly duration: string };
  readonly predictionsPerSecond?: number;
  /** Predictions before the rollout begins. */
  readonly before?: number;
  readonly labelDelayMs?: (random: Random) => number | null;
}

/** Limits wide and steps short enough that a few hundred predictions decide. */
const QUICK = {
  warmup: { predictions: 10, duration: '500ms' },
  atLeast: { predictions: 100, duration: '2s' },
  checks: {
    errorRate: { maxIncrease: 0.01 },
    accuracy: { maxDrop: 0.1, labelsWithin: '2s' },
    // Its thresholds need 2,000 predictions of stable first.
    latency: 'off',
  },
};
/** Several times what it takes: how much evidence is needed is chance, and so is what else the machine does. */
const VERDICT_MS_MAX = 360_000;
const COMMAND_MS_MAX = 15_000;

/**
 * A story on one model: `await given.rollout(world, {...}).when.canaryErrorsRise().then.rolledBack('errors-too-many')`.
 * What is under `when` is queued; what is under `then` resolves when all before it has happened, or rejects with what
 * did not.
 */
export class Story {
  readonly stable: ModelServerFake;
  readonly canary: ModelServerFake;
  readonly users: Users;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly world: World,
    private readonly given: Given,
  ) {
    const seed = [...given.model].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
    this.stable = new ModelServerFake(seed, given.stable);
    this.canary = new ModelServerFake(seed + 1, given.canary);
    this.users = new Users({
      model: given.model,
      seed: seed + 2,
      predictionsPerSecond: given.predictionsPerSecond ?? 100,
      users: 200,
      routerUrls: world.routerUrls,
      labelDelayMs: given.labelDelayMs ?? ((random) => 50 + 500 * random()),
      sendLabels: (labels) => this.sendLabels(labels),
    });
  }

  readonly when = {
    rolloutBegins: () => this.next(() => this.begin()),
    canaryErrorsRise: (errorRate = 0.5) => this.next(() => (this.canary.behaviour.errorRate = errorRate)),
    canarySlowsDown: (latencyMs = 150) => this.next(() => (this.canary.behaviour.latencyMs = latencyMs)),
    canaryErrsMore: (accuracy = 0.4) => this.next(() => (this.canary.behaviour.accuracy = accuracy)),
    canaryHas: (weight: number) =>
      this.next(() => this.reached(`canary at ${weight}`, (s) => s.weights['v2'] === weight)),
    told: (action: 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort' | 'undo', reason = 'the story says so') =>
      this.next(() => this.command(action, reason)),
    secondsGoBy: (seconds: number) => this.next(() => sleep(seconds * 1000)),
    happens: (what: () => unknown) => this.next(what),
  };

  /** Not a method, so awaiting a story does not wait for anything. */
  readonly then = {
    promoted: () => this.ends('promoted'),
    rolledBack: (code: string) => this.ends('rolled-back', code),
    aborted: () => this.ends('aborted'),
    paused: () => this.end(() => this.reached('paused', (s) => s.rollout?.status === 'paused')),
    weightIs: (weight: number) =>
      this.end(() => this.reached(`canary at ${weight}`, (s) => (s.weights['v2'] ?? 0) === weight)),
    weightStays: (weight: number, seconds: number) => this.end(() => this.stays(weight, seconds)),
    done: () => this.queue,
  };

  async state(): Promise<RolloutState> {
    return ((await this.request('GET', `models/${this.given.model}`)) as { state: RolloutState }).state;
  }

  /** What a plain consumer of rollout-decision finds of this model, in the topic's order. */
  async decisions(): Promise<Decision[]> {
    const { bus, topics } = this.world;
    const records = await readTopic(bus, topics.decision, decisionCodec);
    return records.map(({ decoded }) => decoded).filter(({ model }) => model === this.given.model);
  }

  async actions(): Promise<DecisionAction[]> {
    return (await this.decisions()).map(({ action }) => action);
  }

  async close(): Promise<void> {
    await this.users.stop();
    await Promise.all([this.stable.stop(), this.canary.stop()]);
  }

  private next(step: () => unknown): this {
    this.queue = this.queue.then(async () => void (await step()));
    // Reported by the `then` at the end.
    this.queue.catch(() => undefined);
    return this;
  }

  private async end(step: () => Promise<RolloutState>): Promise<RolloutState> {
    let state: RolloutState | undefined;
    await this.next(async () => void (state = await step())).queue;
    return state!;
  }

  private ends(status: RolloutStatus, code?: string): Promise<RolloutState> {
    return this.end(async () => {
      const over = await this.reached('the end of the rollout', (s) => s.rollout?.endedAt !== undefined);
      const { reason } = over.decisions.at(-1)!;
      if (over.rollout?.status === status && (code === undefined || reason.code === code)) return over;
      throw new Error(
        `${status} ${code ?? ''} was expected; it was ${over.rollout?.status}, ${reason.code}: ${reason.text}`,
      );
    });
  }

  private async begin(): Promise<void> {
    await Promise.all([this.stable.start(), this.canary.start()]);
    await this.apply(this.registration());
    // A model's first weights reach the routers some milliseconds after the controller has answered.
    await until('every router knows the model', () => this.isServed(), { withinMs: COMMAND_MS_MAX });
    this.users.start();
    const { before = 300 } = this.given;
    await until('traffic before the rollout', () => this.users.predictions >= before, {
      withinMs: VERDICT_MS_MAX,
    });
    await this.apply({ ...this.registration(), ...this.rollout() });
  }

  private async isServed(): Promise<boolean> {
    const urls = this.world.routerUrls();
    const path = `/v2/models/${this.given.model}/ready`;
    const served = await Promise.all(
      urls.map(async (url) => {
        const answer = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
        await answer.arrayBuffer();
        return answer.ok;
      }),
    ).catch(() => [false]);
    return served.length > 0 && served.every(Boolean);
  }

  private registration(): object {
    return {
      model: this.given.model,
      stable: { version: 'v1', url: this.stable.url, ...this.deadline() },
      prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
    };
  }

  /** Pairs of answers count once their deadlines are over. */
  private deadline(): object {
    return this.given.shadow === undefined ? {} : { deadline: '3s' };
  }

  private rollout(): object {
    const { steps = [0.5, 1], checks, shadow, atLeast = QUICK.atLeast } = this.given;
    return {
      canary: { version: 'v2', url: this.canary.url, ...this.deadline() },
      warmup: QUICK.warmup,
      steps: [
        ...(shadow === undefined ? [] : [{ shadow: { fraction: shadow }, atLeast }]),
        ...steps.map((weight) => ({ traffic_split: { v1: 1 - weight, v2: weight }, atLeast })),
      ],
      checks: { ...QUICK.checks, ...checks },
      ...(this.given.segments ? { segments: this.given.segments } : {}),
    };
  }

  private async reached(what: string, condition: (state: RolloutState) => boolean): Promise<RolloutState> {
    let last: RolloutState | null = null;
    const look = async (): Promise<RolloutState | null> => {
      last = await this.state();
      return condition(last) ? last : null;
    };
    return until(what, look, { withinMs: VERDICT_MS_MAX }).catch((error: unknown) => {
      throw new Error(`${this.given.model}: ${(error as Error).message}; ${situation(last)}`, { cause: error });
    });
  }

  private async stays(weight: number, seconds: number): Promise<RolloutState> {
    const untilMs = performance.now() + seconds * 1000;
    for (;;) {
      const state = await this.state();
      if ((state.weights['v2'] ?? 0) !== weight) throw new Error(`${weight} was to stay; ${situation(state)}`);
      if (performance.now() > untilMs) return state;
      await sleep(200);
    }
  }

  private async command(action: string, reason: string): Promise<void> {
    await this.request('POST', `models/${this.given.model}/${action}`, { reason });
  }

  /** JSON is YAML. */
  private async apply(file: object): Promise<void> {
    await this.request('POST', 'rollouts', file, 'text/yaml');
  }

  private async request(method: string, path: string, body?: object, type = 'application/json'): Promise<unknown> {
    const response = await fetch(`${this.world.controllerUrl()}/api/v1/${path}`, {
      method,
      signal: AbortSignal.timeout(COMMAND_MS_MAX),
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': type } } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }

  /** As a producer of the truth does: straight to the topic. */
  private async sendLabels(labels: readonly Label[]): Promise<void> {
    const { bus, topics } = this.world;
    this.producer ??= bus.producer();
    await this.producer.send(
      labels.map((label) => ({ topic: topics.label, key: label.predictionId, value: labelCodec.encode(label) })),
    );
  }
  private producer: ReturnType<World['bus']['producer']> | undefined;
}

export const given = { rollout: (world: World, plan: Given): Story => new Story(world, plan).when.rolloutBegins() };

function situation(state: RolloutState | null): string {
  if (!state) return 'the model was never seen';
  const { rollout, weights } = state;
  const last = state.decisions.at(-1);
  return `now ${rollout?.status ?? 'no rollout'} at ${JSON.stringify(weights)}, last: ${last?.action} ${last?.reason.text}; held: ${rollout?.held?.text ?? 'no'}`;
}
