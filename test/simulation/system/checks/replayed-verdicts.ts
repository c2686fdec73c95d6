import { cutCodec, type Cut, verdictCodec } from '@app/shared';
import type { EngineFactory } from '../../../../apps/evaluator/src/domain/cut/engine-factory.js';
import { summariesBetween } from '../../../../apps/evaluator/src/domain/cut/next-front.js';
import { OwnedModels } from '../../../../apps/evaluator/src/domain/cut/owned-models.js';
import type { PlanHistory } from '../../../../apps/evaluator/src/domain/cut/plan-history.js';
import { emptyFront, frontOf, type SlotCounts } from '../../../../apps/evaluator/src/domain/cut/slot-view.js';
import type { LedgerEntry } from '../world/ledger.js';
import type { OnePassSlot } from './one-pass.js';

export interface ReplayInput {
  readonly engines: EngineFactory;
  readonly owner: number;
  /** Of the owner's partition of rollout-verdict. */
  readonly entries: readonly LedgerEntry[];
  readonly slots: readonly OnePassSlot[];
  readonly slotCounts: SlotCounts;
  readonly plans: PlanHistory;
  /** Cuts from this number on follow a loss of evidence that was told: they cannot be made again. */
  readonly upTo: number;
}

export interface ReplayResult {
  readonly verdicts: number;
  /** The first verdict that comes out otherwise; null if none does. */
  readonly difference: string | null;
}

/** Invariant 8: the published cuts and verdicts once more, from the slots that were made in one pass. */
export function replayVerdicts({ engines, owner, entries, slots, slotCounts, plans, upTo }: ReplayInput): ReplayResult {
  const models = new OwnedModels(engines);
  let front = emptyFront(slotCounts);
  let expected: Map<string, Buffer> | null = null;
  let verdicts = 0;
  const mixed = entries.some(({ value }) => {
    const verdict = verdictCodec.decode(value);
    return verdict.ok && verdict.value.engineVersion !== engines.version;
  });
  let cut: Cut | null = null;
  /** Nothing is missing where another engine may have been at work. */
  const left = (): string | null => {
    const [model] = mixed ? [] : (expected?.keys() ?? []);
    return model === undefined ? null : `cut ${cut!.number} of owner ${owner}: no verdict about ${model} was published`;
  };
  for (const { value } of entries) {
    const read = cutCodec.decode(value);
    if (read.ok) {
      const missing = left();
      if (missing) return { verdicts, difference: missing };
      cut = read.value;
      if (cut.number >= upTo) return { verdicts, difference: null };
      const to = frontOf(cut, slotCounts);
      const folded = models.foldCut(cut, summariesBetween(front, to, slots), (model, sequence) =>
        plans.at(model, sequence),
      );
      expected = new Map(folded.verdicts.map((verdict) => [verdict.model, verdictCodec.encode(verdict)]));
      front = to;
      continue;
    }
    const verdict = verdictCodec.decode(value);
    if (!verdict.ok || !cut) continue;
    if (verdict.value.engineVersion !== engines.version) {
      expected = null;
      continue;
    }
    verdicts++;
    const { model } = verdict.value;
    const again = expected?.get(model);
    expected?.delete(model);
    if (again?.equals(value!)) continue;
    return { verdicts, difference: differenceOf(cut, value!, again) };
  }
  return { verdicts, difference: left() };
}

function differenceOf(cut: Cut, published: Buffer, again: Buffer | undefined): string {
  const where = `cut ${cut.number} of owner ${cut.owner}`;
  if (!again) return `${where}: made again there is no verdict, published was ${published.toString().slice(0, 300)}`;
  let at = 0;
  while (at < published.length && published[at] === again[at]) at++;
  const around = (bytes: Buffer): string => bytes.toString('utf8', Math.max(0, at - 80), at + 80);
  return `${where}: published ...${around(published)}...; made again ...${around(again)}...`;
}
