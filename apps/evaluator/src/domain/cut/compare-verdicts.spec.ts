import { type Cut, type Verdict, verdictCodec } from '@app/shared';
import { expect, it } from 'vitest';
import { compareVerdicts } from './compare-verdicts.js';
import { verdictOf } from './verdict-envelope.js';

const CUT: Cut = {
  kind: 'cut',
  schemaVersion: 1,
  owner: 0,
  number: 5,
  positions: { outcome: [], label: [] },
  logTimes: { outcome: [], label: [] },
  asOf: 0,
  known: {},
};
const verdict = (model: string, text = ''): Verdict =>
  verdictOf(
    {
      rollout: `${model}-1`,
      step: 0,
      generation: 1,
      result: 'continue',
      reason: { code: 'more-data', text },
      checks: [],
      evidence: { lnE: 0, lnLimit: 1 },
      counted: { stable: 0, canary: 0 },
      forecast: { predictionsToGo: null, minutesToGo: null },
    },
    { model, engineVersion: '1', cut: CUT },
  );
const published = (v: Verdict) => ({ verdict: v, bytes: verdictCodec.encode(v) });
const compare = (refolded: Verdict[], found: Verdict[]) =>
  compareVerdicts(5, refolded, found.map(published), verdict('a').engineVersion);

it('equal verdicts, whatever their order, do not diverge', () => {
  expect(compare([verdict('a'), verdict('b')], [verdict('b'), verdict('a')])).toEqual([]);
});

it('one byte more, one verdict less or one more is a divergence', () => {
  const { verdictId } = verdict('a');
  expect(compare([verdict('a')], [verdict('a', '.')])).toEqual([
    {
      model: 'a',
      cut: 5,
      published: verdictId,
      refolded: verdictId,
      difference: {
        published: expect.stringMatching(/"text":"\."/) as string,
        refolded: expect.stringMatching(/"text":""/) as string,
      },
    },
  ]);
  expect(compare([verdict('a')], [])).toEqual([
    { model: 'a', cut: 5, published: null, refolded: verdictId, difference: null },
  ]);
  expect(compare([], [verdict('a')])).toEqual([
    { model: 'a', cut: 5, published: verdictId, refolded: null, difference: null },
  ]);
});

it('verdicts of another engine version say nothing', () => {
  expect(compare([verdict('a')], [{ ...verdict('a', 'other'), engineVersion: '0' }])).toEqual([]);
});
