import {
  cloudEventData,
  type Decision,
  type RolloutState,
  rolloutStateCodec,
  type Verdict,
  type VerdictResult,
  type Weights,
} from '@app/shared';
import type { Differences } from './differences.js';
import { type History, type ModelTold, placeOf } from './history.js';
import type { LogRecord, LogSource } from './log-source.js';

/** What a verdict of each result may lead to. */
const LEADS_TO: Readonly<Record<VerdictResult, readonly Decision['action'][]>> = {
  pass: ['weight-changed', 'promoted', 'paused', 'released'],
  fail: ['rolled-back'],
  continue: ['released'],
  hold: ['held', 'released'],
  invalid: ['held', 'released'],
  inconclusive: ['held', 'paused', 'rolled-back', 'released'],
};
const ENDS: readonly Decision['action'][] = ['promoted', 'rolled-back', 'aborted'];

/** Replays every decision of every model: one after the other, each resting on the one before and on what it names. */
export function checkDecisions(
  history: History,
  verdicts: ReadonlyMap<string, Verdict>,
  differences: Differences,
): void {
  for (const told of history.models.values()) {
    const byCause = new Map<string, number>();
    told.decisions.forEach((decision, i) => {
      const before = told.decisions[i - 1];
      checkNumbers(decision, before, i, differences);
      checkWeights(decision, before, told, differences);
      checkEnd(decision, told, i, differences);
      checkCause(decision, { before, verdicts }, differences);
      const cause = causeKey(decision);
      const last = byCause.get(cause);
      // What one cause brings about comes in one piece; the same again later was carried out twice.
      if (last !== undefined && last !== i - 1)
        differences.add('carried-out-twice', decision.decisionId, `${cause} was the cause of decision ${last + 1} too`);
      if (decision.cause.kind !== 'timer') byCause.set(cause, i);
    });
  }
}

function checkNumbers(decision: Decision, before: Decision | undefined, i: number, differences: Differences): void {
  const { decisionId, sequence, model, generation } = decision;
  differences.unless(sequence === i + 1, 'decision-sequence', decisionId, `${sequence} where ${i + 1} should be`);
  differences.unless(decisionId === `${model}/${sequence}`, 'decision-sequence', decisionId, `sequence ${sequence}`);
  const last = before?.generation ?? 0;
  const moved = !same(decision.from, decision.to);
  const rises = generation === last + 1 || (generation === last && !moved);
  differences.unless(
    rises,
    'generation',
    decisionId,
    `generation ${generation} after ${last}, weights ${moved ? 'moved' : 'stay'}`,
  );
}

function checkWeights(
  decision: Decision,
  before: Decision | undefined,
  told: ModelTold,
  differences: Differences,
): void {
  const { decisionId, from, to, action, step = 0 } = decision;
  if (before)
    differences.unless(same(before.to, from), 'weights', decisionId, `from ${show(from)} after ${show(before.to)}`);
  const sum = Object.values(to).reduce((a, b) => a + b, 0);
  differences.unless(Math.abs(sum - 1) < 1e-9, 'weights', decisionId, `${show(to)} sum to ${sum}`);
  const rollout = told.rollouts.find(({ id }) => id === decision.rollout);
  if (!rollout || action === 'undone') return;
  const planned = rollout.spec.steps[step];
  const expected: Weights =
    action === 'promoted'
      ? { [rollout.canary]: 1 }
      : ENDS.includes(action)
        ? { [rollout.stable]: 1 }
        : (action === 'started' || action === 'weight-changed') && planned?.kind === 'traffic'
          ? planned.weights
          : from;
  differences.unless(same(expected, to), 'weights', decisionId, `${action} to ${show(to)}, planned ${show(expected)}`);
}

/** An end is final. */
function checkEnd(decision: Decision, told: ModelTold, i: number, differences: Differences): void {
  if (decision.rollout === undefined || decision.action === 'undone') return;
  const ended = told.decisions.slice(0, i).find((d) => d.rollout === decision.rollout && ENDS.includes(d.action));
  if (ended) differences.add('end-is-final', decision.decisionId, `${decision.action} after ${ended.action}`);
}

function checkCause(
  decision: Decision,
  { before, verdicts }: { readonly before: Decision | undefined; readonly verdicts: ReadonlyMap<string, Verdict> },
  differences: Differences,
): void {
  const { decisionId, cause, action } = decision;
  if (cause.kind !== 'verdict') return;
  const verdict = verdicts.get(cause.verdictId);
  if (!verdict) return differences.add('verdict-of-nobody', decisionId, `rests on ${cause.verdictId}`);
  const { generation, rollout, result, model } = verdict;
  const isOfIt = rollout === decision.rollout && model === decision.model;
  differences.unless(isOfIt, 'verdict-of-another-rollout', decisionId, `rests on one of ${rollout}`);
  differences.unless(LEADS_TO[result].includes(action), 'verdict-and-action', decisionId, `${action} after ${result}`);
  const isPresent = result === 'fail' || generation === before?.generation || causeOf(before) === cause.verdictId;
  differences.unless(
    isPresent,
    'verdict-of-another-generation',
    decisionId,
    `of generation ${generation}, the model was at ${before?.generation}`,
  );
}

const causeOf = (decision: Decision | undefined): string | null =>
  decision?.cause.kind === 'verdict' ? decision.cause.verdictId : null;

function causeKey({ cause }: Decision): string {
  switch (cause.kind) {
    case 'verdict':
      return `verdict ${cause.verdictId}`;
    case 'command':
      return `command ${cause.commandId}`;
    case 'timer':
      return `timer ${cause.timer}`;
  }
}

/** Holds every state against the decision it rests on, and the last one against the last decision. */
export async function checkStates(
  source: LogSource,
  isPoison: (record: LogRecord) => boolean,
  history: History,
  differences: Differences,
): Promise<ReadonlyMap<string, RolloutState>> {
  const newest = new Map<string, RolloutState>();
  await source.read('state', (record) => {
    if (isPoison(record)) return;
    const decoded = rolloutStateCodec.decode(cloudEventData(record.value, record.headers));
    if (!decoded.ok) return differences.add('state-unreadable', placeOf(record), decoded.problems[0]!.message);
    const state = decoded.value;
    const before = newest.get(state.model);
    const where = `${state.model} at ${placeOf(record)}`;
    const goesOn = !before || (state.sequence >= before.sequence && state.generation >= before.generation);
    differences.unless(goesOn, 'state-goes-back', where, `sequence ${state.sequence} after ${before?.sequence}`);
    newest.set(state.model, state);
    const decision = history.find(state.model)?.decisions[state.sequence - 1];
    if (!decision) return differences.add('state-without-decision', where, `sequence ${state.sequence}`);
    const agrees = decision.generation === state.generation && same(decision.to, state.weights);
    differences.unless(
      agrees,
      'state-and-decision',
      where,
      `weights ${show(state.weights)}, decided ${show(decision.to)}`,
    );
  });
  for (const [model, { decisions }] of history.models) {
    const last = decisions.length;
    const found = newest.get(model)?.sequence;
    differences.unless(
      found === last,
      'state-and-decision',
      model,
      `the last state is of ${found}, the last decision ${last}`,
    );
  }
  return newest;
}

/** A version that gets nothing may be left out. */
function same(a: Weights, b: Weights): boolean {
  const versions = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...versions].every((version) => Math.abs((a[version] ?? 0) - (b[version] ?? 0)) < 1e-9);
}

const show = (weights: Weights): string => JSON.stringify(weights);
