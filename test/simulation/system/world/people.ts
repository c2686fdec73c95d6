import {
  type Command,
  type Decision,
  decisionCodec,
  parseRolloutSpec,
  type RolloutState,
  rolloutStateCodec,
} from '@app/shared';
import type { Host } from '../machine/host.js';
import type { Random } from '../machine/random.js';
import type { ModelPlan } from '../plan/plan.js';
import type { ControllerProcess } from './controller-process.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import { CANARY, registration, rolloutFile, STABLE } from './stories.js';

export interface PeopleParts {
  readonly host: Host;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly controllers: readonly Machine<ControllerProcess>[];
  readonly models: readonly ModelPlan[];
  readonly tell: (text: string) => void;
}

interface Order {
  readonly action: Command['action'];
  readonly reason?: string;
  readonly spec?: unknown;
}

const LOOK_EVERY_MS = 500;
const ASK_AGAIN_MS = 300;
const ANSWER_MS_MAX = 7_000;

/**
 * Those who apply rollouts and look after them, as the texts of states tell them to. They send a command again, under
 * the same key, until somebody answers.
 */
export class People {
  /** Newest state of each model. */
  readonly states = new Map<string, RolloutState>();
  /** How the first rollout of each model ended. */
  readonly ends = new Map<string, string>();
  /** Models whose abort nobody took until their rollout had ended by itself. */
  readonly abortedTooLate = new Set<string>();
  /** Commands that nobody has answered yet. */
  unanswered = 0;
  private readonly done = new Set<string>();
  private keys = 0;

  constructor(private readonly parts: PeopleParts) {
    parts.ledger.onRecord('state', ({ value }) => {
      const state = rolloutStateCodec.decode(value);
      if (!state.ok) return;
      const { model, rollout } = state.value;
      this.states.set(model, state.value);
      if (rollout && isEnd(rollout.status) && !this.ends.has(model)) this.ends.set(model, rollout.status);
    });
  }

  begin(): void {
    const { host, models } = this.parts;
    for (const plan of models) {
      host.after(0, 'register', () => this.order(plan.model, { action: 'apply', spec: registration(plan.model) }));
      host.after(plan.applyMs, 'apply', () =>
        this.order(plan.model, { action: 'apply', spec: rolloutFile(plan.model, plan.story) }),
      );
    }
    const look = (): void => {
      for (const plan of models) this.look(plan);
      host.after(LOOK_EVERY_MS, 'people look', look);
    };
    look();
  }

  /** Whether everything that these people want has come to its end. */
  isDone({ model, story }: ModelPlan): boolean {
    const rollout = this.states.get(model)?.rollout;
    const ended = rollout !== undefined && isEnd(rollout.status);
    return ended && (story !== 'undone' || this.states.get(model)?.stable === STABLE);
  }

  private look(plan: ModelPlan): void {
    const state = this.states.get(plan.model);
    const rollout = state?.rollout;
    if (!state || !rollout) return;
    const { status, held, pause, step } = rollout;
    if (status === 'promoted' && plan.story === 'undone')
      return this.once(plan, `undo ${rollout.rollout}`, { action: 'undo', reason: 'looked better before' });
    if (status === 'paused') {
      if (plan.story === 'dies-in-pause' && pause?.code === 'awaiting-approval') return;
      const action = pause?.code === 'awaiting-approval' ? 'promote' : 'resume';
      return this.once(plan, `${action} ${state.sequence}`, { action, reason: 'it may go on' });
    }
    if (status !== 'progressing') return;
    if (plan.story === 'aborted' && (state.weights[CANARY] ?? 0) > 0)
      return this.once(plan, `abort ${rollout.rollout}`, { action: 'abort', reason: 'changed our minds' });
    // As the text of the hold says.
    const stuck = held?.code === 'evaluator-rebuilding' || held?.code === 'records-missed';
    const sound = ['good', 'approved', 'undone', 'dies-in-pause'].includes(plan.story);
    if (stuck && sound)
      this.once(plan, `promote ${rollout.rollout} ${step}`, { action: 'promote', reason: 'looked at it' });
  }

  private once({ model }: ModelPlan, what: string, order: Order): void {
    const key = `${model} ${what}`;
    if (this.done.has(key)) return;
    this.done.add(key);
    this.order(model, order);
  }

  private order(model: string, { action, reason = '', spec: file }: Order): void {
    const parsed = file === undefined ? undefined : parseRolloutSpec(file);
    if (parsed && !parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '));
    const idempotencyKey = `people-${++this.keys}`;
    this.unanswered++;
    this.parts.tell(`order ${idempotencyKey}: ${action} ${model}`);
    this.send({ model, action, actor: 'people', reason, idempotencyKey, spec: parsed?.value });
  }

  /** Sends it to any controller there is; again until it is answered. */
  private send(order: Parameters<ControllerProcess['order']>[0]): void {
    const { host, random, controllers, tell } = this.parts;
    const up = controllers.filter(({ service }) => service !== null);
    let answered = false;
    const again = (): void => {
      if (answered) return;
      answered = true;
      host.after(ASK_AGAIN_MS, 'ask again', () => this.send(order));
    };
    const end = (text: string): void => {
      if (answered) return;
      answered = true;
      this.unanswered--;
      tell(`order ${order.idempotencyKey}: ${text}`);
    };
    if (up.length === 0) return again();
    const controller = random.pick(up);
    const { service } = controller;
    controller.host!.after(1, 'order', () => {
      service!.order(order).then(
        ({ result }) => host.after(1, 'answer', () => end(result.result)),
        (error: { readonly problem?: { readonly status: number; readonly detail: string } }) =>
          host.after(1, 'answer', () => {
            if (error.problem?.status !== 409) return again();
            if (order.action === 'abort' && this.ends.has(order.model)) this.abortedTooLate.add(order.model);
            end(`refused: ${error.problem.detail}`);
          }),
      );
    });
    host.after(ANSWER_MS_MAX, 'no answer', again);
  }
}

const isEnd = (status: string): boolean => ['promoted', 'rolled-back', 'aborted'].includes(status);

/** Decisions of a record of rollout-decision; poison is none. */
export function decisionOf(value: Buffer | null): Decision | null {
  const decision = decisionCodec.decode(value);
  return decision.ok ? decision.value : null;
}
