import { randomUUID } from 'node:crypto';
import type { BusProducer, Clock, Command, CommandResult, Decision, RolloutState, TopicNames } from '@app/shared';
import { commandRecord } from '../ownership/records.js';
import type { ModelDirectory } from '../reading/model-directory.js';
import { problem, ProblemException, refuse } from './problem.js';
import { statusOf } from './problem-codes.js';

export interface CommandDeskDeps {
  readonly producer: BusProducer;
  readonly directory: ModelDirectory;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export interface Order {
  readonly model: string;
  readonly action: Command['action'];
  readonly actor: string;
  readonly onBehalfOf?: string;
  readonly reason: string;
  readonly idempotencyKey?: string;
  readonly spec?: Command['spec'];
  readonly weights?: Command['weights'];
}

/** What was done about a command that was carried out. */
export interface CarriedOut {
  readonly result: CommandResult;
  /** Those it caused, oldest first; empty where nothing was left to do. */
  readonly decisions: readonly Decision[];
  readonly state: RolloutState;
}

/** Sends a command to whoever decides about its model, and waits until the answer stands in rollout-state. */
export class CommandDesk {
  constructor(private readonly deps: CommandDeskDeps) {}

  /** Throws ProblemException: 409 or 422 with the refusal's reason, 503 when Kafka takes nothing, 504 when nobody answers. */
  async carryOut(order: Order): Promise<CarriedOut> {
    const { directory, topics, clock, producer, timeoutMs } = this.deps;
    const { idempotencyKey, ...rest } = order;
    const commandId = idempotencyKey ?? randomUUID();
    const command: Command = { schemaVersion: 1, commandId, ...rest, at: clock.nowMs() };
    const known = directory.find(order.model);
    if (known && resultOf(known, commandId)) return answer(known, commandId);
    const answered = directory.waitFor(order.model, (state) => resultOf(state, commandId) !== undefined, timeoutMs);
    const sent = producer.offer([commandRecord(topics, command)]);
    if (!sent) {
      const text = 'Kafka takes no records now; nothing was done, try again';
      throw new ProblemException(problem(503, 'kafka-away', text), { 'retry-after': '2' });
    }
    // The answer says it all; a rejection can only mean that this controller is closing.
    sent.catch(() => undefined);
    const state = await answered;
    if (!state) {
      refuse(
        504,
        'no-answer',
        `the command was sent, and no controller has answered within ${timeoutMs} ms; it may still be carried out: ask again with Idempotency-Key: ${commandId}`,
      );
    }
    return answer(state, commandId);
  }
}

function resultOf(state: RolloutState, commandId: string): CommandResult | undefined {
  return state.commands.find((result) => result.commandId === commandId);
}

function answer(state: RolloutState, commandId: string): CarriedOut {
  const result = resultOf(state, commandId);
  if (!result) throw new Error(`command ${commandId} has no result`);
  if (result.result === 'refused') refuseCommand(result);
  const decisions = state.decisions.filter(({ cause }) => cause.kind === 'command' && cause.commandId === commandId);
  return { result, decisions, state };
}

/** As the model stands. */
export function refuseCommand({ reason }: CommandResult): never {
  const { code, text } = reason ?? { code: 'refused', text: 'refused' };
  return refuse(statusOf(code), code, text);
}
