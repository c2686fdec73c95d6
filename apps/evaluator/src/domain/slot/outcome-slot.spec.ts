import { partitionOf } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { sketchBin } from '../sketch.js';
import { type BucketSummary, CELL_CLASS, cellBin, cellClass, cellGroup, type Cells } from '../summary.js';
import type { FoldedBatch } from './folded-batch.js';
import { BUCKET_OVERDUE_MS, LANE_FORGOTTEN_MS, OutcomeSlot } from './outcome-slot.js';
import {
  CONTROL_PARTITIONS,
  LogBuilder,
  PARTITION,
  summariesOf,
  T0,
  windowsShownBy,
} from '../../testing/slot-builders.js';

function fold(log: LogBuilder, slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null)): FoldedBatch {
  return slot.foldBatch(log.records, log.records.length);
}

const summaries = (log: LogBuilder) => summariesOf(fold(log)).map((placed) => placed.summary);
const first = (log: LogBuilder) => summaries(log)[0] as BucketSummary;
const entries = ({ keys, counts }: Cells) =>
  [...keys].map((key, i) => ({ group: cellGroup(key), class: cellClass(key), bin: cellBin(key), n: counts[i] }));

describe('a bucket record', () => {
  it('becomes a summary at its offset, with the cells of what came before it', () => {
    const log = new LogBuilder()
      .outcomes(2)
      .outcome({ version: 'v2', unit: 63, latencyMs: 200, status: 'timeout', httpStatus: 0 })
      .bucket({ v1: { routed: 3, pending: 1 }, v2: { routed: 1, intended: 2 } }, { final: false });
    const folded = fold(log);
    expect([...folded.summaries.keys()]).toEqual([partitionOf('digits', CONTROL_PARTITIONS)]);
    const [placed] = summariesOf(folded);
    expect([placed!.offset, placed!.index]).toEqual([3, 0]);
    const summary = placed!.summary as BucketSummary;
    expect(summary).toMatchObject({ kind: 'bucket', model: 'digits', generation: 3, router: 'r-1', bucket: 1, ageMs: 50, final: false }); // prettier-ignore
    expect(summary.versions.v1).toMatchObject({ routed: 3, intended: 3, pending: 1 });
    expect(entries(summary.versions.v1!.cells)).toEqual([
      { group: 5, class: CELL_CLASS.ok, bin: sketchBin(12.5), n: 2 },
    ]);
    expect(summary.versions.v2).toMatchObject({ routed: 1, intended: 2, pending: 0 });
    expect(entries(summary.versions.v2!.cells)).toEqual([{ group: 63, class: CELL_CLASS.error, bin: 265, n: 1 }]);
    expect(summary.versions.v1!.firstByte.keys).toHaveLength(0);
  });

  it('comes again later, with all that has come by then', () => {
    const log = new LogBuilder()
      .outcome()
      .bucket({ v1: { routed: 2, pending: 1 } })
      .outcome()
      .bucket({ v1: { routed: 2 } }, { ageMs: 250, previousAgeMs: 50 });
    const [early, final] = summaries(log) as BucketSummary[];
    expect([early!.final, final!.final]).toEqual([false, true]);
    expect(entries(final!.versions.v1!.cells)[0]!.n).toBe(2);
  });

  it('of a bucket that has only pending predictions is one without cells', () => {
    const summary = first(new LogBuilder().bucket({ v1: { routed: 10, pending: 10 } }));
    expect(summary.versions.v1).toMatchObject({ routed: 10, pending: 10 });
    expect(summary.versions.v1!.cells.keys).toHaveLength(0);
  });

  it.each([
    ['ok', 'ok', 200, {}, 'ok'],
    ['a 5xx', 'error', 503, {}, 'error'],
    ['a transport failure', 'error', 0, {}, 'error'],
    ['a timeout', 'timeout', 0, {}, 'error'],
    ['a refusal by the cap', 'overloaded', 0, {}, 'error'],
    ['a 4xx', 'error', 422, {}, 'clientError'],
    ['a client that went away', 'cancelled', 0, {}, 'cancelled'],
    ['an answer of stable in the canary’s place', 'ok', 200, { fallback: true }, 'error'],
    ['a client that went away while stable was asked', 'cancelled', 0, { fallback: true }, 'error'],
  ] as const)('counts %s as what it is', (_, status, httpStatus, more, expected) => {
    const log = new LogBuilder().outcome({ status, httpStatus, ...more }).bucket({ v1: { routed: 1 } });
    const [cell] = entries(first(log).versions.v1!.cells);
    expect(cell).toMatchObject({ class: CELL_CLASS[expected], bin: expected === 'cancelled' ? 2047 : sketchBin(12.5) });
  });

  it('has a sketch of first bytes when outcomes carry them', () => {
    const log = new LogBuilder()
      .outcome({ firstByteMs: 200 })
      .outcome()
      .bucket({ v1: { routed: 2 } });
    expect(entries(first(log).versions.v1!.firstByte)).toEqual([{ group: 5, class: CELL_CLASS.ok, bin: 265, n: 1 }]);
  });

  it('does not count shadow copies, overrides and predictions without a bucket', () => {
    const log = new LogBuilder()
      .outcome()
      .outcome({ shadow: true })
      .outcome({ override: true })
      .outcome({ bucket: undefined })
      .bucket({ v1: { routed: 1 } });
    expect(entries(first(log).versions.v1!.cells)[0]!.n).toBe(1);
  });

  it('of another router with the same number is another bucket', () => {
    const log = new LogBuilder()
      .outcome()
      .outcome({ router: 'r-2' })
      .bucket({ v1: { routed: 1 } }, { router: 'r-2' });
    expect(summaries(log)).toMatchObject([{ kind: 'bucket', router: 'r-2' }]);
  });
});

describe('a record that comes twice', () => {
  it('counts once, wherever its copy stands', () => {
    const log = new LogBuilder().outcome().again().outcome();
    log.records.push({ ...log.records[0]!, offset: 3 });
    log.bucket({ v1: { routed: 2 } }).again();
    const folded = fold(log);
    expect(summariesOf(folded)).toHaveLength(1);
    expect(folded.counts).toMatchObject({ folded: 2, duplicates: 3, lost: 0 });
    expect(folded.deadLetters).toEqual([]);
  });

  it('in another lane is no copy', () => {
    const log = new LogBuilder().outcome({ sequence: 0 }).outcome({ router: 'r-2', sequence: 0 });
    expect(fold(log).counts).toMatchObject({ folded: 2, duplicates: 0 });
  });

  it('is forgotten with its lane after 25 hours, not before', () => {
    const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null);
    const log = new LogBuilder()
      .outcome({ bucket: undefined })
      .after(LANE_FORGOTTEN_MS - 1_000)
      .tick();
    const kept = slot.foldBatch(log.records, 2);
    expect(kept.deleted).toEqual([]);
    log.after(120_000).tick();
    expect(slot.foldBatch(log.records.slice(2), 3).deleted).toEqual(['l|r-1']);
  });
});

describe('a bucket is left out', () => {
  it.each([
    ['an outcome is missing', { v1: { routed: 3 } }],
    ['there is one too many', { v1: { routed: 1 } }],
    ['one was dropped', { v1: { routed: 3, pending: 0, dropped: 1 } }],
    ['a version is not named', { v2: { routed: 2 } }],
    ['more is pending than was routed', { v1: { routed: 2, pending: 4 } }],
  ])('when %s, once', (_, versions: Record<string, { routed: number }>) => {
    const log = new LogBuilder()
      .outcomes(2)
      .bucket(versions, { final: false })
      .outcome()
      .bucket({ v1: { routed: 3 } });
    expect(summaries(log)).toMatchObject([
      { kind: 'left-out', cause: 'lost', model: 'digits', generation: 3, router: 'r-1', bucket: 1 },
    ]);
  });

  it('when its last record says that something is pending', () => {
    const log = new LogBuilder().outcomes(2).bucket({ v1: { routed: 3, pending: 1 } }, { final: true });
    expect(summaries(log)).toMatchObject([{ kind: 'left-out', cause: 'lost' }]);
  });

  it('with what is known of it', () => {
    const [lost] = summaries(new LogBuilder().outcome({ version: 'v2' }).bucket({ v1: { routed: 9 }, v2: { routed: 1 } })); // prettier-ignore
    expect(lost).toMatchObject({ kind: 'left-out', routedFrom: T0 - 100, routed: { v1: 9, v2: 1 } });
  });

  it('when it is overdue, at the offset that shows it, before that record’s own summary', () => {
    const log = new LogBuilder()
      .outcomes(2)
      .after(BUCKET_OVERDUE_MS - 1)
      .tick()
      .outcome({ bucket: 2 })
      .after(1)
      .bucket({ v1: { routed: 1 } }, { bucket: 2 })
      .bucket({ v1: { routed: 2 } });
    const placed = summariesOf(fold(log));
    expect(placed.map((p) => [p.offset, p.index, p.summary.kind])).toEqual([
      [4, 0, 'left-out'],
      [4, 1, 'bucket'],
    ]);
    expect(placed[0]!.summary).toMatchObject({ cause: 'overdue', bucket: 1, routed: { v1: 2 }, routedFrom: T0 - 20 });
  });

  it('and forgotten at its final record, or with time', () => {
    const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null);
    const log = new LogBuilder()
      .bucket({ v1: { routed: 2, pending: 0 } }, { final: false })
      .bucket({ v1: { routed: 2, pending: 0 } }, { bucket: 2, final: false });
    const left = slot.foldBatch(log.records, 2);
    expect([...left.set.keys()]).toEqual(['l|r-1', 'b|r-1|1', 'b|r-1|2']);
    log.bucket({ v1: { routed: 2 } }).after(LANE_FORGOTTEN_MS + 60_000).tick(); // prettier-ignore
    const later = slot.foldBatch(log.records.slice(2), 4);
    expect(later.deleted).toEqual(['b|r-1|1', 'b|r-1|2', 'l|r-1']);
    expect(later.set.size).toBe(0);
  });
});

describe('bad records', () => {
  it('go to the dead letters with offset and cause, and the next one is processed', () => {
    const log = new LogBuilder()
      .raw(null)
      .raw(Buffer.from('rubbish'))
      .outcome({ lane: 3 })
      .outcome()
      .outcome({ model: 'other' })
      .outcome({ generation: 4 })
      .bucket({ v1: { routed: 1 } });
    const folded = fold(log);
    expect(folded.deadLetters.map((d) => [d.offset, d.cause.code])).toEqual([
      [0, 'tombstone'],
      [1, 'not-json'],
      [2, 'wrong-lane'],
      [4, 'foreign-bucket'],
      [5, 'foreign-bucket'],
    ]);
    expect(summariesOf(folded)).toMatchObject([{ offset: 6, summary: { kind: 'bucket' } }]);
    expect(folded.position).toBe(7);
  });

  it('move log time on, as ticks do, and log time never goes back', () => {
    const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null);
    const log = new LogBuilder().tick().after(50).raw(null).after(-200).tick();
    expect(fold(log, slot).logTimeMs).toBe(T0 + 50);
    expect(slot.foldBatch([], 9)).toMatchObject({ position: 9, logTimeMs: T0 + 50 });
  });
});

describe('windows', () => {
  it('show every outcome by its routing time, evidence or not', () => {
    const log = new LogBuilder()
      .outcomes(3, { routedAt: T0 })
      .outcome({ routedAt: T0, shadow: true, status: 'error', httpStatus: 500 })
      .outcome({ routedAt: T0, status: 'cancelled' })
      .outcome({ routedAt: T0 + 10_000, version: 'v2', status: 'error', httpStatus: 422 });
    const folded = fold(log);
    const deltas = windowsShownBy(folded, folded.logTimeMs);
    expect(
      deltas.map((d) => [
        d.id.resolution,
        d.id.startMs - T0,
        [...d.versions].map(([version, f]) => [version, f.routed, f.errors, f.latency.get(sketchBin(12.5))]),
      ]),
    ).toEqual([
      ['10s', 0, [['v1', 5, 1, 4]]],
      ['10s', 10_000, [['v2', 1, 1, 1]]],
      ['1m', -20_000, [['v1', 5, 1, 4], ['v2', 1, 1, 1]]], // prettier-ignore
    ]);
  });

  it('leave out what nobody can look at any more, and what a clock gone wrong says', () => {
    const log = new LogBuilder()
      .outcome({ routedAt: T0 - 30 * 3_600_000 })
      .outcome({ routedAt: T0 + 3_600_000 })
      .outcome({ routedAt: T0 - 2 * 3_600_000 });
    const folded = fold(log);
    expect(windowsShownBy(folded, folded.logTimeMs).map((d) => d.id.resolution)).toEqual(['1m']);
    expect(folded.counts.folded).toBe(3);
  });
});
