import { type Cut, type Verdict, verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { aBucket, aState, placed } from '../../testing/builders.js';
import { RecordingEngine, recordingEngines } from '../../testing/recording-engine.js';
import { planOf } from '../plan.js';
import type { PlacedSummary } from '../summary.js';
import type { EngineFactory } from './engine-factory.js';
import { OwnedModels, FAILED_REPEAT_MS } from './owned-models.js';

const states = { fraud: [0, 1, 2].map((step) => aState('fraud', step)), churn: [aState('churn', 0)] };
const planAt = (model: string, sequence: number) => {
  const state = Object.values(states)
    .flat()
    .find((s) => s.model === model && s.sequence === sequence);
  return state ? planOf(state) : null;
};

function aCut(number: number, known: Record<string, number> = {}, asOf = number * 250): Cut {
  return {
    kind: 'cut',
    schemaVersion: 1,
    owner: 0,
    number,
    positions: { outcome: [number * 10], label: [] },
    logTimes: { outcome: [asOf], label: [] },
    asOf,
    known,
  };
}
const fold = (models: OwnedModels, cut: Cut, summaries: readonly PlacedSummary[] = []) =>
  models.foldCut(cut, summaries, planAt);
const results = (verdicts: readonly Verdict[]) =>
  verdicts.map(({ model, result, reason }) => [model, result, reason.code]);

/** Engines of which one throws at buckets numbered from 100 on. */
const fragileEngines: EngineFactory = {
  ...recordingEngines,
  create: (model) => {
    const engine = RecordingEngine.create(model);
    const fold = engine.fold.bind(engine);
    engine.fold = (summary) => {
      if (summary.kind === 'bucket' && summary.bucket >= 100) throw new RangeError('bucket 100');
      fold(summary);
    };
    return engine;
  },
};

describe('the models of an owner', () => {
  it('say nothing of models nobody has told of, and judge the others in the order of their names', () => {
    const models = new OwnedModels(recordingEngines);
    expect(fold(models, aCut(1), [placed(0, aBucket('fraud', 2, 0))]).verdicts).toEqual([]);
    const both = fold(models, aCut(2, { fraud: 3, churn: 3 }), [placed(11, aBucket('fraud', 2, 1))]);
    expect(results(both.verdicts)).toEqual([
      ['churn', 'continue', 'recorded'],
      ['fraud', 'continue', 'recorded'],
    ]);
    expect(both.verdicts.map((verdict) => verdict.cut)).toEqual(
      Array(2).fill({ owner: 0, number: 2, positions: { outcome: [20], label: [] } }),
    );
  });

  it('hold a diverged rollout to its end, and let a fail through', () => {
    const failing: EngineFactory = {
      ...recordingEngines,
      create: (model) => {
        const engine = RecordingEngine.create(model);
        const endCut = engine.endCut.bind(engine);
        engine.endCut = () => {
          const judgement = endCut();
          return judgement && { ...judgement, result: judgement.step === 2 ? 'fail' : 'pass' };
        };
        return engine;
      },
    };
    const models = new OwnedModels(failing);
    expect(results(fold(models, aCut(1, { fraud: 3 })).verdicts)).toEqual([['fraud', 'pass', 'recorded']]);
    expect(models.hold('fraud', 'evaluator-diverged')).toBe(true);
    expect(results(fold(models, aCut(2, { fraud: 4 })).verdicts)).toEqual([['fraud', 'hold', 'evaluator-diverged']]);
    expect(results(fold(models, aCut(3, { fraud: 5 })).verdicts)).toEqual([['fraud', 'fail', 'recorded']]);
  });

  it('whose evidence is lost are held until the next phase', () => {
    const models = new OwnedModels(recordingEngines, [], { evidenceLost: true });
    expect(results(fold(models, aCut(7, { fraud: 3 })).verdicts)).toEqual([['fraud', 'hold', 'evaluator-rebuilding']]);
    const more = fold(models, aCut(8, { churn: 3 }), [placed(70, aBucket('fraud', 2, 9))]);
    expect(results(more.verdicts)).toEqual([
      ['churn', 'continue', 'recorded'],
      ['fraud', 'hold', 'evaluator-rebuilding'],
    ]);
    expect(results(fold(models, aCut(9, { fraud: 4 })).verdicts)).toEqual([['fraud', 'continue', 'recorded']]);
  });

  it('are not disturbed by one whose engine throws: that one is held, and says so while its rollout lasts', () => {
    const models = new OwnedModels(fragileEngines);
    fold(models, aCut(1, { fraud: 3, churn: 3 }, 1_000));
    const broken = fold(models, aCut(2, {}, 1_250), [
      placed(10, aBucket('fraud', 2, 100)),
      placed(11, aBucket('churn', 2, 1)),
    ]);
    expect(broken.failures).toEqual([{ model: 'fraud', error: new RangeError('bucket 100') }]);
    expect(results(broken.verdicts)).toEqual([
      ['churn', 'continue', 'recorded'],
      ['fraud', 'hold', 'evaluator-failed'],
    ]);
    const later = fold(models, aCut(3, {}, 1_250 + FAILED_REPEAT_MS));
    expect(results(later.verdicts)).toContainEqual(['fraud', 'hold', 'evaluator-failed']);
    for (const verdict of [...broken.verdicts, ...later.verdicts])
      expect(verdictCodec.check(JSON.parse(JSON.stringify(verdict))).ok).toBe(true);
  });
});
