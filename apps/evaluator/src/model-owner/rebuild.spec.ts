import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EngineFactory, verdictEngines } from '../domain/cut/engine-factory.js';
import { manifestKey, pieceKey } from '../domain/cut/checkpoint.js';
import { OWNER, RolloutStage, SLOTS, state, TOPICS } from '../testing/rollout-stage.js';

const NEXT_VERSION: EngineFactory = { ...verdictEngines, version: 'next' };

/** A rollout that passes its first step, with something in the middle of it. */
async function rollout(stage: RolloutStage, inTheMiddle: () => Promise<void>): Promise<void> {
  await stage.decide(state(0));
  await stage.run(4, { generation: 2, stable: 27, canary: 3 });
  await inTheMiddle();
  await stage.run(3, { generation: 2, stable: 27, canary: 3 });
  await stage.decide(state(1));
  await stage.run(3, { generation: 3, stable: 10, canary: 10 });
}

/** Everything but which engine says so. */
async function said(stage: RolloutStage): Promise<readonly unknown[]> {
  return (await stage.verdicts()).map(({ engineVersion: _, ...rest }) => rest);
}

async function loseCheckpoint({ bus }: RolloutStage): Promise<void> {
  const producer = bus.producer();
  const gone = [manifestKey(OWNER), pieceKey(OWNER, 0)].map((key) => ({
    topic: TOPICS.checkpoint,
    partition: OWNER,
    key,
    value: null,
  }));
  await producer.send(gone);
  await producer.close();
}

let stage: RolloutStage;
let undisturbed: readonly unknown[];

beforeAll(async () => {
  const other = await new RolloutStage().open();
  await rollout(other, async () => undefined);
  undisturbed = await said(other);
  await other.close();
});
beforeEach(async () => {
  stage = await new RolloutStage().open();
});
afterEach(() => stage.close());

describe('evidence made anew from the records', () => {
  it('lets another engine version go on in the middle of a rollout, and go back again', async () => {
    await rollout(stage, async () => {
      await stage.takeOver({ engines: NEXT_VERSION });
      await stage.run(1, { generation: 2, stable: 27, canary: 3 });
      await stage.takeOver();
    });
    const verdicts = await stage.verdicts();
    expect(new Set(verdicts.map(({ engineVersion }) => engineVersion))).toEqual(new Set(['1', 'next']));
    expect(verdicts.filter(({ reason }) => reason.code.startsWith('evaluator-'))).toEqual([]);
    expect(stage.metrics.counts).not.toHaveProperty('begunAnew');
    expect(stage.metrics.counts).not.toHaveProperty('diverged');
  });

  it('is what it was: the verdicts that follow are those of an undisturbed rollout', async () => {
    await rollout(stage, () => stage.takeOver({ engines: NEXT_VERSION }));
    expect(await said(stage)).toEqual(undisturbed);
  });

  it('takes the place of a lost checkpoint, whose summaries are trimmed', async () => {
    await rollout(stage, async () => {
      await loseCheckpoint(stage);
      await expect(stage.takeOver()).rejects.toMatchObject({ code: 'trimmed-beyond-cut' });
      await stage.takeOver({ trimmedForGood: true });
    });
    expect(await said(stage)).toEqual(undisturbed);
    expect(stage.metrics.counts).not.toHaveProperty('begunAnew');
  });

  it('holds a model whose published verdicts it does not come to', async () => {
    await stage.decide(state(0));
    await stage.run(4, { generation: 2, stable: 27, canary: 3 });
    await loseCheckpoint(stage);
    // Somebody has written records that no slot had when the verdicts were given: as if offsets had been others.
    const engines: EngineFactory = {
      ...verdictEngines,
      create: (model) => {
        const engine = verdictEngines.create(model);
        const fold = engine.fold.bind(engine);
        let folded = 0;
        engine.fold = (summary) => void (++folded === 40 || fold(summary));
        return engine;
      },
    };
    await stage.takeOver({ engines, trimmedForGood: true });
    await stage.run(1, { generation: 2, stable: 27, canary: 3 });
    expect(stage.metrics.counts).toMatchObject({ diverged: 1 });
    expect((await stage.verdicts()).at(-1)).toMatchObject({ result: 'hold', reason: { code: 'evaluator-diverged' } });
  });

  it('cannot be had when records are gone: the owner begins anew and holds to the next phase', async () => {
    await stage.close();
    stage = await new RolloutStage(500).open();
    await rollout(stage, () => stage.takeOver({ engines: NEXT_VERSION }));
    expect(stage.metrics.counts).toMatchObject({ begunAnew: 1 });
    const codes = (await stage.verdicts()).map(({ generation, reason }) => `${generation} ${reason.code}`);
    expect(codes).toContain('2 evaluator-rebuilding');
    expect(codes.filter((code) => code.startsWith('3 '))).not.toContain('3 evaluator-rebuilding');
  });
});

it('records that were missed hold the open rollout to its next phase', async () => {
  await rollout(stage, async () => {
    const [slot] = SLOTS;
    const found = (await stage.store.load(slot!))!;
    const missed = { kind: 'missed', model: '', generation: 0, from: 3, to: 5 } as const;
    await stage.store.apply(slot!, {
      ...found,
      expectedPosition: found.position,
      position: found.position + 1,
      set: new Map(),
      deleted: [],
      summaries: new Map([[OWNER, [{ offset: found.position, index: 0, summary: missed }]]]),
    });
  });
  const codes = (await stage.verdicts()).map(
    ({ generation, result, reason }) => `${generation} ${result} ${reason.code}`,
  );
  expect(codes).toContain('2 hold records-missed');
  const from = codes.indexOf('2 hold records-missed');
  expect(codes.slice(from).filter((code) => code.startsWith('2 '))).toEqual(
    codes.slice(from).filter((code) => code === '2 hold records-missed'),
  );
  expect(codes.some((code) => code.startsWith('3 ') && !code.includes('records-missed'))).toBe(true);
});
