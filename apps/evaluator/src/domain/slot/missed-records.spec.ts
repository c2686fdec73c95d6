import { describe, expect, it } from 'vitest';
import { CONTROL_PARTITIONS, LogBuilder, PARTITION } from '../../testing/slot-builders.js';
import type { FoldedBatch } from './folded-batch.js';
import { OutcomeSlot } from './outcome-slot.js';
import { packSummaries, unpackSummaries } from './summary-codec.js';

const open = (from: FoldedBatch | null): OutcomeSlot =>
  new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, from && { ...from, fields: from.set });

/** Where an owner is told that records are missing. */
const told = ({ summaries }: FoldedBatch, owner: number): readonly number[] =>
  (summaries.get(owner) ?? []).flatMap(({ offset, summary }) => (summary.kind === 'missed' ? [offset] : []));

const ticks = (n: number, from: number) => {
  const log = new LogBuilder();
  for (let i = 0; i < n; i++) log.tick();
  return log.records.map((record) => ({ ...record, offset: record.offset + from }));
};

describe('records that were gone before they were read', () => {
  it('are told to every owner, behind the gap and where the partition ended then', () => {
    const slot = open(null);
    slot.noteMissed({ from: 10, to: 20, end: 23 });
    const folded = slot.foldBatch(ticks(5, 20), 25);
    for (let owner = 0; owner < CONTROL_PARTITIONS; owner++) expect(told(folded, owner)).toEqual([20, 23]);
    expect(folded.summaries.get(0)![0]!.summary).toEqual({
      kind: 'missed',
      model: '',
      generation: 0,
      from: 10,
      to: 20,
    });
    expect(told(slot.foldBatch(ticks(3, 25), 28), 0)).toEqual([]);
  });

  it('are told once where nothing lay behind the gap', () => {
    const slot = open(null);
    slot.noteMissed({ from: 0, to: 20, end: 20 });
    expect(told(slot.foldBatch(ticks(2, 20), 22), 0)).toEqual([20]);
  });

  it('are not forgotten when the slot is opened again in between', () => {
    const first = open(null);
    first.noteMissed({ from: 0, to: 20, end: 23 });
    const folded = first.foldBatch(ticks(2, 20), 22);
    const second = open(folded);
    const rest = second.foldBatch(ticks(3, 22), 25);
    expect([told(folded, 1), told(rest, 1)]).toEqual([[20], [23]]);
    expect(rest.deleted).toEqual(['m|']);
  });

  it('survive packing', () => {
    const missed = { kind: 'missed', model: '', generation: 0, from: 3, to: 2 ** 40 } as const;
    const placed = [{ offset: 7, index: 1, summary: missed }];
    expect(unpackSummaries(packSummaries(placed))).toEqual(placed);
  });
});
