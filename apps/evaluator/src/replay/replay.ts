import { join } from 'node:path';
import {
  CanaryError,
  type Clock,
  cloudEventData,
  type Decision,
  decisionCodec,
  partitionOf,
  type PredictionIdSealer,
  type RecordCodec,
  type ReplayLine,
  type ReplaySummary,
  type RolloutSpec,
  type RolloutState,
  rolloutStateCodec,
  type TopicRole,
} from '@app/shared';
import { otherSpecProblem } from '../domain/replay/other-spec.js';
import { type PlansTold, plansTold } from '../domain/replay/plans-told.js';
import { allOf } from './all-of.js';
import { CutSpool, readVerdictRecords } from './cut-spool.js';
import { foldAgain, type ReplayedModel } from './fold-again.js';
import { Progress } from './progress.js';
import type { RecordSource } from './record-source.js';
import { openSlots, readSlots } from './replayed-slots.js';

export interface ReplayOptions {
  readonly source: RecordSource;
  /** Of several, their lines come one model after the other, each with its summary last. */
  readonly models: readonly string[];
  /** Only this rollout's verdicts; default all there are, with another spec the newest. */
  readonly rollout?: string;
  /** Instead of the rollout's own. */
  readonly spec?: RolloutSpec;
  /** Opens the prediction ids of labels. */
  readonly sealer: PredictionIdSealer;
  /** For files that are of no use afterwards. */
  readonly folder: string;
  readonly clock: Clock;
  readonly emit: (line: ReplayLine) => void;
}

/** What the topics tell of models. */
interface Told {
  readonly decisions: readonly Decision[];
  readonly states: readonly RolloutState[];
}

/**
 * Folds what is in the topics again, cut by cut as the cut records say, with today's engine, and compares the verdicts
 * with those that were given. The code is the evaluator's own: slots, plans, cuts and engine. Where nothing is missing
 * and the engine is the same, so are the bytes. Only reads.
 *
 * Throws CanaryError `unknown-model`, `nothing-to-replay`, `unknown-rollout`, `other-rollout-file`, `records-missing`
 * and `engine-failed`.
 */
export async function replay(options: ReplayOptions): Promise<readonly ReplaySummary[]> {
  await using opened = new AsyncDisposableStack();
  const { source, folder, rollout } = options;
  const progress = new Progress(options.clock, options.emit);
  const allCuts = options.models.map((model, i) => {
    const owner = partitionOf(model, source.controlPartitions);
    return new CutSpool({ owner, model, rollout, path: join(folder, `cuts-${i}`) });
  });
  opened.defer(() => allCuts.forEach((cuts) => cuts.close()));
  const owners = [...new Set(allCuts.map(({ owner }) => owner))];
  const [decisions, states] = await allOf([
    readAll(source, 'decision', owners, decisionCodec),
    readAll(source, 'state', owners, rolloutStateCodec),
    readCuts(source, owners, allCuts, progress),
  ]);
  const replayed = allCuts.map((cuts) => replayedModel(options, cuts, { decisions, states }));
  const directories = replayed.map(({ plans }) => plans.directory);
  const slots = await openSlots(options, directories);
  opened.defer(() => slots.all.forEach((slot) => slot.close()));
  const lastCuts = allCuts.map(({ last }) => last!);
  await readSlots(options, slots, lastCuts, progress);
  return replayed.map((model) => foldAgain({ options, ...model, slots, progress }));
}

/** Records that cannot be read are left out: their writer has reported them, and the plans say where one is missing. */
async function readAll<T>(
  source: RecordSource,
  role: TopicRole,
  partitions: readonly number[],
  codec: RecordCodec<T>,
): Promise<T[]> {
  const all: T[] = [];
  await source.read(role, { partitions }, ({ records }) => {
    for (const { value, headers } of records) {
      const decoded = codec.decode(cloudEventData(value, headers ?? {}));
      if (decoded.ok) all.push(decoded.value);
    }
  });
  return all;
}

async function readCuts(
  source: RecordSource,
  owners: readonly number[],
  allCuts: readonly CutSpool[],
  progress: Progress,
): Promise<void> {
  const ranges = (await source.offsets('verdict')).filter(({ partition }) => owners.includes(partition));
  const count = progress.of(
    'verdicts',
    ranges.reduce((sum, { low, end }) => sum + end - low, 0),
  );
  await source.read('verdict', { partitions: owners }, ({ partition, records }) => {
    const read = readVerdictRecords(records);
    for (const cuts of allCuts) if (cuts.owner === partition) cuts.take(read);
    count(records.length);
  });
}

function replayedModel(options: ReplayOptions, cuts: CutSpool, told: Told): ReplayedModel {
  const isOurs = ({ model }: { readonly model: string }): boolean => model === cuts.model;
  const [decisions, states] = [told.decisions.filter(isOurs), told.states.filter(isOurs)];
  checkFound(options, { decisions, states }, cuts);
  const other = options.spec && otherSpec(options, cuts, plansTold(decisions, states));
  const plans = plansTold(decisions, states, (rollout, spec) => (rollout === other?.rollout ? other.spec : spec));
  return { rollout: other?.rollout ?? options.rollout, cuts, plans };
}

/** Refuses what cannot be replayed, and says what is gone of the cuts. */
function checkFound(
  { source, rollout, emit }: ReplayOptions,
  { decisions, states }: Told,
  { model, first, last, rollouts, owner, unreadable }: CutSpool,
): void {
  if (decisions.length === 0 && states.length === 0)
    throw new CanaryError(
      'unknown-model',
      `nothing was decided about a model ${model}: neither decisions nor states of it are there`,
    );
  if (rollout !== undefined && rollouts.size > 0 && !rollouts.has(rollout))
    throw new CanaryError(
      'unknown-rollout',
      `there are no verdicts of ${rollout}; there are of ${[...rollouts].join(', ')}`,
    );
  if (!first || !last)
    throw new CanaryError(
      'nothing-to-replay',
      `${source.topics.verdict} holds no verdicts of ${model}: either it has had no rollout, or they are older than the topic keeps them`,
    );
  if (unreadable) {
    const { count, from, fromMs } = unreadable;
    const text = `${count} of the records cannot be read: what they say is not compared`;
    emit({ kind: 'gap', topic: source.topics.verdict, partition: owner, from, fromMs, text });
  }
  if (first.number === 1) return;
  emit({
    kind: 'gap',
    topic: source.topics.verdict,
    partition: owner,
    from: first.number,
    fromMs: first.asOf,
    text: `begins with cut ${first.number}: how the evaluator had cut before is gone, all of that is folded at once`,
  });
}

/** The rollout that another file is tried on. */
function otherSpec(
  options: ReplayOptions,
  cuts: CutSpool,
  { plans }: PlansTold,
): { rollout: string; spec: RolloutSpec } {
  const rollout = options.rollout ?? [...cuts.rollouts].at(-1)!;
  const spec = options.spec!;
  const plan = plans.findLast((known) => known.plan.rollout?.rollout === rollout)?.plan.rollout;
  if (!plan) throw new CanaryError('unknown-rollout', `what ${rollout} was is gone from the decisions and states`);
  const problem = otherSpecProblem(spec, plan);
  if (problem) throw new CanaryError('other-rollout-file', problem);
  return { rollout, spec };
}
