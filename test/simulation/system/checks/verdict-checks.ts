import { type Cut, cutCodec, verdictCodec } from '@app/shared';
import type { Ledger, LedgerEntry } from '../world/ledger.js';
import type { Report } from './violation.js';

/** Invariants 4 and 8 on each cut and verdict as it is written: one chain of cuts per owner, never backwards. */
export class VerdictChecks {
  private readonly cuts: ({ readonly cut: Cut; readonly offset: number } | undefined)[] = [];
  private readonly judged = new Map<number, Set<string>>();
  private readonly ids = new Set<string>();
  private readonly anew = new Set<number>();

  constructor(
    private readonly ledger: Ledger,
    private readonly report: Report,
  ) {
    ledger.onRecord('verdict', (entry) => this.onRecord(entry));
  }

  /** An owner says that its evidence is lost; its next cut may follow one that nobody can know any more. */
  beginsAnew(owner: number): void {
    this.anew.add(owner);
  }

  private onRecord({ value, partition, offset }: LedgerEntry): void {
    const cut = cutCodec.decode(value);
    if (cut.ok) return this.onCut(cut.value, partition, offset);
    const verdict = verdictCodec.decode(value);
    if (!verdict.ok) {
      // Anything else is poison of ours.
      if (value?.includes('"kind":"verdict"')) this.report('8', `a verdict that nobody can read: ${value.toString()}`);
      return;
    }
    const { verdictId, model, cut: of } = verdict.value;
    if (this.ids.has(verdictId)) this.report('8', `verdict ${verdictId} was published twice`);
    this.ids.add(verdictId);
    const current = this.cuts[partition]?.cut;
    if (of.owner !== partition || of.number !== current?.number)
      this.report(
        '8',
        `verdict ${verdictId} of cut ${of.number} stands behind cut ${current?.number} of owner ${partition}`,
      );
    const judged = this.judged.get(partition)!;
    if (judged.has(model)) this.report('8', `cut ${of.number} of owner ${partition} judges ${model} twice`);
    judged.add(model);
  }

  private onCut(cut: Cut, partition: number, offset: number): void {
    const last = this.cuts[partition];
    this.cuts[partition] = { cut, offset };
    this.judged.set(partition, new Set());
    if (cut.owner !== partition) this.report('8', `a cut of owner ${cut.owner} stands in partition ${partition}`);
    // Taken by retention: an owner that begins anew goes on beyond its number, from where the slots are.
    const low = this.ledger.low('verdict', partition);
    const isGone = this.anew.delete(partition) && (last ? last.offset < low : low > 0);
    const before = last?.cut;
    const next = (before?.number ?? 0) + 1;
    if (isGone ? cut.number < next : cut.number !== next)
      this.report('8', `cut ${cut.number} of owner ${partition} follows ${before?.number ?? 0}`);
    if (!before || isGone) return;
    for (const of of ['outcome', 'label'] as const) {
      cut.positions[of].forEach((position, i) => {
        if (position < before.positions[of][i]!)
          this.report(
            '8',
            `cut ${cut.number} of owner ${partition} goes back from ${before.positions[of][i]} to ${position} in ${of} ${i}`,
          );
      });
      cut.logTimes[of].forEach((timeMs, i) => {
        if (timeMs < before.logTimes[of][i]!)
          this.report('8', `cut ${cut.number} of owner ${partition}: log time of ${of} ${i} goes back`);
      });
    }
  }
}
