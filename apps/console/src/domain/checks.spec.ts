import { describe, expect, test } from 'vitest';
import { check, decision, verdict } from '../../test/builders.js';
import { checkRow, intervalPlot } from './check-rows.js';
import { explain } from './explain.js';
import { mergeDecisions, timelineItem } from './timeline.js';
import { trafficShare } from './traffic-share.js';

const plain = (text: string): string => text.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');

describe('a check as a line', () => {
  test('has both figures, the difference with its interval, the limit and what the data says', () => {
    const row = checkRow(check('accuracy', { difference: -0.0052, interval: [-0.011, 0.001], limit: -0.01, segment: 'x-country=de' })); // prettier-ignore
    const texts = [row.title, row.stable, row.canary, row.difference, row.interval, row.limit, row.n, row.word];
    expect(texts.map(plain)).toEqual(['accuracy, x-country=de', '1 %', '1.2 %', '-0.52 points', '-1.1 to +0.1', '-1.0 points', '1,000', 'Undecided']); // prettier-ignore
  });

  test.each([
    [check('a', { result: 'fail' }), true, 'Beyond limit'],
    [check('a', { result: 'fail' }), false, 'Looks beyond limit'],
    [check('a', { result: 'pass' }), false, 'Within limit'],
    [check('a', { gating: false }), false, 'Watching'],
    [check('a', { result: 'no-data' }), false, 'No data yet'],
  ])('says what the data says: %#', (of, decided, word) => expect(checkRow(of, decided).word).toBe(word));
});

describe('the picture of a check', () => {
  test('has everything on one scale, and what is worse on its side', () => {
    const plot = intervalPlot(check('errorRate'))!;
    const order = [plot.low!, plot.zero!, plot.at, plot.high!, plot.limit];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect([plot.beyond, plot.low! > 0, plot.limit < 1]).toEqual(['right', true, true]);
    expect(intervalPlot(check('accuracy', { limit: -0.01 }))!.beyond).toBe('left');
    expect(intervalPlot(check('custom.score', { unit: 'number', limit: -0.1 }))!.beyond).toBe('left');
  });

  test('of a ceiling shows the figure itself, and without a limit there is none', () => {
    const ceiling = intervalPlot(
      check('errorCeiling', { stable: null, difference: null, interval: null, limit: 0.5 }),
    )!;
    expect([ceiling.zero, ceiling.low, ceiling.at < ceiling.limit]).toEqual([null, null, true]);
    expect(intervalPlot(check('latency.p99', { unit: 'ms', limit: 0 }))).toBeNull();
    expect(intervalPlot(check('errorRate', { difference: null }))).toBeNull();
  });
});

describe('a verdict in words', () => {
  const versions = { stable: 'v1', canary: 'v2' };

  test('says what counts, how much speaks against the canary, and when a pass is to be expected', () => {
    expect(explain(verdict(), versions).sentences.map(plain)).toEqual([
      'Not yet sure enough of error rate.',
      'In this step 1,000 predictions of v2 and 9,000 of v1 count.',
      'Evidence against v2 over all checks: 1 to 1; at 100 to 1 it is rolled back.',
      'About 1,800 more canary predictions until the step can pass, about 6m.',
    ]);
  });

  test('says of each check what was seen, how sure that is, and what follows', () => {
    const [told] = explain(verdict(), versions).checks;
    expect(told!.sentences.map(plain)).toEqual([
      'v2 has 1.2 % (1,000 counted), v1 has 1 % (9,000).',
      'The difference is +0.2 points; with 95 % certainty at every look it lies between -0.4 and +0.8. The limit is +1.0 points.',
      'Evidence that it is beyond the limit: 0.14 to 1; that it is within it: 4.5 to 1.',
      'About 1,800 more canary predictions until it passes.',
    ]);
  });

  test('does not speak of what is not known', () => {
    const nothing = check('latency.p99', { unit: 'ms', limit: 0, stable: null, canary: { n: 0, bad: 0, value: null }, difference: null, interval: null, evidence: { fail: null, pass: null }, result: 'no-data' }); // prettier-ignore
    const [told] = explain(verdict({ checks: [nothing] }), versions).checks;
    expect(told!.sentences).toEqual(['Nothing is known of v2 yet.', 'Its limit is not known yet.']);
  });
});

describe('a decision in the timeline', () => {
  test('says who or what, what moved, why, and the numbers then', () => {
    const reason = { code: 'c', text: 'too slow', checks: [check('latency.p99', { unit: 'ms' })] };
    const item = timelineItem(decision(2, 'rolled-back', { to: { v1: 1, v2: 0 }, reason }));
    expect([item.word, item.by, plain(item.move), item.tone, item.checks.length]).toEqual(['Rolled back', 'the data', 'v1 90 % → 100 %, v2 10 % → 0 %', 'bad', 1]); // prettier-ignore
  });

  test.each([
    [{ kind: 'command', commandId: 'c' }, {}, 'ann'],
    [{ kind: 'command', commandId: 'c' }, { onBehalfOf: 'bob' }, 'ann on behalf of bob'],
    [{ kind: 'timer', timer: 't' }, {}, 'the clock'],
  ] as const)('comes from %j', (cause, more, by) => {
    expect(timelineItem(decision(1, 'paused', { actor: 'ann', cause, ...more })).by).toBe(by);
  });

  test('stands there once, in its place, however often it is told', () => {
    const known = [decision(1, 'started'), decision(3, 'paused')];
    const merged = mergeDecisions(known, [decision(2, 'held'), decision(3, 'paused')]);
    expect(merged.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(mergeDecisions(known, [decision(1, 'started')])).toBe(known);
  });
});

test('the traffic is set, and falls as it falls', () => {
  const source = { stable: 'v1', canary: 'v2', weights: { v1: 0.9, v2: 0.1 } };
  expect(trafficShare(source, { stable: 903, canary: 97 })).toMatchObject({ set: 0.1, actual: 0.097, n: 1000 });
  expect(trafficShare(source, null)).toMatchObject({ set: 0.1, actual: null });
  expect(trafficShare(source, { stable: 0, canary: 0 }).actual).toBeNull();
  expect(trafficShare({ stable: 'v2', weights: { v2: 1 } }, null)).toMatchObject({ canary: null, set: 0 });
  const shadow = trafficShare({ ...source, weights: { v1: 1, v2: 0 }, shadow: { fraction: 0.5 } }, { stable: 40, canary: 40 }); // prettier-ignore
  expect(shadow).toMatchObject({ shadow: 0.5, actual: null, n: 40 });
});
