import { CanaryError, partitionOf, type ReplayLine, type ReplaySummary } from '@app/shared';
import { verdictEngines } from '../domain/cut/engine-factory.js';
import { OwnedModels } from '../domain/cut/owned-models.js';
import { frontOf } from '../domain/cut/slot-view.js';
import type { PlansTold } from '../domain/replay/plans-told.js';
import { VerdictComparison } from '../domain/replay/verdict-comparison.js';
import type { PlacedSummary } from '../domain/summary.js';
import type { CutSpool } from './cut-spool.js';
import type { Progress } from './progress.js';
import type { RecordSource } from './record-source.js';
import type { ReplayOptions } from './replay.js';
import type { Slots } from './replayed-slots.js';
import type { SlotSpool } from './slot-spool.js';

/** A model, and what was found of it. */
export interface ReplayedModel {
  /** The only one that is wanted; undefined: all. */
  readonly rollout: string | undefined;
  readonly cuts: CutSpool;
  readonly plans: PlansTold;
}

export interface Folding extends ReplayedModel {
  readonly options: ReplayOptions;
  readonly slots: Slots;
  readonly progress: Progress;
}

/** Folds a model's cuts one after the other, and compares its verdicts. */
export function foldAgain({ options, rollout, cuts, plans, slots, progress }: Folding): ReplaySummary {
  const { emit, source } = options;
  const { model } = cuts;
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
      summariesBelow(slots.all, frontOf(cut, slots.counts).positions, model),
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

function* summariesBelow(
  slots: readonly SlotSpool[],
  positions: readonly number[],
  model: string,
): Generator<PlacedSummary> {
  for (const [i, slot] of slots.entries()) yield* slot.below(positions[i]!, model);
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
