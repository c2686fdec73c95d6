import { segmentOf } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { CONTROL_PARTITIONS, LogBuilder, PARTITION, summariesOf } from '../../testing/slot-builders.js';
import { type ArmDetails, predictionKey } from '../arm-details.js';
import type { BucketSummary, Cells } from '../summary.js';
import { OutcomeSlot } from './outcome-slot.js';
import { packSummaries } from './summary-codec.js';

const summaries = (log: LogBuilder): BucketSummary[] => {
  const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null);
  const folded = slot.foldBatch(log.records, log.records.length);
  expect(folded.deadLetters).toEqual([]);
  return summariesOf(folded).map(({ summary }) => summary as BucketSummary);
};
const detailsOf = (log: LogBuilder, n: number): ArmDetails =>
  summaries(log.bucket({ v1: { routed: n } })).at(-1)!.versions['v1']!.details!;
const total = ({ counts }: Cells): number => counts.reduce((a, b) => a + b, 0);

describe('what only some rollouts ask of outcomes', () => {
  it('is not there, and costs no byte, where outcomes do not carry it', () => {
    const log = () => new LogBuilder().outcomes(3, { predictionId: 'p' }).bucket({ v1: { routed: 3 } });
    const [plain] = summaries(log());
    expect(plain!.versions['v1']).not.toHaveProperty('details');
    const [, , , kind] = packSummaries([{ offset: 0, index: 0, summary: plain! }]);
    expect(kind).toBe(1);
  });

  it('holds count, sum and squares of each value, in all and by user group', () => {
    const log = new LogBuilder()
      .outcome({ unit: 3, values: { score: 2 } })
      .outcome({ unit: 3, values: { score: 3, tokens: 10 } })
      .outcome({ unit: 9, values: { score: -1 } })
      .outcome({ unit: 9 });
    expect(detailsOf(log, 4).values).toEqual([
      {
        name: 'score',
        n: 3,
        sum: 4,
        squares: 14,
        groups: [
          { group: 3, n: 2, sum: 5 },
          { group: 9, n: 1, sum: -1 },
        ],
      },
      { name: 'tokens', n: 1, sum: 10, squares: 100, groups: [{ group: 3, n: 1, sum: 10 }] },
    ]);
  });

  it('counts no more than 8 names of values, however many come', () => {
    const log = new LogBuilder();
    for (let i = 0; i < 20; i++) log.outcome({ values: { [`m${i}`]: 1 } });
    expect(detailsOf(log, 20).values.map(({ name }) => name)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7']);
  });

  it('has every outcome with a segment in one of 64, whatever names come in', () => {
    const log = new LogBuilder().outcomes(5, { segment: 'de' }).outcomes(2, { segment: '' });
    for (let i = 0; i < 2_000; i++) log.outcome({ segment: `flood-${i}` });
    const { segments } = detailsOf(log, 2_007);
    expect(segments.length).toBeLessThanOrEqual(64);
    expect(segments.reduce((sum, { cells }) => sum + total(cells), 0)).toBe(2_007);
    expect(segments[0]).toMatchObject({ segment: 0, name: '' });
    expect(segments.find(({ segment }) => segment === segmentOf('de'))!.name).toBe('de');
  });

  it('counts predictions by user group and bin, and remembers what some bins stand for', () => {
    const log = new LogBuilder()
      .outcome({ unit: 1, prediction: 'cat', predictionBin: 77 })
      .outcome({ unit: 1, prediction: 'cat', predictionBin: 77 })
      .outcome({ unit: 2, predictionBin: 16_383 });
    const { predictions } = detailsOf(log, 3);
    expect([...predictions!.cells.keys]).toEqual([predictionKey(1, 77), predictionKey(2, 16_383)]);
    expect([...predictions!.cells.counts]).toEqual([2, 1]);
    expect([...predictions!.names]).toEqual([[77, 'cat']]);
  });

  it('is told when the bucket is final, not before', () => {
    const log = new LogBuilder().outcomes(3, { values: { score: 1 } }).bucket({ v1: { routed: 4, pending: 1 } });
    const [early, last] = summaries(log.outcome({ values: { score: 1 } }).bucket({ v1: { routed: 4 } }));
    expect(early!.versions['v1']!.details).toBeUndefined();
    expect(last!.versions['v1']!.details!.values[0]!.n).toBe(4);
  });
});
