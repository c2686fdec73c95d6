import { describe, expect, test } from 'vitest';
import { check, decision, progress, record, T0, verdict } from '../../test/builders.js';
import { awaited, passText } from './awaited.js';
import { connectionBanner, verdictBanner } from './freshness.js';
import { headline } from './headline.js';
import { statusView } from './status.js';

const NOW = T0 + 60_000;
const reason = (code: string) => ({ code, text: `because of ${code}` });

describe('what is awaited', () => {
  test.each([
    ['a canary that is asked', progress({ status: 'waiting-ready' }), null, 'canary'],
    ['the first verdict', progress(), null, 'evaluator'],
    ['evidence', progress(), verdict(), 'traffic'],
    ['labels that mature', progress(), verdict({ reason: reason('labels-maturing') }), 'labels'],
    ['accuracy alone', progress(), verdict({ checks: [check('errorRate', { result: 'pass' }), check('accuracy')] }), 'labels'],
    ['a bake', progress(), verdict({ reason: reason('min-duration') }), 'time'],
    ['a person', progress({ status: 'paused', pause: { ...reason('awaiting-approval'), since: T0 } }), null, 'person'],
    ['the end of a pause', progress({ status: 'paused', pause: { ...reason('timed-pause'), since: T0, until: NOW + 5_000 } }), null, 'time'],
    ['a silent evaluator', progress({ held: { ...reason('evaluator-silent'), since: T0 } }), verdict(), 'evaluator'],
    ['labels that do not come', progress({ held: { ...reason('no-labels'), since: T0 } }), verdict(), 'labels'],
    ['nothing after the end', progress({ status: 'promoted' }), verdict(), 'nothing'],
  ] as const)('is told of %s', (_, rollout, said, what) => expect(awaited(rollout, said, NOW).what).toBe(what)); // prettier-ignore

  test('has a forecast where time can tell it', () => {
    expect(awaited(progress(), verdict(), NOW).forecast).toBe('about 6m');
    expect(
      awaited(progress(), verdict({ forecast: { predictionsToGo: null, minutesToGo: null } }), NOW).forecast,
    ).toBeNull();
    expect(passText(verdict())).toBe('About 1,800 more canary predictions until the step can pass, about 6m.');
    expect(passText(verdict({ counted: { stable: 0, canary: 0 } }))).toContain('after the warm-up');
    expect(passText(verdict({ forecast: { predictionsToGo: null, minutesToGo: null } }))).toContain('more traffic');
    expect(passText(verdict({ checks: [check('latency.p99', { result: 'no-data' })] }))).toBe(
      'Data is awaited on latency p99.',
    );
  });
});

describe('the headline', () => {
  test('of an open rollout says what the data says', () => {
    expect(headline(record(), progress(), verdict())).toEqual({
      status: { tone: 'active', word: 'Progressing', detail: 'step 1 of 3' },
      since: T0,
      reason: 'Not yet sure enough of error rate.',
    });
  });

  test('of one that is held says what holds it, since when', () => {
    const held = { code: 'no-labels', text: 'no labels have come', since: T0 + 5 };
    const told = headline(record(), progress({ held }), verdict());
    expect([told.status.word, told.since, told.reason]).toEqual(['Held', T0 + 5, 'No labels have come.']);
  });

  test('of one that is over says why it ended, whatever came after', () => {
    const decisions = [decision(1, 'started'), decision(2, 'rolled-back', { reason: reason('errors-too-many') })];
    const told = headline(record({ status: 'rolled-back', endedAt: T0 + 9, decisions }), null, verdict());
    expect(told).toEqual({
      status: { tone: 'bad', word: 'Rolled back', detail: 'at step 1 of 3' },
      since: T0 + 9,
      reason: 'Because of errors-too-many.',
    });
  });

  test('of a promotion that was undone says that', () => {
    const decisions = [decision(2, 'promoted'), decision(3, 'undone', { reason: reason('customers complain') })];
    const told = headline(record({ status: 'promoted', endedAt: T0, decisions }), null, null);
    expect([told.status.word, told.status.tone, told.since]).toEqual([
      'Promoted, then undone',
      'bad',
      decisions[1]!.at,
    ]);
  });
});

test('every status has a tone and a word, and waiting for a person looks like waiting', () => {
  const of = (status: 'paused' | 'promoted' | 'aborted', pause: { until?: number } | null = null) =>
    statusView({ status, step: 1, steps: 4, held: null, pause });
  expect(of('paused', {})).toEqual({ tone: 'wait', word: 'Paused', detail: 'step 2 of 4' });
  expect(of('paused', { until: 5 }).tone).toBe('active');
  expect(of('promoted')).toEqual({ tone: 'good', word: 'Promoted', detail: '' });
  expect(of('aborted')).toEqual({ tone: 'bad', word: 'Aborted', detail: 'at step 2 of 4' });
  expect(statusView(null).word).toBe('Stable');
});

describe('a banner', () => {
  test('says that the connection is lost, since when and why', () => {
    expect(connectionBanner({ kind: 'live' }, NOW)).toBeNull();
    expect(connectionBanner({ kind: 'polling' }, NOW)).toBeNull();
    expect(connectionBanner({ kind: 'lost', sinceMs: T0, why: 'it does not answer' }, NOW)?.text).toContain('for 1m (it does not answer)'); // prettier-ignore
  });

  test('says that the figures are old, of a rollout that should have new ones', () => {
    expect(verdictBanner(progress(), { asOf: NOW - 5_000 }, NOW)).toBeNull();
    expect(verdictBanner(progress(), { asOf: T0 }, NOW)?.text).toContain('nothing for 1m');
    expect(verdictBanner(progress({ stepStartedAt: NOW - 10_000 }), null, NOW)).toBeNull();
    expect(verdictBanner(progress({ status: 'paused' }), { asOf: T0 }, NOW)).toBeNull();
    expect(verdictBanner(null, null, NOW)).toBeNull();
  });
});
