import {
  classHash,
  createTopicsFor,
  deadLetterCodec,
  ManualClock,
  MemoryBus,
  modelHash,
  PredictionIdSealer,
  silentLogger,
  topicNames,
  type WindowFigures,
} from '@app/shared';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GenerationDirectory, ModelEntry } from '../domain/slot/generation-directory.js';
import { LogBuilder } from '../testing/slot-builders.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { type RunningSlotOwner, type SlotOwnerOptions, startSlotOwner } from './slot-owner.js';
import type { SlotMetrics } from './slot-metrics.js';

const topics = topicNames();
const PARTITIONS = 2;
/** LogBuilder writes records of lane 7. */
const LANE = 0;
const OUTCOMES: SlotId = { kind: 'outcome', partition: LANE };
const LABELS: SlotId = { kind: 'label', partition: 0 };
const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 1) }]);
const TICK = { kind: 'tick', schemaVersion: 1 };

/** Counts what is reported. */
class CountingMetrics implements SlotMetrics {
  readonly counts: Record<string, number> = {};
  readonly batchFolded = ({ counts }: Parameters<SlotMetrics['batchFolded']>[0]) => this.add('folded', counts.folded);
  readonly deadLettered = () => this.add('deadLettered');
  readonly slotMoved = () => this.add('moved');
  readonly slotRestored = (_: SlotId, from: string) => this.add(`restored-${from}`);
  readonly recordsMissed = (_: SlotId, records: number) => this.add('missed', records);
  readonly batchFailed = () => this.add('failed');
  readonly tickWritten = () => this.add('ticks');
  readonly slotCheckpointWritten = () => this.add('checkpoints');
  readonly slotReleased = () => this.add('released');
  private add(name: string, n = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + n;
  }
}

const digits: ModelEntry = {
  model: 'digits',
  generation: 3,
  version: (index) => ['v1', 'v2'][index] ?? null,
  hasVersion: (version) => ['v1', 'v2'].includes(version),
  tolerance: 0,
  counted: () => ({ labelsWithinMs: 60_000, tolerance: 0 }),
};
let known: Map<number, ModelEntry>;
const directory: GenerationDirectory = { model: (hash) => known.get(hash) ?? null };

let bus: MemoryBus;
let clock: ManualClock;
let store: MemorySlotStore;
let metrics: CountingMetrics;
let running: RunningSlotOwner[];
/** Resolved: the directory has read all there is. */
let caughtUp: PromiseWithResolvers<void>;
let asked: number;

beforeEach(async () => {
  clock = new ManualClock(1_700_000_000_000);
  bus = new MemoryBus({ clock });
  store = new MemorySlotStore();
  metrics = new CountingMetrics();
  known = new Map([[modelHash('digits'), digits]]);
  running = [];
  caughtUp = Promise.withResolvers();
  asked = 0;
  await createTopicsFor(bus, topics, { dataPartitions: PARTITIONS, controlPartitions: 3 });
});

afterEach(async () => {
  await Promise.all(running.map((owner) => owner.close()));
  await bus.close();
});

async function start(options: Partial<SlotOwnerOptions> = {}): Promise<RunningSlotOwner> {
  const parts = {
    bus,
    topics,
    store,
    directory,
    directoryCaughtUp: () => ((asked += 1), caughtUp.promise),
    sealer,
    clock,
    metrics,
  };
  const owner = await startSlotOwner({
    ...parts,
    slotCounts: { outcome: PARTITIONS, label: PARTITIONS },
    controlPartitions: 3,
    groupId: 'evaluator-slots',
    logger: silentLogger,
    ...options,
  });
  running.push(owner);
  return owner;
}

async function write(log: LogBuilder, slot: SlotId = OUTCOMES): Promise<void> {
  const producer = bus.producer();
  const topic = topics[slot.kind];
  await producer.send(log.records.map(({ value }) => ({ topic, partition: slot.partition, key: null, value })));
  await producer.close();
}

/** Waits for the slot to have come to a position (or beyond it, by ticks). */
async function reached(position: number, slot: SlotId = OUTCOMES): Promise<void> {
  await vi.waitFor(
    async () => expect((await store.readForOwner(slot, 0, 0))?.position).toBeGreaterThanOrEqual(position),
    { timeout: 4_000, interval: 10 },
  );
}

/** Lets time run while something is waited for. */
async function whileTimeRuns(perTickMs: number, waiting: Promise<void>): Promise<void> {
  const running = setInterval(() => clock.advance(perTickMs), 5);
  try {
    await waiting;
  } finally {
    clearInterval(running);
  }
}

/** Waits for the windows of digits to show these figures: a few ticks later than the slot. */
async function shows(versions: Record<string, Partial<WindowFigures>>): Promise<void> {
  const shown = vi.waitFor(
    async () => {
      const read = await store.windows.read('digits', { resolution: '1m', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
      expect(read.map((window) => Object.fromEntries(window.versions))).toMatchObject([versions]);
    },
    { timeout: 4_000, interval: 10 },
  );
  await whileTimeRuns(100, shown);
}

async function summariesOf(slot: SlotId = OUTCOMES): Promise<string[]> {
  const views = await Promise.all([0, 1, 2].map((owner) => store.readForOwner(slot, owner, 0)));
  return views.flatMap((view) => view?.summaries.map((s) => `${s.offset}/${s.index} ${s.summary.kind}`) ?? []);
}

const someOutcomes = (): LogBuilder =>
  new LogBuilder(LANE)
    .outcomes(3)
    .bucket({ v1: { routed: 3 } })
    .outcome({ bucket: 2 });

describe('the owner of partitions', () => {
  it('folds what is in the topics, from the beginning, and what comes later', async () => {
    await write(someOutcomes());
    const owner = await start();
    await reached(5);
    expect(await summariesOf()).toEqual(['3/0 bucket']);
    await write(new LogBuilder(LANE).json(TICK));
    await reached(6);
    expect(owner.positions().get('outcome-0')).toMatchObject({ position: 6 });
    expect(owner.isAssigned()).toBe(true);
    await shows({ v1: { routed: 4 } });
  });

  it('goes on where the slot stands, also if another one has moved it', async () => {
    await write(someOutcomes());
    const first = await start();
    await reached(5);
    await first.close();
    await write(new LogBuilder(LANE, 5).outcome({ bucket: 2 }).bucket({ v1: { routed: 2 } }, { bucket: 2 }));
    await start();
    await reached(7);
    expect(await summariesOf()).toEqual(['3/0 bucket', '6/0 bucket']);
    expect(metrics.counts).toMatchObject({ folded: 5 });
    expect(metrics.counts.moved).toBeUndefined();
  });

  it('takes the slot as it is found when it was moved under its hands', async () => {
    const owner = await start();
    await write(someOutcomes());
    await reached(5);
    // A zombie or a backup: the slot is another one, at another position, and valid as every slot is.
    const older = { image: { position: 2, logTimeMs: 1, fields: new Map<string, Buffer>() }, owners: new Map() };
    const elsewhere = new MemorySlotStore();
    await elsewhere.restore(OUTCOMES, older);
    replaceSlot(elsewhere);
    await write(new LogBuilder(LANE).json(TICK));
    await reached(6);
    expect(metrics.counts.moved).toBe(1);
    expect(owner.positions().get('outcome-0')?.position).toBe(6);
  });

  it('puts a slot that was lost back from its checkpoint and reads on from there', async () => {
    const owner = await start();
    await write(someOutcomes());
    await reached(5);
    await owner.owner.checkpointAll();
    const before = await store.loadWhole(OUTCOMES);
    await write(new LogBuilder(LANE, 5).outcome({ bucket: 2 }).bucket({ v1: { routed: 2 } }, { bucket: 2 }));
    await reached(7);
    const after = await store.loadWhole(OUTCOMES);
    replaceSlot(new MemorySlotStore());
    await write(new LogBuilder(LANE).json(TICK));
    await reached(8);
    expect(metrics.counts['restored-checkpoint']).toBe(1);
    expect(before?.image.position).toBe(5);
    const again = await store.loadWhole(OUTCOMES);
    expect(again?.owners).toEqual(after?.owners);
    expect(again?.image.fields).toEqual(after?.image.fields);
  });

  it('reads a slot that was lost without a checkpoint anew, from the beginning', async () => {
    await start();
    await write(someOutcomes());
    await reached(5);
    const before = await store.loadWhole(OUTCOMES);
    replaceSlot(new MemorySlotStore());
    await write(new LogBuilder(LANE).json(TICK));
    await reached(6);
    expect((await store.loadWhole(OUTCOMES))?.owners).toEqual(before?.owners);
    expect(metrics.counts['restored-beginning']).toBeGreaterThanOrEqual(2);
  });

  it('loses and doubles nothing while the store is away', async () => {
    await start();
    await write(someOutcomes());
    await reached(5);
    const apply = vi.spyOn(store, 'apply').mockRejectedValue(new Error('Redis is away'));
    const load = vi.spyOn(store, 'load').mockRejectedValue(new Error('Redis is away'));
    await write(new LogBuilder(LANE, 5).outcome({ bucket: 2 }).bucket({ v1: { routed: 2 } }, { bucket: 2 }));
    await vi.waitFor(() => expect(metrics.counts.failed).toBeGreaterThan(1), { timeout: 5_000 });
    apply.mockRestore();
    load.mockRestore();
    await reached(7);
    expect(await summariesOf()).toEqual(['3/0 bucket', '6/0 bucket']);
    expect(metrics.counts.folded).toBe(5);
    await shows({ v1: { routed: 5 } });
  });

  it('takes in a change once that was applied although the store did not say so', async () => {
    const apply = store.apply.bind(store);
    vi.spyOn(store, 'apply').mockImplementationOnce(async (slot, change) => {
      await apply(slot, change);
      throw new Error('connection reset');
    });
    await write(someOutcomes());
    await start();
    await reached(5);
    await write(new LogBuilder(LANE).json(TICK));
    await reached(6);
    expect(await summariesOf()).toEqual(['3/0 bucket']);
    await shows({ v1: { routed: 4 } });
  });

  it('says to all owners that records were gone before they were read, and leaves their buckets out', async () => {
    bus = new MemoryBus({ clock, retentionRecordsMax: 4 });
    await createTopicsFor(bus, topics, { dataPartitions: PARTITIONS, controlPartitions: 3 });
    const owner = await start();
    await write(new LogBuilder(LANE).outcome());
    await reached(1);
    await owner.close();
    await write(
      new LogBuilder(LANE, 1)
        .outcomes(6)
        .bucket({ v1: { routed: 7 } })
        .outcome({ bucket: 2 }),
    );
    await start();
    await reached(9);
    await write(new LogBuilder(LANE).json(TICK));
    await reached(10);
    const low = 1 + metrics.counts.missed!;
    expect(low).toBeGreaterThan(1);
    // At the first record behind the gap, and where the partition ended when it was noticed.
    const missed = [`${low}/0 missed`, '9/0 missed'];
    expect((await summariesOf()).sort()).toEqual([...missed, ...missed, ...missed, '7/0 left-out'].sort());
  });

  it('begins while neither broker nor store answers', async () => {
    const gone = (): Promise<never> => Promise.reject(new Error('read ECONNRESET'));
    vi.spyOn(bus, 'offsets').mockImplementation(gone);
    vi.spyOn(store, 'readAllForOwner').mockImplementation(gone);
    await start();
    vi.restoreAllMocks();
    await write(someOutcomes());
    await reached(5);
  });

  it('ends while the broker is away', async () => {
    const owner = await start();
    await write(new LogBuilder(LANE).raw(null));
    bus.setUnavailable(true);
    const startedMs = performance.now();
    await owner.close();
    expect(performance.now() - startedMs).toBeLessThan(9_000);
    bus.setUnavailable(false);
  });
});

describe('dead letters', () => {
  async function deadLetters() {
    const letters: { key: string; code: string; offset: number }[] = [];
    const follower = bus.follower({
      topics: [topics.deadLetter],
      onBatch: ({ records }) => {
        for (const { key, value } of records) {
          const letter = deadLetterCodec.decode(value);
          if (letter.ok)
            letters.push({ key: key!.toString(), code: letter.value.cause.code, offset: letter.value.offset });
        }
      },
    });
    await follower.caughtUp();
    await follower.close();
    return letters;
  }

  it('are written with their coordinates and cause before the position moves on, once', async () => {
    await write(new LogBuilder(LANE).raw(null).outcome().raw(Buffer.alloc(900_000, 0x20)).outcome({ lane: 9 }));
    await start();
    await reached(4);
    expect(await deadLetters()).toEqual([
      { key: 'prediction-outcome/0/0', code: 'tombstone', offset: 0 },
      { key: 'prediction-outcome/0/2', code: 'too-long', offset: 2 },
      { key: 'prediction-outcome/0/3', code: 'wrong-lane', offset: 3 },
    ]);
    expect(metrics.counts.deadLettered).toBe(3);
  });

  it('tell of models and versions that nobody knows', async () => {
    await write(
      new LogBuilder(LANE)
        .outcome({ model: 'gone' })
        .outcome({ version: 'v9', bucket: 2 })
        .outcome({ bucket: 3 })
        .outcome({ model: 'late', bucket: 4 }),
    );
    await start();
    // A model may become known from another topic at any moment, so all of that is read first, however long it takes.
    await vi.waitFor(() => expect(asked).toBe(1));
    known.set(modelHash('late'), { ...digits, model: 'late' });
    expect(await deadLetters()).toEqual([]);
    caughtUp.resolve();
    await reached(4);
    expect((await deadLetters()).map(({ offset, code }) => [offset, code])).toEqual([
      [0, 'unknown-model'],
      [1, 'unknown-version'],
    ]);
  });
});

describe('silent partitions', () => {
  it('get a tick after half a second, those of labels too, so that log time goes on', async () => {
    await start();
    await vi.waitFor(() => expect(running[0]!.isAssigned()).toBe(true));
    const slots = [OUTCOMES, { ...OUTCOMES, partition: 1 }, LABELS, { ...LABELS, partition: 1 }];
    for (let i = 0; i < 3; i++) {
      clock.advance(600);
      await vi.waitFor(() => expect(metrics.counts.ticks).toBeGreaterThanOrEqual(4 * (i + 1)), { timeout: 5_000 });
      // A tick that is heard only after the clock was moved would make its partition one that has just spoken.
      for (const slot of slots)
        await vi.waitFor(async () => {
          const read = await store.readForOwner(slot, 0, 0);
          expect(read).toMatchObject({ logTimeMs: clock.nowMs(), position: i + 1 });
        });
    }
  });
});

describe('labels', () => {
  const labelled = (generation: number) => ({
    label: 7,
    predictionId: sealer.seal({
      modelHash: modelHash('digits'),
      generation,
      versionIndex: 1,
      arm: 'canary',
      routedAt: clock.nowMs(),
      sinceBucketMs: 0,
      unit: 1,
      segment: 0,
      routerHash: 1,
      counter: 1,
      valueKind: 'class',
      value: classHash(7),
      counted: true,
    }),
  });

  it('of a generation that is not known yet wait until it is', async () => {
    const log = new LogBuilder(LANE).json(labelled(3)).json(labelled(4));
    await write(log, LABELS);
    await start();
    await reached(1, LABELS);
    known.set(modelHash('digits'), { ...digits, generation: 4 });
    await reached(2, LABELS);
    await shows({ v2: { labelled: 2, right: 2 } });
    const [window] = await store.windows.read('digits', { resolution: '1m', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
    expect([...window!.versions.get('v2')!.labelDelay.values()].reduce((a, b) => a + b)).toBe(2);
  });

  it('wait, however long it takes, until everything that says so has been read, and not longer', async () => {
    await write(new LogBuilder(LANE).json(labelled(4)).json(labelled(4)), LABELS);
    await start();
    await vi.waitFor(() => expect(asked).toBe(1));
    clock.advance(3_600_000);
    expect((await store.load(LABELS))?.position ?? 0).toBe(0);
    caughtUp.resolve();
    await reached(2, LABELS);
    expect(metrics.counts.folded).toBe(2);
  });
});

describe('several owners', () => {
  it('share the partitions, and one takes over from the other without losing or doubling anything', async () => {
    const [one, two] = [await start(), await start()];
    await vi.waitFor(() => expect(one.isAssigned() && two.isAssigned()).toBe(true));
    for (let i = 0; i < 20; i++) {
      for (const partition of [0, 1])
        await write(
          new LogBuilder(partition, 3 * i).outcomes(2, { bucket: i }).bucket({ v1: { routed: 2 } }, { bucket: i }),
          { kind: 'outcome', partition },
        );
      if (i === 10) await one.close();
    }
    for (const partition of [0, 1]) {
      const slot: SlotId = { kind: 'outcome', partition };
      await reached(60, slot);
      const expected = Array.from({ length: 20 }, (_, i) => `${3 * i + 2}/0 bucket`);
      expect(await summariesOf(slot)).toEqual(expected);
    }
  });
});

/** The store's slots become those of another one, as after FLUSHALL or a backup. */
function replaceSlot(by: MemorySlotStore): void {
  for (const method of [
    'load',
    'apply',
    'readForOwner',
    'readAllForOwner',
    'loadWhole',
    'restore',
    'readWindows',
    'readWaiting',
  ] as const)
    store[method] = by[method].bind(by) as never;
}
