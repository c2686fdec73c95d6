import type { PredictionIdSealer } from '@app/shared';
import type { StateDirectory } from '../../../../apps/evaluator/src/domain/cut/state-directory.js';
import type { SlotView } from '../../../../apps/evaluator/src/domain/cut/slot-view.js';
import { LabelSlot } from '../../../../apps/evaluator/src/domain/slot/label-slot.js';
import { OutcomeSlot } from '../../../../apps/evaluator/src/domain/slot/outcome-slot.js';
import {
  type ArmCounts,
  CELL_CLASS,
  type Cells,
  cellClass,
  type CellClass,
  type PlacedSummary,
} from '../../../../apps/evaluator/src/domain/summary.js';
import type { SlotId } from '../../../../apps/evaluator/src/slot-store/slot-store.js';
import type { LedgerEntry } from '../world/ledger.js';

/** A slot made of all its records at once, without a fault, a restart or a second batch. */
export interface OnePassSlot extends SlotView {
  readonly slot: SlotId;
  readonly fields: ReadonlyMap<string, Buffer>;
}

export interface OnePassInput {
  readonly slot: SlotId;
  readonly entries: readonly LedgerEntry[];
  readonly position: number;
  readonly controlPartitions: number;
  readonly sealer: PredictionIdSealer;
  readonly directory: StateDirectory;
}

export function foldInOnePass({
  slot,
  entries,
  position,
  controlPartitions,
  sealer,
  directory,
}: OnePassInput): OnePassSlot {
  const records = entries.filter(({ offset }) => offset < position);
  const options = { directory, givenUp: new Set<string>() };
  const folded =
    slot.kind === 'outcome'
      ? new OutcomeSlot(slot.partition, controlPartitions, null).foldBatch(records, position)
      : new LabelSlot(sealer, controlPartitions, null).foldBatch(records, position, options);
  const summaries = [...folded.summaries.values()].flat().sort((a, b) => a.offset - b.offset || a.index - b.index);
  return { slot, position: folded.position, logTimeMs: folded.logTimeMs, trimmedTo: 0, fields: folded.set, summaries };
}

/** A summary as the recount writes it. */
export function summaryText(summary: PlacedSummary['summary']): string {
  switch (summary.kind) {
    case 'bucket': {
      const { router, bucket, model, generation, ageMs, previousAgeMs, final, versions } = summary;
      const arms = Object.entries(versions).map(([version, arm]) => `${version}: ${armText(arm)}`);
      const what = `bucket ${router}/${bucket} of ${model} at ${generation}, age ${ageMs} after ${previousAgeMs}${final ? ', final' : ''}`;
      return `${what}; ${arms.sort().join('; ')}`;
    }
    case 'left-out': {
      const { router, bucket, model, generation, cause, routed } = summary;
      const arms = Object.entries(routed).map(([version, n]) => `${version}: ${n}`);
      return `left out ${router}/${bucket} of ${model} at ${generation}, ${cause}; ${arms.sort().join('; ')}`;
    }
    case 'label-share': {
      const { model, generation, stratum, stable, canary } = summary;
      const arms = `stable ${stable.n}, ${stable.wrong} wrong; canary ${canary.n}, ${canary.wrong} wrong`;
      return `labels of ${model} at ${generation}, stratum ${stratum}; ${arms}`;
    }
    case 'pair-share':
      return `pairs of ${summary.model} at ${summary.generation}, stratum ${summary.stratum}`;
    case 'missed':
      return `missed ${summary.from} to ${summary.to}`;
  }
}

function armText({ routed, intended, pending, cells }: ArmCounts): string {
  const bad = countOf(cells, CELL_CLASS.error) + countOf(cells, CELL_CLASS.clientError);
  const came = cells.counts.reduce((sum, n) => sum + n, 0);
  return `${routed} routed, ${intended} intended, ${pending} pending, ${came} came, ${bad} bad, ${countOf(cells, CELL_CLASS.cancelled)} cancelled`;
}

function countOf({ keys, counts }: Cells, wanted: CellClass): number {
  let sum = 0;
  keys.forEach((key, i) => {
    if (cellClass(key) === wanted) sum += counts[i]!;
  });
  return sum;
}

export const ofModel = (summaries: readonly PlacedSummary[], model: string): readonly PlacedSummary[] =>
  summaries.filter(({ summary }) => summary.model === model);
