import { describe, expect, test } from 'vitest';
import { progress, record, spec, state } from '../../test/builders.js';
import { type ActionId, actionsOf, type Role } from './actions.js';
import { findingOf, linesWithFindings, offsetOf, placeText } from './findings.js';
import { missingIn } from './order.js';
import { fileOf, formOf } from './rollout-form.js';
import { modelPath, parseRoute, rolloutPath } from './route.js';
import { stepEstimateText, stepViews, totalText } from './steps.js';

const possible = (of: ReturnType<typeof state>, role: Role = 'admin'): ActionId[] =>
  actionsOf(of, role).filter(({ refusal }) => refusal === null).map(({ id }) => id); // prettier-ignore
const refusal = (of: ReturnType<typeof state>, id: ActionId, role: Role = 'admin'): string | null =>
  actionsOf(of, role).find((action) => action.id === id)!.refusal;

describe('what can be done', () => {
  const pause = { code: 'c', text: 't', since: 0 };

  test.each([
    ['under way', state(), ['promote', 'pause', 'promote-full', 'abort']],
    ['paused', state(progress({ status: 'paused', pause })), ['promote', 'resume', 'promote-full', 'abort']],
    ['waiting for its canary', state(progress({ status: 'waiting-ready' })), ['abort']],
    ['rolled back', state(progress({ status: 'rolled-back' })), ['retry', 'set-traffic']],
    ['promoted', state(progress({ status: 'promoted' }), { stable: 'v2' }), ['undo', 'set-traffic']],
    ['undone', state(progress({ status: 'promoted' }), { stable: 'v1' }), ['set-traffic']],
    ['without a rollout', { ...state(), rollout: undefined }, ['set-traffic']],
  ] as const)('about a rollout that is %s', (_, of, ids) => expect(possible(of)).toEqual(ids));

  test('is refused with the reason and what to do instead', () => {
    expect(refusal(state(), 'set-traffic')).toContain('abort or promote it first');
    expect(refusal(state(progress({ status: 'waiting-ready' })), 'promote')).toContain('not answered yet');
    expect(refusal(state(progress({ status: 'promoted' }), { stable: 'v1' }), 'undo')).toContain('undone already');
  });

  test('depends on the role', () => {
    expect(possible(state(), 'operate')).toEqual(['promote', 'pause', 'abort']);
    expect(refusal(state(), 'promote-full', 'operate')).toBe('This needs the role admin; yours is operate.');
  });

  test('is told with its consequence, and what is dangerous is confirmed', () => {
    const actions = actionsOf(state(), 'admin');
    expect(actions.filter(({ dangerous }) => dangerous).map(({ id }) => id)).toEqual([
      'promote-full',
      'abort',
      'set-traffic',
    ]);
    expect(actions[0]!.consequence).toContain('step 2 of 3');
    const last = actionsOf(state(progress({ step: 2 })), 'admin')[0]!;
    expect([last.label, last.consequence]).toEqual(['Promote v2', 'The verdict on this step is not waited for. v2 becomes stable and keeps all traffic.']); // prettier-ignore
  });
});

describe('what is asked for before an action', () => {
  const filled = { reason: 'busy hours', name: '', typed: '', weights: {} };
  const [pause, abort] = ['pause', 'abort'].map((id) => actionsOf(state(), 'admin').find((one) => one.id === id)!);

  test.each([
    [{}, null],
    [{ reason: '  ' }, 'Say why'],
    [{ name: 'José Ñ. <x>' }, 'Latin letters'],
    [{ name: 'Şule' }, 'Latin letters'],
    [{ name: 'José' }, null],
  ])('is a reason, and a name that can be sent: %j', (more, missing) => {
    const said = missingIn({ ...filled, ...more }, pause!, 'digits');
    if (missing === null) expect(said).toBeNull();
    else expect(said).toContain(missing);
  });

  test('is the model’s name where it is dangerous', () => {
    expect(missingIn(filled, abort!, 'digits')).toBe('Type digits to confirm.');
    expect(missingIn({ ...filled, typed: 'digit' }, abort!, 'digits')).toBe('Type digits to confirm.');
    expect(missingIn({ ...filled, typed: ' digits' }, abort!, 'digits')).toBeNull();
  });
});

describe('addresses', () => {
  test.each([
    ['/', '?sort=name', { page: 'fleet', query: '?sort=name' }],
    ['/new', '?model=a%20b', { page: 'new', model: 'a b' }],
    ['/models/a%2Fb', '', { page: 'rollout', model: 'a/b', rollout: null }],
    ['/models/digits/rollouts/digits-3', '', { page: 'rollout', model: 'digits', rollout: 'digits-3' }],
    ['/models', '', { page: 'not-found', path: '/models' }],
    ['/models/a/b', '', { page: 'not-found', path: '/models/a/b' }],
    ['/models/%E0', '', { page: 'rollout', model: '%E0', rollout: null }],
  ])('%s%s', (path, search, route) => expect(parseRoute(path, search)).toEqual(route));

  test('come back from what they are made of', () => {
    expect(parseRoute(rolloutPath('a/b c', 'a/b c-1'), '')).toEqual({ page: 'rollout', model: 'a/b c', rollout: 'a/b c-1' }); // prettier-ignore
    expect(modelPath('ü')).toBe('/models/%C3%BC');
  });
});

describe('the form', () => {
  test('writes a rollout file', () => {
    const form = { ...formOf(null), model: 'digits', stableUrl: 'http://a:9001', canaryUrl: 'http://b:9001', pointer: '/outputs/0/data/0' }; // prettier-ignore
    expect(fileOf(form)).toBe(`model: digits
stable: { version: v1, url: http://a:9001 }
canary: { version: v2, url: http://b:9001 }
prediction: { pointer: /outputs/0/data/0, kind: class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: { duration: 5m } }
  - { traffic_split: { v1: 0.5, v2: 0.5 }, atLeast: { duration: 5m } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: 10m } }
checks:
  errorRate: { maxIncrease: 0.01 }
  accuracy: { maxDrop: 0.02, labelsWithin: 5m }
  latency: { p50: { maxRatio: 1.2 }, p99: { maxRatio: 1.2 } }
onInconclusive: pause
`);
  });

  test('quotes what YAML would take for something else, and leaves what is wrong to be found', () => {
    const form = { ...formOf(null), model: 'no', stableVersion: '2026-11', canaryVersion: 'a: b', errorPoints: 'x', latencyP50: '', latencyP99: '' }; // prettier-ignore
    const text = fileOf({
      ...form,
      steps: [
        { kind: 'pause', duration: '' },
        { kind: 'traffic', percent: '1o', duration: '' },
      ],
    });
    expect(text).toContain('model: "no"');
    expect(text).toContain('{ version: "2026-11", url: "" }');
    expect(text).toContain('- { pause: {} }');
    expect(text).toContain('{ traffic_split: { "2026-11": "1o", "a: b": "1o" } }');
    expect(text).toContain('errorRate: { maxIncrease: x }');
    expect(text).toContain('latency: off');
  });

  test('begins with what is known of the model and its last rollout', () => {
    const rollout = progress({ spec: spec({ checks: { latency: { p99: { maxRatio: 1.25, minIncreaseMs: 5 }, strict: false } } }) }); // prettier-ignore
    const form = formOf(state(rollout, { prediction: { pointer: '/a', kind: 'number', tolerance: 1 } }));
    expect(form).toMatchObject({ model: 'digits', stableVersion: 'v1', stableUrl: 'http://v1:9001', canaryVersion: 'v2', pointer: '/a', kind: 'number', errorPoints: '', accuracyPoints: '', latencyP50: '', latencyP99: '25' }); // prettier-ignore
    expect(form.steps).toEqual([
      { kind: 'traffic', percent: '10', duration: '1m' },
      { kind: 'pause', duration: '' },
      { kind: 'traffic', percent: '100', duration: '10m' },
    ]);
  });
});

describe('findings', () => {
  const problem = { field: 'steps.0', code: 'c', message: 'wrong', line: 3, column: 5 };

  test('say where they are, and lead there', () => {
    expect(placeText(findingOf(problem, 'error'))).toBe('line 3, column 5');
    expect(placeText(findingOf({ ...problem, line: undefined, column: undefined }, 'error'))).toBe('');
    expect(offsetOf('ab\ncd\nefghij', 3, 5)).toBe(10);
    expect(offsetOf('ab', 9, 9)).toBe(2);
  });

  test('mark their lines, the worst of each', () => {
    const warning = findingOf(problem, 'warning');
    expect([...linesWithFindings([warning, findingOf(problem, 'error'), warning])]).toEqual([[3, 'error']]);
  });
});

describe('steps', () => {
  test.each([
    ['progressing', 1, ['done', 'present', 'to-come']],
    ['rolled-back', 1, ['done', 'ended-here', 'skipped']],
    ['promoted', 2, ['done', 'done', 'done']],
    ['promoted', 0, ['done', 'skipped', 'skipped']],
    ['waiting-ready', 0, ['to-come', 'to-come', 'to-come']],
  ] as const)('of a rollout that is %s in step %d', (status, step, places) => {
    expect(stepViews(record({ status, step })).map(({ place }) => place)).toEqual(places);
  });

  test('say what happens in them and what they take', () => {
    const views = stepViews(record());
    expect(views.map(({ title }) => title.replaceAll('\u202f', ' '))).toEqual(['v2 gets 10 %', 'A person approves', 'v2 gets 100 %']); // prettier-ignore
    expect(views.map(({ bounds }) => bounds)).toEqual(['at least 1,000 predictions and 1m', '', 'at least 10m']);
    expect(stepViews(record({ spec: null }))).toEqual([]);
  });

  test('have a forecast', () => {
    const name = (check: string): string => `<${check}>`;
    expect(stepEstimateText({ step: 0, durationMs: 90_000, waitsFor: 'evidence', check: 'errorRate' }, name)).toBe('about 1m30s, for the evidence on <errorRate>'); // prettier-ignore
    expect(stepEstimateText({ step: 0, durationMs: null, waitsFor: 'person' }, name)).toBe('until a person approves');
    expect(totalText({ totalMs: 600_000, waitsForPerson: true })).toBe('About 10m in all, and the time a person takes to approve.'); // prettier-ignore
    expect(totalText({ totalMs: null, waitsForPerson: false })).toBe('It does not end at this traffic.');
  });
});
