import { rolloutStateCodec, type Verdict, verdictCodec } from '@app/shared';
import type { Ledger, LedgerEntry } from '../world/ledger.js';
import type { Report } from './violation.js';

/** Records of one slot's partition were gone before they were read. */
export interface Loss {
  /** Number of the slot in the order of folding. */
  readonly slot: number;
  readonly atMs: number;
  /** End of the partition then. */
  readonly end: number;
}

/** Invariant 5 where records are missing: a phase whose evidence lacks them passes no more. */
export class LossChecks {
  private readonly losses: Loss[] = [];
  /** When each generation of a model began, simulated time. */
  private readonly began = new Map<string, number>();

  constructor(
    ledger: Ledger,
    private readonly outcomePartitions: number,
    private readonly report: Report,
  ) {
    ledger.onRecord('state', (entry) => this.onState(entry));
    ledger.onRecord('verdict', ({ value }) => {
      const verdict = verdictCodec.decode(value);
      if (verdict.ok && verdict.value.result === 'pass') this.onPass(verdict.value);
    });
  }

  lost(loss: Loss): void {
    this.losses.push(loss);
  }

  private onState({ value, atMs }: LedgerEntry): void {
    const state = rolloutStateCodec.decode(value);
    if (!state.ok) return;
    const key = `${state.value.model} ${state.value.generation}`;
    if (!this.began.has(key)) this.began.set(key, atMs);
  }

  private onPass({ verdictId, model, generation, cut }: Verdict): void {
    const began = this.began.get(`${model} ${generation}`) ?? 0;
    for (const { slot, atMs, end } of this.losses) {
      const position =
        slot < this.outcomePartitions
          ? cut.positions.outcome[slot]!
          : cut.positions.label[slot - this.outcomePartitions]!;
      if (began < atMs && position > end)
        this.report(
          '5',
          `verdict ${verdictId} passes generation ${generation} of ${model}, which lacks records of slot ${slot}`,
        );
    }
  }
}
