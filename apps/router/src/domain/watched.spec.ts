import { binOfClass, binOfNumber, classHash, type RolloutState, segmentOf } from '@app/shared/core';
import { describe, expect, it } from 'vitest';
import { AnswerReader, NO_ANSWER } from './answer-reader.js';
import { PredictionReader } from './prediction-value.js';
import { readSegment } from './segment.js';
import { NOTHING_WATCHED, type Watched, watchedOf } from './watched.js';

const custom = {
  score: { from: 'answer', source: '/parameters/score' },
  tokens: { from: 'answer', source: '/usage/0' },
  revenue: { from: 'label', source: 'revenue' },
};
const rollout = {
  spec: { checks: { custom, drift: { allowance: 0.1 } }, segments: { header: 'x-country', top: 5 } },
} as unknown as RolloutState['rollout'];
const all: Watched = watchedOf({ rollout });
const read = (body: unknown, watched = all, kind: 'class' | 'number' = 'class') =>
  new AnswerReader(new PredictionReader('/class', kind), watched).read(Buffer.from(JSON.stringify(body)));

describe('what outcomes say for a rollout', () => {
  it('are the numbers in answers, the segment header and drift, while the rollout is open', () => {
    expect(all).toEqual({
      values: [
        { name: 'score', pointer: '/parameters/score' },
        { name: 'tokens', pointer: '/usage/0' },
      ],
      segmentHeader: 'x-country',
      predictionBins: true,
    });
    expect(watchedOf({ rollout: { ...rollout!, endedAt: 1 } })).toBe(NOTHING_WATCHED);
    expect(watchedOf({})).toBe(NOTHING_WATCHED);
  });

  it('are read from the answer that also holds the prediction; what is no number is not there', () => {
    const bin = binOfClass(classHash('cat'));
    expect(read({ class: 'cat', parameters: { score: 0.5 }, usage: [7] })).toMatchObject({
      values: { score: 0.5, tokens: 7 },
      predictionBin: bin,
    });
    expect(read({ class: 'cat', parameters: { score: '0.5' }, usage: [] }).values).toBeUndefined();
    expect(read({ class: 2.5 }, all, 'number').predictionBin).toBe(binOfNumber(2.5));
    expect(read({ parameters: { score: 1 } })).toMatchObject({ values: { score: 1 }, predictionBin: undefined });
    expect(read({ class: 'cat', parameters: { score: 1 } }, NOTHING_WATCHED)).not.toHaveProperty('values');
    expect(new AnswerReader(null, all).read(Buffer.from('no json'))).toEqual(NO_ANSWER);
  });

  it('a segment is the first value of its header, cut to 64 characters; none is a segment too', () => {
    const headers = ['accept', '*/*', 'X-Country', ' de ', 'x-country', 'fr'];
    expect(readSegment(headers, 'x-country')).toEqual({ name: 'de', number: segmentOf('de') });
    expect(readSegment(headers, 'x-region')).toEqual({ name: '', number: 0 });
    expect(readSegment(['x-country', 'x'.repeat(9_000)], 'x-country').name).toHaveLength(64);
  });
});
