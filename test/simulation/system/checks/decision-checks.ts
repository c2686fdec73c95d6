import {
  type Decision,
  decisionCodec,
  type RolloutState,
  rolloutStateCodec,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import type { Ledger, LedgerEntry } from '../world/ledger.js';
import type { Report } from './violation.js';

const ENDS: readonly Decision['action'][] = ['promoted', 'rolled-back', 'aborted'];
/** Beyond this a verdict is as good as none; and what clocks may be off by, which the caller knows. */
const VERDICT_AGE_MS_MAX = 10_000;

interface ModelHistory {
  last: Decision | null;
  state: RolloutState | null;
  /** Decision after which a rollout is over. */
  readonly ended: Map<string, Decision>;
  /** What each command has led to. */
  readonly byCommand: Map<string, Set<string>>;
}

export interface DecisionCheckParts {
  readonly ledger: Ledger;
  readonly report: Report;
  /** What the clocks of controllers and broker differ by at most, now. */
  readonly clockDifferenceMs: () => number;
}

/**
 * Invariants 5 to 7 on each decision and each state as it is written: one chain of decisions per model, every change of
 * weight is one of them, an end is final, and nothing is promoted without a fresh pass.
 */
export class DecisionChecks {
  private readonly models = new Map<string, ModelHistory>();
  private readonly verdicts = new Map<string, Verdict>();
  /** Place of the first fail of a rollout in its partition. */
  private readonly failedAt = new Map<string, number>();
  private readonly placeOf = new Map<string, number>();

  constructor(private readonly parts: DecisionCheckParts) {
    const { ledger } = parts;
    ledger.onRecord('verdict', (entry) => this.onVerdict(entry));
    ledger.onRecord('decision', (entry) => this.onDecision(entry));
    ledger.onRecord('state', (entry) => this.onState(entry));
  }

  private onVerdict({ value, offset }: LedgerEntry): void {
    const read = verdictCodec.decode(value);
    if (!read.ok) return;
    const verdict = read.value;
    this.verdicts.set(verdict.verdictId, verdict);
    this.placeOf.set(verdict.verdictId, offset);
    if (verdict.result === 'fail' && !this.failedAt.has(verdict.rollout)) this.failedAt.set(verdict.rollout, offset);
  }

  private onDecision({ value }: LedgerEntry): void {
    const read = decisionCodec.decode(value);
    if (!read.ok) return;
    const decision = read.value;
    const history = this.historyOf(decision.model);
    this.checkChain(decision, history);
    this.checkCause(decision, history);
    history.last = decision;
    if (decision.rollout && ENDS.includes(decision.action)) history.ended.set(decision.rollout, decision);
  }

  private checkChain(decision: Decision, { last, ended }: ModelHistory): void {
    const { report } = this.parts;
    const { decisionId, sequence, generation, action, rollout } = decision;
    if (sequence !== (last?.sequence ?? 0) + 1)
      report('7', `decision ${decisionId} (${action}) follows number ${last?.sequence ?? 0}`);
    if (last && !sameWeights(decision.from, last.to))
      report(
        '7',
        `decision ${decisionId} starts from ${JSON.stringify(decision.from)}, the one before ended at ${JSON.stringify(last.to)}`,
      );
    const before = last?.generation ?? 0;
    const moved = !sameWeights(decision.from, decision.to);
    if (generation < before || generation > before + 1 || (moved && generation === before))
      report(
        '7',
        `decision ${decisionId} has generation ${generation} after ${before}${moved ? ', and moves weights' : ''}`,
      );
    const end = rollout === undefined ? undefined : ended.get(rollout);
    if (end && action !== 'undone')
      report(
        '7',
        `decision ${decisionId} (${action}) of ${rollout}, which ended with ${end.decisionId} (${end.action})`,
      );
  }

  private checkCause(decision: Decision, history: ModelHistory): void {
    const { cause } = decision;
    switch (cause.kind) {
      case 'command':
        return this.checkCommand(decision, cause.commandId, history);
      case 'verdict':
        return this.checkVerdict(decision, cause.verdictId, history);
      case 'timer':
        if (decision.action === 'promoted') this.parts.report('5', `${decision.decisionId} promotes by a timer`);
        return;
    }
  }

  private checkCommand({ decisionId, action }: Decision, commandId: string, { byCommand }: ModelHistory): void {
    const done = byCommand.get(commandId) ?? new Set();
    byCommand.set(commandId, done);
    if (done.has(action)) this.parts.report('7', `${decisionId}: command ${commandId} has led to ${action} before`);
    done.add(action);
  }

  private checkVerdict(decision: Decision, verdictId: string, { last }: ModelHistory): void {
    const { report } = this.parts;
    const verdict = this.verdicts.get(verdictId);
    const { decisionId, action, rollout } = decision;
    if (!verdict) return report('5', `${decisionId} rests on verdict ${verdictId}, which nobody published`);
    if (verdict.rollout !== rollout)
      report('7', `${decisionId} of ${rollout} rests on a verdict about ${verdict.rollout}`);
    if (action === 'rolled-back') {
      if (verdict.result !== 'fail' && verdict.result !== 'inconclusive')
        report('5', `${decisionId} rolls back because of a verdict "${verdict.result}"`);
      return;
    }
    if (action !== 'promoted' && action !== 'weight-changed') return;
    if (verdict.result !== 'pass') report('5', `${decisionId} (${action}) rests on a verdict "${verdict.result}"`);
    if (verdict.generation !== last?.generation || verdict.step !== last.step)
      report(
        '5',
        `${decisionId} (${action}) rests on a verdict about generation ${verdict.generation}, step ${verdict.step}; it was at ${last?.generation}, step ${last?.step}`,
      );
    if (decision.at - verdict.asOf > VERDICT_AGE_MS_MAX + this.parts.clockDifferenceMs())
      report('5', `${decisionId} (${action}) rests on a verdict of ${decision.at - verdict.asOf} ms ago`);
    const failedAt = this.failedAt.get(verdict.rollout);
    if (failedAt !== undefined && failedAt < this.placeOf.get(verdictId)!)
      report('5', `${decisionId} (${action}) although ${verdict.rollout} had failed before`);
  }

  private onState({ value }: LedgerEntry): void {
    const read = rolloutStateCodec.decode(value);
    if (!read.ok) return;
    const { report } = this.parts;
    const state = read.value;
    const history = this.historyOf(state.model);
    const before = history.state;
    history.state = state;
    if (before && (state.sequence < before.sequence || state.generation < before.generation))
      report(
        '6',
        `a state of ${state.model} with decision ${state.sequence}, generation ${state.generation} follows ${before.sequence}, ${before.generation}`,
      );
    const { last } = history;
    if (state.sequence !== (last?.sequence ?? 0))
      report('7', `a state of ${state.model} says decision ${state.sequence}, the topic is at ${last?.sequence ?? 0}`);
    if (last && !sameWeights(state.weights, last.to))
      report(
        '7',
        `state ${state.model}/${state.sequence} has ${JSON.stringify(state.weights)}, its decision ${JSON.stringify(last.to)}`,
      );
    if (last && state.generation !== last.generation)
      report(
        '7',
        `state ${state.model}/${state.sequence} has generation ${state.generation}, its decision ${last.generation}`,
      );
    const ids = state.commands.map(({ commandId }) => commandId);
    if (new Set(ids).size !== ids.length) report('7', `a state of ${state.model} names a command twice`);
  }

  private historyOf(model: string): ModelHistory {
    let history = this.models.get(model);
    if (!history) {
      history = { last: null, state: null, ended: new Map(), byCommand: new Map() };
      this.models.set(model, history);
    }
    return history;
  }
}

/** Versions without weight are the same as versions that are not named. */
function sameWeights(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const some = (of: typeof a): string =>
    JSON.stringify(
      Object.entries(of)
        .filter(([, weight]) => weight > 0)
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return some(a) === some(b);
}
