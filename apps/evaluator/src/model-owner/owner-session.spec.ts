import { partitionOf, type Verdict } from '@app/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointManifestCodec, manifestKey } from '../domain/cut/checkpoint.js';
import type { EngineFactory } from '../domain/cut/engine-factory.js';
import { CUT_INTERVAL_MS } from '../domain/engine.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import { aBucket, aState, placed } from '../testing/builders.js';
import { CONTROL_PARTITIONS, OwnerStage, until } from '../testing/owner-stage.js';
import { RecordingEngine, recordingEngines } from '../testing/recording-engine.js';
import { CHECKPOINT_INTERVAL_MS, type OwnerSession } from './owner-session.js';

const OWNER = partitionOf('fraud', CONTROL_PARTITIONS);
const SLOTS: readonly SlotId[] = [
  { kind: 'outcome', partition: 0 },
  { kind: 'outcome', partition: 1 },
  { kind: 'label', partition: 0 },
];
let stage: OwnerStage;
let round = 0;

beforeEach(async () => {
  stage = await OwnerStage.open();
  round = 0;
});
afterEach(() => stage.close());

/** Each slot comes some records further; every record of an outcome partition shows a bucket of `fraud`. */
async function traffic(generation = 2): Promise<void> {
  round += 1;
  for (const slot of SLOTS) {
    const position = round * 10;
    const summaries = [3, 7].map((at) =>
      placed(position - 10 + at, aBucket('fraud', generation, round * 100 + slot.partition * 10 + at)),
    );
    const owner = { owner: OWNER, summaries: slot.kind === 'outcome' ? summaries : [] };
    await stage.slot(slot, { position, logTimeMs: round * 250, ...owner });
  }
}

async function cutSome(session: OwnerSession, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await traffic();
    expect(await session.cut()).toMatchObject({ kind: 'published' });
  }
}

const codes = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ reason }) => reason.code);

/** Engines that count otherwise than those before them. */
const otherEngines: EngineFactory = {
  ...recordingEngines,
  decode: (_model, bytes) => {
    const engine = RecordingEngine.decode(bytes);
    const beginCut = engine.beginCut.bind(engine);
    engine.beginCut = (cut) => beginCut({ ...cut, asOfMs: cut.asOfMs + 1 });
    return engine;
  },
};

describe('an owner of models', () => {
  it('publishes a cut with the verdicts of its models, and none while nothing moves', async () => {
    const session = await stage.begin(OWNER);
    expect(await session.cut()).toEqual({ kind: 'idle' });
    await stage.decide(aState('fraud', 0));
    await traffic();
    expect(await session.cut()).toMatchObject({ kind: 'published', verdicts: 1, checkpoint: true });
    expect(await session.cut()).toEqual({ kind: 'idle' });
    const { cuts, verdicts } = await stage.published(OWNER);
    expect(cuts).toEqual([
      expect.objectContaining({
        owner: OWNER,
        number: 1,
        positions: { outcome: [10, 10], label: [10] },
        logTimes: { outcome: [250, 250], label: [250] },
        asOf: 250,
        known: { fraud: 3 },
      }),
    ]);
    expect(verdicts).toEqual([expect.objectContaining({ model: 'fraud', rollout: 'fraud-1', asOf: 250 })]);
    expect(verdicts[0]!.baseline).toMatchObject({ counts: { '2/v1': { routed: 36 }, '2/v2': { routed: 4 } } });
  });

  it('cuts for a model that is new although nothing moves, and not at all while it has none', async () => {
    const session = await stage.begin(OWNER);
    await stage.slot(SLOTS[0]!, { position: 10, logTimeMs: 10 });
    expect(await session.cut()).toEqual({ kind: 'idle' });
    await stage.decide(aState('fraud', 0));
    expect(await session.cut()).toMatchObject({ kind: 'published', cut: { known: { fraud: 3 } } });
  });

  it('stops before a generation it has not read of, until it has', async () => {
    const session = await stage.begin(OWNER);
    await stage.decide(aState('fraud', 0));
    await traffic(2);
    await session.cut();
    await traffic(3);
    expect(await session.cut()).toMatchObject({ cut: { positions: { outcome: [13, 13], label: [20] } } });
    await stage.decide(aState('fraud', 1));
    expect(await session.cut()).toMatchObject({
      cut: { positions: { outcome: [20, 20], label: [20] }, known: { fraud: 4 } },
    });
  });

  it('cuts more often where a rollout is open, and most where a ceiling is near', async () => {
    const session = await stage.begin(OWNER);
    expect(session.intervalMs()).toBe(CUT_INTERVAL_MS.idle);
    await stage.decide(aState('fraud', 0));
    // The state came while a cut was made: it is not known to it, and waits for the next one.
    expect(session.intervalMs()).toBe(CUT_INTERVAL_MS.open);
    await session.cut();
    expect(session.intervalMs()).toBe(CUT_INTERVAL_MS.open);
    const urgent = partitionOf('urgent-1', CONTROL_PARTITIONS) === OWNER ? 'urgent-1' : 'urgent-2';
    await stage.decide(aState(partitionOf(urgent, CONTROL_PARTITIONS) === OWNER ? urgent : 'urgent-3', 0));
    await session.cut();
    expect(session.intervalMs()).toBe(CUT_INTERVAL_MS.urgent);
  });

  it('makes no cut while the store cannot be read, and goes on where it was', async () => {
    const session = await stage.begin(OWNER);
    await stage.decide(aState('fraud', 0));
    await cutSome(session, 1);
    const { readAllForOwner } = stage.slotStore;
    stage.slotStore.readAllForOwner = () => Promise.reject(new Error('away'));
    await traffic();
    expect(await session.cut()).toMatchObject({ kind: 'unreadable' });
    stage.slotStore.readAllForOwner = readAllForOwner;
    expect(await session.cut()).toMatchObject({ kind: 'published', cut: { number: 2 } });
  });

  it('trims up to its newest checkpoint and no further', async () => {
    const session = await stage.begin(OWNER);
    await stage.decide(aState('fraud', 0));
    await cutSome(session, 3);
    expect(await stage.slotStore.readForOwner(SLOTS[0]!, OWNER, 0)).toMatchObject({ trimmedTo: 10 });
    stage.clock.advance(CHECKPOINT_INTERVAL_MS);
    await cutSome(session, 1);
    expect(await stage.slotStore.readForOwner(SLOTS[0]!, OWNER, 0)).toMatchObject({ trimmedTo: 40 });
  });
});

describe('a new owner', () => {
  it('goes on as the former one would have: same bytes in every later verdict', async () => {
    await stage.decide(aState('fraud', 0));
    const former = await stage.begin(OWNER);
    await cutSome(former, 5);
    const next = await stage.begin(OWNER);
    expect(next.stands()).toMatchObject({ number: 5, front: { positions: [50, 50, 50] } });
    await cutSome(next, 2);
    const twice = await stage.begin(OWNER);
    await cutSome(twice, 2);
    const { cuts, verdicts } = await stage.published(OWNER);
    expect(cuts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(codes(verdicts)).toEqual(Array(9).fill('recorded'));
    expect(verdicts.at(-1)!.baseline).toMatchObject({ counts: { '2/v1': { routed: 9 * 36 } } });
    expect(stage.metrics.counts).not.toHaveProperty('diverged');

    // The same cuts from the beginning, by one owner in another world, give the same bytes.
    const published = await stage.published(OWNER);
    await stage.close();
    stage = await OwnerStage.open();
    round = 0;
    await stage.decide(aState('fraud', 0));
    await cutSome(await stage.begin(OWNER), 9);
    expect((await stage.published(OWNER)).bytes).toEqual(published.bytes);
  });

  it('fences the former one: its next cut is refused and leaves nothing behind', async () => {
    await stage.decide(aState('fraud', 0));
    const former = await stage.begin(OWNER);
    await cutSome(former, 1);
    await stage.begin(OWNER);
    await traffic();
    await expect(former.cut()).rejects.toMatchObject({ code: 'fenced' });
    expect((await stage.published(OWNER)).cuts).toHaveLength(1);
  });

  it('waits until slots that were lost have come to the cuts again', async () => {
    await stage.decide(aState('fraud', 0));
    await cutSome(await stage.begin(OWNER), 3);
    const lost = stage.slotStore;
    const wholes = await Promise.all(SLOTS.map((slot) => lost.loadWhole(slot)));
    stage.slotStore = new MemorySlotStore();
    let stands: number | null = null;
    const taking = stage.begin(OWNER).then((session) => (stands = session.stands().number));
    const store = stage.slotStore;
    for (const [i, slot] of SLOTS.entries()) {
      await until(() => new Promise((resolve) => setImmediate(() => resolve(true))));
      expect(stands).toBeNull();
      await store.restore(slot, wholes[i]!);
    }
    await taking;
    expect(stands).toBe(3);
    expect(stage.metrics.counts).not.toHaveProperty('diverged');
  });

  it('can give up waiting when it is closed', async () => {
    await stage.decide(aState('fraud', 0));
    await cutSome(await stage.begin(OWNER), 2);
    stage.slotStore = new MemorySlotStore();
    const closing = new AbortController();
    const taking = stage.begin(OWNER, { signal: closing.signal });
    closing.abort(new Error('closing'));
    await expect(taking).rejects.toThrow();
  });

  it('that comes to other verdicts than the published ones holds the rollout, and goes on', async () => {
    await stage.decide(aState('fraud', 0));
    await cutSome(await stage.begin(OWNER), 3);
    const next = await stage.begin(OWNER, { engines: otherEngines });
    await cutSome(next, 1);
    const { verdicts } = await stage.published(OWNER);
    expect(codes(verdicts)).toEqual([...Array<string>(3).fill('recorded'), 'evaluator-diverged']);
    expect(verdicts.at(-1)!.result).toBe('hold');
    expect(stage.metrics.counts).toMatchObject({ diverged: 1 });
    // The hold is in the checkpoint: whoever comes next keeps it, to the rollout's end.
    const third = await stage.begin(OWNER);
    await cutSome(third, 1);
    expect(codes((await stage.published(OWNER)).verdicts).at(-1)).toBe('evaluator-diverged');
  });

  it('does not read a checkpoint of another engine version: begins anew and holds to the next phase', async () => {
    await stage.decide(aState('fraud', 0));
    await cutSome(await stage.begin(OWNER), 3);
    await rewriteManifest((manifest) => ({ ...manifest, engineVersion: '0' }));
    const next = await stage.begin(OWNER);
    expect(next.stands()).toMatchObject({ number: 3, front: { positions: [30, 30, 30] } });
    await cutSome(next, 1);
    await stage.decide(aState('fraud', 1));
    await cutSome(next, 1);
    const { cuts, verdicts } = await stage.published(OWNER);
    expect(cuts.at(-1)?.number).toBe(5);
    expect(codes(verdicts).slice(3)).toEqual(['evaluator-rebuilding', 'recorded']);
    expect(stage.metrics.counts).toMatchObject({ begunAnew: 1 });
  });

  it('finds summaries gone beyond its cut: that is over at first, and begun anew when it is for good', async () => {
    await stage.decide(aState('fraud', 0));
    const former = await stage.begin(OWNER);
    await cutSome(former, 2);
    await traffic();
    await stage.slotStore.trim(SLOTS[0]!, OWNER, 25);
    await expect(former.cut()).rejects.toMatchObject({ code: 'trimmed-beyond-cut' });
    await expect(stage.begin(OWNER)).rejects.toMatchObject({ code: 'trimmed-beyond-cut' });
    const next = await stage.begin(OWNER, { trimmedForGood: true });
    expect(next.stands()).toMatchObject({ number: 2, front: { positions: [25, 20, 20] } });
    await cutSome(next, 1);
    expect(codes((await stage.published(OWNER)).verdicts).at(-1)).toBe('evaluator-rebuilding');
  });
});

async function rewriteManifest(change: (manifest: object) => object): Promise<void> {
  const records = await stage.records('evaluator-checkpoint', OWNER);
  const newest = records.findLast(({ key }) => key?.toString() === manifestKey(OWNER));
  const manifest = checkpointManifestCodec.decode(newest!.value);
  if (!manifest.ok) throw new Error('no manifest');
  const value = Buffer.from(JSON.stringify(change(manifest.value)));
  const producer = stage.bus.producer();
  await producer.send([{ topic: 'evaluator-checkpoint', partition: OWNER, key: manifestKey(OWNER), value }]);
  await producer.close();
}
