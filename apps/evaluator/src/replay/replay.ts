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
import { verdictEngines } from '../domain/cut/engine-factory.js';
import { OwnedModels } from '../domain/cut/owned-models.js';
import { frontOf, type SlotCounts } from '../domain/cut/slot-view.js';
import { otherSpecProblem } from '../domain/replay/other-spec.js';
import { type PlansTold, plansTold } from '../domain/replay/plans-told.js';
import { VerdictComparison } from '../domain/replay/verdict-comparison.js';
import type { PlacedSummary } from '../domain/summary.js';
import { CutSpool } from './cut-spool.js';
import { Progress } from './progress.js';
import type { RecordSource } from './record-source.js';
import { SlotSpool } from './slot-spool.js';

export interface ReplayOptions {
  readonly source: RecordSource;
  readonly model: string;
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

/**
 * Folds what is in the topics again, cut by cut as the cut records say, with today's engine, and compares the verdicts
 * with those that were given. The code is the evaluator's own: slots, plans, cuts and engine. Where nothing is missing
 * and the engine is the same, so are the bytes. Only reads.
 *
 * Throws CanaryError `unknown-model`, `nothing-to-replay`, `unknown-rollout`, `other-rollout-file`, `records-missing`
 * and `engine-failed`.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  await using opened = new AsyncDisposableStack();
  const owner = partitionOf(options.model, options.source.controlPartitions);
  const progress = new Progress(options.clock, options.emit);
  const cuts = new CutSpool({ ...options, owner, rollout: options.rollout, path: join(options.folder, 'cuts') });
  opened.defer(() => cuts.close());
  const [decisions, states] = await allOf([
    readAll(options.source, 'decision', owner, decisionCodec),
    readAll(options.source, 'state', owner, rolloutStateCodec),
    readCuts(options.source, owner, cuts, progress),
  ]);
  const isOurs = ({ model }: { readonly model: string }): boolean => model === options.model;
  const told = { decisions: decisions.filter(isOurs), states: states.filter(isOurs) };
  checkFound(options, told, cuts);
  const other = options.spec && otherSpec(options, cuts, plansTold(told.decisions, told.states));
  const plans = plansTold(told.decisions, told.states, (rollout, spec) =>
    rollout === other?.rollout ? other.spec : spec,
  );
  const slots = await openSlots(options, owner, plans);
  opened.defer(() => slots.all.forEach((slot) => slot.close()));
  await readSlots(options, slots, cuts, progress);
  return foldAgain({ options, rollout: other?.rollout ?? options.rollout, cuts, plans, slots, progress });
}

/** Records that cannot be read are left out: their writer has reported them, and the plans say where one is missing. */
async function readAll<T>(
  source: RecordSource,
  role: TopicRole,
  partition: number,
  codec: RecordCodec<T>,
): Promise<T[]> {
  const all: T[] = [];
  await source.read(role, { partitions: [partition] }, ({ records }) => {
    for (const { value, headers } of records) {
      const decoded = codec.decode(cloudEventData(value, headers ?? {}));
      if (decoded.ok) all.push(decoded.value);
    }
  });
  return all;
}

async function readCuts(source: RecordSource, owner: number, cuts: CutSpool, progress: Progress): Promise<void> {
  const range = (await source.offsets('verdict')).find(({ partition }) => partition === owner);
  const count = progress.of('verdicts', range ? range.end - range.low : 0);
  await source.read('verdict', { partitions: [owner] }, ({ records }) => {
    cuts.take(records);
    count(records.length);
  });
}

/** Refuses what cannot be replayed, and says what is gone of the cuts. */
function checkFound(
  { source, model, rollout, emit }: ReplayOptions,
  { decisions, states }: { readonly decisions: readonly Decision[]; readonly states: readonly RolloutState[] },
  { first, last, rollouts, owner, unreadable }: CutSpool,
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

/** As Promise.all, but whoever is still at work is waited for: what they write to must not be taken away. */
async function allOf<T extends readonly unknown[]>(work: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(work);
  return Promise.all(work) as Promise<unknown> as Promise<T>;
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

interface Slots {
  readonly counts: SlotCounts;
  readonly outcome: readonly SlotSpool[];
  readonly label: readonly SlotSpool[];
  /** In the order of folding. */
  readonly all: readonly SlotSpool[];
}

async function openSlots(options: ReplayOptions, owner: number, { directory }: PlansTold): Promise<Slots> {
  const { source, model, sealer, folder } = options;
  const { controlPartitions } = source;
  const partitions = async (role: 'outcome' | 'label') =>
    (await source.offsets(role)).map(({ partition }) => {
      const path = join(folder, `${role}-${partition}`);
      return { partition, controlPartitions, owner, model, path };
    });
  const outcome = (await partitions('outcome')).map((slot) => SlotSpool.ofOutcomes(slot));
  const label = (await partitions('label')).map((slot) => SlotSpool.ofLabels(slot, sealer, directory));
  return { counts: { outcome: outcome.length, label: label.length }, outcome, label, all: [...outcome, ...label] };
}

/** Folds the partitions of outcomes and labels as far as the last cut reaches, and says what is missing in them. */
async function readSlots(
  { source, emit }: ReplayOptions,
  slots: Slots,
  cuts: CutSpool,
  progress: Progress,
): Promise<void> {
  const target = frontOf(cuts.last!, slots.counts).positions;
  const read = async (role: 'outcome' | 'label'): Promise<void> => {
    const upTo = role === 'outcome' ? target.slice(0, slots.counts.outcome) : target.slice(slots.counts.outcome);
    const ranges = await source.offsets(role);
    const total = ranges.reduce((sum, { partition, low }) => sum + Math.max(0, upTo[partition]! - low), 0);
    const count = progress.of(role === 'outcome' ? 'outcomes' : 'labels', total);
    await source.read(role, { upTo }, (batch) => {
      slots[role][batch.partition]!.take(batch);
      count(batch.records.length);
    });
    const topic = source.topics[role];
    for (const { partition, low, end } of ranges) {
      const slot = slots[role][partition]!;
      if (end < upTo[partition]!)
        throw new CanaryError(
          'records-missing',
          `${topic}/${partition} ends at ${end}, and the last cut rests on what was below ${upTo[partition]}: was the topic made anew?`,
        );
      const gap = { kind: 'gap', topic, partition, from: low, fromMs: slot.firstTimeMs } as const;
      if (low > 0) emit({ ...gap, text: `begins at offset ${low}: what came before is gone` });
      if (slot.missed > 0) emit({ ...gap, text: `${slot.missed} records went while it was read` });
    }
  };
  await allOf([read('outcome'), read('label')]);
}

interface Folding {
  readonly options: ReplayOptions;
  readonly rollout: string | undefined;
  readonly cuts: CutSpool;
  readonly plans: PlansTold;
  readonly slots: Slots;
  readonly progress: Progress;
}

function foldAgain({ options, rollout, cuts, plans, slots, progress }: Folding): ReplaySummary {
  const { model, emit, source } = options;
  const models = new OwnedModels(verdictEngines);
  const comparison = new VerdictComparison(model, { otherFile: options.spec !== undefined });
  const count = progress.of('replaying', cuts.cuts);
  const exact = new Set(plans.plans.map(({ sequence }) => sequence));
  let first = true;
  for (const { cut, given } of cuts.read()) {
    const known = cut.known[model] ?? (first && cut.number > 1 ? sequenceAt(plans, cut.asOf) : undefined);
    first = false;
    if (known !== undefined && !exact.has(known)) emit(planGap(source, model, known));
    const { verdicts, failures } = models.foldCut(
      { ...cut, known: known === undefined ? {} : { [model]: known } },
      summariesBelow(slots.all, frontOf(cut, slots.counts).positions),
      (of, sequence) => plans.history.at(of, sequence),
    );
    for (const { error } of failures)
      throw new CanaryError('engine-failed', `the engine threw at cut ${cut.number}: ${(error as Error).message}`, {
        cause: error,
      });
    count(1);
    const replayed = verdicts[0] ?? null;
    const of = given?.verdict.rollout ?? replayed?.rollout;
    if (rollout !== undefined && of !== rollout) continue;
    const line = comparison.add({ cut: cut.number, asOfMs: cut.asOf, given, replayed });
    if (line) emit(line);
  }
  const summary = comparison.summary(cuts.cuts);
  emit(summary);
  return summary;
}

function* summariesBelow(slots: readonly SlotSpool[], positions: readonly number[]): Generator<PlacedSummary> {
  for (const [i, slot] of slots.entries()) yield* slot.below(positions[i]!);
}

/** What had been decided by some log time, where the cut that said so is gone. */
function sequenceAt({ plans }: PlansTold, timeMs: number): number | undefined {
  return plans.findLast(({ atMs }) => atMs <= timeMs)?.sequence;
}

function planGap(source: RecordSource, model: string, sequence: number): ReplayLine {
  return {
    kind: 'gap',
    topic: source.topics.decision,
    partition: partitionOf(model, source.controlPartitions),
    from: sequence,
    fromMs: null,
    text: `decision ${sequence} of ${model} is gone: the plan as it was then is taken from later ones`,
  };
}
