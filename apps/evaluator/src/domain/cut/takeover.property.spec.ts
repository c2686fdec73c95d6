import { type Cut, verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { aBucket, aShare, aState, placed, seededRandom } from '../../testing/builders.js';
import { recordingEngines } from '../../testing/recording-engine.js';
import type { PlacedSummary } from '../summary.js';
import { CHECKPOINT_PIECE_BYTES_MAX, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { type EngineFactory, verdictEngines } from './engine-factory.js';
import { nextFront, NO_STOPS, summariesBetween } from './next-front.js';
import { OwnedModels } from './owned-models.js';
import { type KnownPlan, knownPlanOf, PlanHistory } from './plan-history.js';
import { type CutFront, cutFields, emptyFront, frontOf, type SlotView } from './slot-view.js';

const COUNTS = { outcome: 3, label: 1 };
const MODELS = ['churn', 'fraud'];

interface Slot {
  position: number;
  logTimeMs: number;
  readonly summaries: PlacedSummary[];
}

/** A whole life of three partitions and two models: what slots, plans and cuts were, one after the other. */
class Life {
  private readonly random: () => number;
  private readonly slots: Slot[];
  private readonly step = new Map(MODELS.map((model) => [model, -1]));
  history = new PlanHistory();
  /** As the newest states tell them. */
  private readonly newest = new Map<string, KnownPlan>();
  private bucket = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.slots = Array.from({ length: COUNTS.outcome + COUNTS.label }, () => ({
      position: 0,
      logTimeMs: -1,
      summaries: [],
    }));
  }

  /** Some records come in, and now and then a decision is made; routers may hear of it before the evaluator does. */
  goOn(): void {
    const late: (() => void)[] = [];
    for (const model of MODELS) {
      if (this.random() > 0.05) continue;
      const step = Math.min(3, this.step.get(model)! + 1);
      this.step.set(model, step);
      const state = step === 3 ? aState(model, 2, { ended: true }) : aState(model, step);
      late.push(() => {
        this.history.add(knownPlanOf(state));
        this.newest.set(model, knownPlanOf(state));
      });
    }
    if (this.random() < 0.5) late.splice(0).forEach((tell) => tell());
    for (const [i, slot] of this.slots.entries()) {
      const records = Math.floor(this.random() * 6);
      for (let record = 0; record < records; record++) {
        slot.position += 1 + Math.floor(this.random() * 3);
        slot.logTimeMs = Math.max(slot.logTimeMs, 0) + Math.floor(this.random() * 900);
        const model = MODELS[Math.floor(this.random() * MODELS.length)]!;
        const summaries = this.random() < 0.2 ? 2 : 1;
        const generation = 2 + this.step.get(model)!;
        for (let index = 0; index < summaries; index++) {
          const number = this.bucket++;
          const summary =
            i < COUNTS.outcome
              ? aBucket(model, generation, number)
              : aShare(model, generation, Math.floor(number / 10));
          slot.summaries.push(placed(slot.position - 1, summary, index));
        }
      }
    }
    late.forEach((tell) => tell());
  }

  /** Compaction leaves the newest state of each model. */
  compact(): void {
    this.history = new PlanHistory();
    for (const known of this.newest.values()) this.history.add(known);
  }

  /** What an owner sees; with a seed of their own some slots cannot be read, or show an older state. */
  views(front: CutFront, random: () => number = () => 1): readonly (SlotView | null)[] {
    return this.slots.map((slot, i) => {
      if (random() < 0.1) return null;
      const position = random() < 0.1 ? Math.floor(slot.position / 2) : slot.position;
      const { logTimeMs } = slot;
      const summaries = slot.summaries.filter((s) => s.offset >= front.positions[i]! && s.offset < position);
      return { position, logTimeMs, trimmedTo: 0, summaries };
    });
  }
}

interface Published {
  readonly cut: Cut;
  readonly bytes: readonly string[];
}

class Owner {
  private stops = NO_STOPS;

  constructor(
    private readonly life: Life,
    engines: EngineFactory,
    public number = 0,
    public front = emptyFront(COUNTS),
    public models = new OwnedModels(engines),
  ) {}

  cut(random: () => number): Published | null {
    const views = this.life.views(this.front, random);
    const known: Record<string, number> = {};
    for (const model of MODELS) {
      const newest = this.life.history.newest(model);
      if (newest && newest.sequence > (this.models.get(model)?.sequence ?? -1)) known[model] = newest.sequence;
    }
    const next = nextFront({
      front: this.front,
      views,
      stops: this.stops,
      knownGeneration: (model) => this.life.history.newest(model)?.plan.generation ?? -1,
    });
    this.stops = next.stops;
    if (!next.moved && Object.keys(known).length === 0) return null;
    const fields = cutFields(next.front, COUNTS);
    const cut: Cut = { kind: 'cut', schemaVersion: 1, owner: 0, number: this.number + 1, ...fields, known };
    return this.fold(cut, views);
  }

  fold(cut: Cut, views = this.life.views(this.front)): Published {
    const target = frontOf(cut, COUNTS);
    const summaries = summariesBetween(this.front, target, views);
    const { verdicts, failures } = this.models.foldCut(cut, summaries, (model, at) => this.life.history.at(model, at));
    expect(failures).toEqual([]);
    this.front = target;
    this.number = cut.number;
    return { cut, bytes: verdicts.map((verdict) => verdictCodec.encode(verdict).toString()) };
  }

  checkpoint(): ReadonlyMap<string, Buffer> {
    const { positions, logTimes } = cutFields(this.front, COUNTS);
    const head = { owner: 0, number: this.number, positions, logTimes, verdictsFrom: 0 };
    return new Map(encodeCheckpoint(head, this.models).map(({ key, value }) => [key, Buffer.from(value)]));
  }
}

/** A new owner at a checkpoint, or at the beginning where there is none yet. */
function takenOver(life: Life, checkpoint: ReadonlyMap<string, Buffer>, engines: EngineFactory): Owner {
  const found = decodeCheckpoint(0, checkpoint, engines);
  if (!found) return new Owner(life, engines);
  if (found.kind !== 'usable') throw new Error(found.why);
  return new Owner(life, engines, found.head.number, frontOf(found.head, COUNTS), found.models);
}

describe.each([
  { name: 'recording', engines: recordingEngines },
  { name: 'verdict', engines: verdictEngines },
])('folding along cuts with the $name engine', { timeout: 30_000 }, ({ engines }) => {
  it.each(seeds(20, 10))(
    'gives the published bytes again from any checkpoint, and a takeover changes nothing that follows (seed %i)',
    (seed) => {
      const life = new Life(seed);
      const readable = seededRandom(seed + 1_000);
      const random = seededRandom(seed + 2_000);
      // Two owners that cut alike: one is never taken over, the other again and again.
      const steady = new Owner(life, engines);
      let owner = new Owner(life, engines);
      let checkpoint: ReadonlyMap<string, Buffer> = new Map();
      let since: Published[] = [];
      let verdicts = 0;
      for (let round = 0; round < 120; round++) {
        life.goOn();
        const published = owner.cut(readable);
        if (!published) continue;
        expect(steady.fold(published.cut).bytes).toEqual(published.bytes);
        since.push(published);
        verdicts += published.bytes.length;
        if (random() < 0.15) {
          checkpoint = owner.checkpoint();
          since = [];
        }
        if (random() < 0.2) {
          if (random() < 0.3) life.compact();
          const next = takenOver(life, checkpoint, engines);
          for (const { cut, bytes } of since) expect(next.fold(cut).bytes).toEqual(bytes);
          expect(next.checkpoint()).toEqual(owner.checkpoint());
          owner = next;
        }
      }
      expect(verdicts).toBeGreaterThan(20);
    },
  );
});

describe('a checkpoint', () => {
  const head = {
    owner: 0,
    number: 4,
    positions: { outcome: [1], label: [] },
    logTimes: { outcome: [2], label: [] },
    verdictsFrom: 9,
  };
  const bigEngines = (bytes: number): EngineFactory => ({
    ...recordingEngines,
    create: (model) => Object.assign(recordingEngines.create(model), { encode: () => Buffer.alloc(bytes, 1) }),
  });
  function someModels(engines: EngineFactory): OwnedModels {
    const models = new OwnedModels(engines);
    const cut: Cut = {
      kind: 'cut',
      schemaVersion: 1,
      owner: 0,
      number: 1,
      ...cutFields(emptyFront({ outcome: 1, label: 0 }), { outcome: 1, label: 0 }),
      known: { fraud: 3 },
    };
    models.foldCut(cut, [], () => knownPlanOf(aState('fraud', 0)).plan);
    return models;
  }
  const records = (models: OwnedModels) =>
    new Map(encodeCheckpoint(head, models).map(({ key, value }) => [key, Buffer.from(value)]));

  it('stays below 1 MB a record, whatever its size', () => {
    const models = someModels(bigEngines(2_500_000));
    const all = encodeCheckpoint(head, models);
    expect(all.map(({ key }) => key)).toEqual(['owner-0', 'owner-0-piece-0', 'owner-0-piece-1', 'owner-0-piece-2']);
    expect(Math.max(...all.map(({ value }) => value.length))).toBe(CHECKPOINT_PIECE_BYTES_MAX);
    const decoded: Buffer[] = [];
    const engines = {
      ...recordingEngines,
      decode: (model: string, bytes: Buffer) => (decoded.push(bytes), recordingEngines.create(model)),
    };
    expect(decodeCheckpoint(0, records(models), engines)).toMatchObject({ kind: 'usable', head });
    expect(decoded[0]?.equals(Buffer.alloc(2_500_000, 1))).toBe(true);
  });

  it('is none where there is none, and no other owner reads it', () => {
    expect(decodeCheckpoint(0, new Map(), recordingEngines)).toBeNull();
    expect(decodeCheckpoint(1, records(someModels(recordingEngines)), recordingEngines)).toBeNull();
  });

  it('of another engine version, incomplete or changed is unusable, and says where it stands', () => {
    const good = records(someModels(recordingEngines));
    const older = Buffer.from(
      good
        .get('owner-0')!
        .toString()
        .replace(/"engineVersion":"[^"]*"/, '"engineVersion":"0"'),
    );
    const cases: [Map<string, Buffer>, RegExp][] = [
      [new Map(good).set('owner-0', older), /engine version 0/],
      [new Map([...good].filter(([key]) => key === 'owner-0')), /piece/],
      [new Map(good).set('owner-0-piece-0', Buffer.from('other')), /hash/],
    ];
    for (const [found, why] of cases) {
      const decoded = decodeCheckpoint(0, found, recordingEngines);
      expect(decoded).toMatchObject({
        kind: 'unusable',
        number: 4,
        verdictsFrom: 9,
        why: expect.stringMatching(why) as string,
      });
    }
    const rubbish = new Map(good).set('owner-0', Buffer.from('rubbish'));
    expect(decodeCheckpoint(0, rubbish, recordingEngines)).toMatchObject({ kind: 'unusable', number: 0 });
  });
});
