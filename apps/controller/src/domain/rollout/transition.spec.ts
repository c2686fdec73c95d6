import { type Command, type Decision, type RolloutSpec, type RolloutState, rolloutStateCodec } from '@app/shared';
import { describe, expect, test } from 'vitest';
import { check, command, registration, spec, T0, traffic, verdict, version } from '../../../test/builders.js';
import type { RolloutInput, Transition } from './inputs.js';
import { transition } from './transition.js';

const S = 1000;
const MIN = 60 * S;

/** A model that is moved input by input, with its whole history. */
class Story {
  state: RolloutState | null = null;
  history: Decision[] = [];
  nowMs = T0;
  last: Transition = { state: null, decisions: [] };

  static started(overrides: Partial<RolloutSpec> = {}): Story {
    return new Story().apply(spec(overrides)).ready();
  }

  feed(input: RolloutInput): this {
    this.last = transition(this.state, input, { nowMs: this.nowMs });
    this.state = this.last.state;
    this.history.push(...this.last.decisions);
    return this;
  }
  apply(wanted: RolloutSpec, overrides: Partial<Command> = {}): this {
    return this.feed({ kind: 'command', command: command('apply', { spec: wanted, ...overrides }) });
  }
  command(action: Command['action'], overrides: Partial<Command> = {}): this {
    return this.feed({ kind: 'command', command: command(action, overrides) });
  }
  verdict(result: Parameters<typeof verdict>[1], overrides: Parameters<typeof verdict>[2] = {}): this {
    return this.feed({ kind: 'verdict', verdict: verdict(this.model, result, { asOf: this.nowMs, ...overrides }) });
  }
  ready(): this {
    return this.answer(true, '200');
  }
  answer(ready: boolean, detail: string): this {
    return this.feed({ kind: 'readiness', rollout: this.model.rollout?.rollout ?? '', ready, detail });
  }
  timer(silentForMs = 0): this {
    return this.feed({ kind: 'timer', silentForMs });
  }
  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }
  get model(): RolloutState {
    if (!this.state) throw new Error('the model is not known');
    return this.state;
  }
  get actions(): string[] {
    return this.history.map((d) => d.action);
  }
  get decided(): string[] {
    return this.last.decisions.map((d) => d.action);
  }
  get refusal(): string | undefined {
    return this.last.commandResult?.reason?.code;
  }
}

const AT = {
  nothing: () => new Story(),
  registered: () => new Story().apply(registration()),
  'waiting-ready': () => new Story().apply(spec()),
  progressing: () => Story.started(),
  'paused by hand': () => Story.started().command('pause'),
  'paused for approval': () => Story.started({ steps: [traffic(0.1), { kind: 'pause' }, traffic(1)] }).verdict('pass'),
  'paused for a time': () =>
    Story.started({ steps: [traffic(0.1), { kind: 'pause', durationMs: 10 * MIN }, traffic(1)] }).verdict('pass'),
  'in the bake': () => Story.started({ steps: [traffic(0.5), traffic(1)] }).verdict('pass'),
  promoted: () => Story.started().command('promote-full'),
  'rolled-back': () => Story.started().verdict('fail'),
  aborted: () => Story.started().command('abort', { reason: 'wrong file' }),
  undone: () => Story.started().command('promote-full').command('undo'),
} satisfies Record<string, () => Story>;
type At = keyof typeof AT;

describe('every verdict in every phase', () => {
  const results = ['pass', 'fail', 'continue', 'hold', 'invalid', 'inconclusive'] as const;
  const table: readonly [At, Partial<Record<(typeof results)[number], string>>][] = [
    ['registered', {}],
    ['waiting-ready', { fail: 'rolled-back' }],
    [
      'progressing',
      { pass: 'weight-changed', fail: 'rolled-back', hold: 'held', invalid: 'held', inconclusive: 'paused' },
    ],
    ['paused by hand', { fail: 'rolled-back' }],
    ['paused for approval', { fail: 'rolled-back' }],
    ['paused for a time', { fail: 'rolled-back' }],
    ['in the bake', { pass: 'promoted', fail: 'rolled-back', hold: 'held', invalid: 'held', inconclusive: 'paused' }],
    ['promoted', {}],
    ['rolled-back', {}],
    ['aborted', {}],
    ['undone', {}],
  ];
  for (const [at, wanted] of table) {
    test.each(results)(`${at}: %s`, (result) => {
      const story = AT[at]().after(S);
      expect(story.verdict(result).decided).toEqual(wanted[result] ? [wanted[result]] : []);
    });
  }
});

describe('every command in every phase', () => {
  const half = { weights: { v1: 0.5, v2: 0.5 }, reason: 'why' };
  const commands: readonly [Command['action'], Partial<Command>][] = [
    ['promote', {}],
    ['promote-full', {}],
    ['pause', {}],
    ['resume', {}],
    ['abort', { reason: 'why' }],
    ['undo', {}],
    ['set-traffic', half],
  ];
  // In the order of `commands`: the decisions, or the refusal's code.
  const none = 'no-open-rollout';
  const table: readonly [At, readonly (string | readonly string[])[]][] = [
    ['nothing', Array<string>(7).fill('unknown-model')],
    ['registered', [none, none, none, none, none, 'nothing-to-undo', 'bad-weights']],
    [
      'waiting-ready',
      [
        'canary-not-ready',
        'canary-not-ready',
        'canary-not-ready',
        'canary-not-ready',
        ['aborted'],
        'rollout-open',
        'rollout-open',
      ],
    ],
    [
      'progressing',
      [['weight-changed'], ['promoted'], ['paused'], 'not-paused', ['aborted'], 'rollout-open', 'rollout-open'],
    ],
    [
      'paused by hand',
      [['weight-changed'], ['promoted'], 'already-paused', ['resumed'], ['aborted'], 'rollout-open', 'rollout-open'],
    ],
    [
      'paused for approval',
      [
        ['weight-changed'],
        ['promoted'],
        'already-paused',
        ['resumed', 'weight-changed'],
        ['aborted'],
        'rollout-open',
        'rollout-open',
      ],
    ],
    [
      'paused for a time',
      [
        ['weight-changed'],
        ['promoted'],
        ['paused'],
        ['resumed', 'weight-changed'],
        ['aborted'],
        'rollout-open',
        'rollout-open',
      ],
    ],
    [
      'in the bake',
      [['promoted'], ['promoted'], ['paused'], 'not-paused', ['aborted'], 'rollout-open', 'rollout-open'],
    ],
    ['promoted', [none, none, none, none, none, ['undone'], ['weight-changed']]],
    ['rolled-back', [none, none, none, none, none, 'nothing-to-undo', ['weight-changed']]],
    ['aborted', [none, none, none, none, none, 'nothing-to-undo', ['weight-changed']]],
    ['undone', [none, none, none, none, none, 'already-undone', ['weight-changed']]],
  ];
  for (const [at, wanted] of table) {
    test.each(commands.map(([action, overrides], i) => ({ action, overrides, wanted: wanted[i] })))(
      `${at}: $action`,
      ({ action, overrides, wanted }) => {
        const story = AT[at]().after(S);
        const before = story.state;
        story.command(action, overrides);
        if (typeof wanted === 'string') {
          expect(story.refusal).toBe(wanted);
          expect(story.last.decisions).toEqual([]);
          expect({ ...story.state, commands: [] }).toEqual({ ...before, commands: [] });
          expect(story.last.commandResult?.reason?.text).toMatch(/[;:,] /); // a remedy, or what is known
        } else {
          expect(story.decided).toEqual(wanted);
          expect(story.last.commandResult).toMatchObject({ result: 'applied', sequence: story.model.sequence });
        }
      },
    );
  }
});

describe('registering', () => {
  test('a file without a canary gives stable everything', () => {
    const story = AT.registered();
    expect(story.history[0]).toMatchObject({
      decisionId: 'digits/1',
      sequence: 1,
      action: 'registered',
      from: {},
      to: { v1: 1 },
      generation: 1,
      actor: 'ann',
      reason: { code: 'registered' },
      safeToRemove: [],
    });
    expect(story.model).toMatchObject({
      stable: 'v1',
      weights: { v1: 1 },
      generation: 1,
      versions: { v1: { index: 0 } },
    });
    expect(story.model.prediction).toEqual(spec().prediction);
  });

  test('the same file again changes nothing', () => {
    const story = AT.registered().apply(registration());
    expect(story.decided).toEqual([]);
    expect(story.last.commandResult?.result).toBe('applied');
  });

  test('a new URL of a version with traffic is a new generation', () => {
    const story = AT.registered().apply(registration({ stable: version('v1', 'http://elsewhere') }));
    expect(story.decided).toEqual(['registered']);
    expect(story.model).toMatchObject({ generation: 2, versions: { v1: { index: 0, url: 'http://elsewhere' } } });
  });

  test('a new model with a canary is registered at once, with the canary waiting for its readiness', () => {
    const story = AT['waiting-ready']();
    expect(story.actions).toEqual(['registered']);
    expect(story.model).toMatchObject({
      weights: { v1: 1, v2: 0 },
      rollout: { rollout: 'digits-1', status: 'waiting-ready', phases: [] },
    });
    expect(story.history[0]?.safeToRemove).toEqual([]);
  });
});

describe('applying', () => {
  test('the identical spec again while it is open is applied without an effect', () => {
    const story = Story.started();
    story.apply(JSON.parse(JSON.stringify(spec())) as RolloutSpec);
    expect(story.last.commandResult?.result).toBe('applied');
    expect(story.decided).toEqual([]);
    expect(story.model.rolloutCount).toBe(1);
  });

  test.each<[string, At, Partial<RolloutSpec>, string]>([
    ['another spec while one is open', 'progressing', { beta: 0.1 }, 'rollout-open'],
    ['another stable than the present one', 'registered', { stable: version('v0') }, 'stable-differs'],
    ['the old stable after a promotion', 'promoted', {}, 'stable-differs'],
    ['a canary that is stable', 'registered', { canary: version('v1') }, 'same-version'],
  ])('%s is refused with the remedy', (_, at, overrides, code) => {
    const story = AT[at]().apply(spec(overrides));
    expect(story.refusal).toBe(code);
    expect(story.decided).toEqual([]);
  });

  test('an index belongs to one version name for ever', () => {
    const story = AT['rolled-back']()
      .apply(spec({ canary: version('v3') }))
      .ready()
      .command('abort', { reason: 'x' });
    expect(story.model.versions).toMatchObject({ v1: { index: 0 }, v3: { index: 2 } });
    story.apply(spec()).ready();
    expect(story.model.versions).toMatchObject({ v1: { index: 0 }, v2: { index: 1 } });
    expect(story.model.versionIndexes).toEqual({ v1: 0, v2: 1, v3: 2 });
  });

  test('the 257th version is refused', () => {
    const story = AT.registered();
    story.state = { ...story.model, versionIndexMax: 255 };
    expect(story.apply(spec()).refusal).toBe('versions-used-up');
  });

  test('a rollout over traffic set by hand begins from there', () => {
    const story = AT['rolled-back']().command('set-traffic', { weights: { v1: 0.7, v2: 0.3 } });
    story.apply(spec({ canary: version('v3') }));
    expect(story.model.weights).toEqual({ v1: 0.7, v2: 0.3, v3: 0 });
    story.ready();
    expect(story.last.decisions[0]).toMatchObject({ from: { v1: 0.7, v2: 0.3, v3: 0 }, to: { v1: 0.9 } });
    expect(story.model.weights).toEqual({ v1: 0.9, v2: 0.1, v3: 0 });
  });
});

describe('readiness', () => {
  test('the first ready answer starts the rollout in one decision that carries the whole spec', () => {
    const story = AT['waiting-ready']().ready();
    expect(story.last.decisions).toHaveLength(1);
    expect(story.last.decisions[0]).toMatchObject({
      action: 'started',
      sequence: 2,
      generation: 2,
      rollout: 'digits-1',
      phase: 'progressing',
      step: 0,
      from: { v1: 1, v2: 0 },
      to: { v1: 0.9, v2: 0.1 },
      actor: 'ann',
      cause: { kind: 'command' },
      spec: spec(),
      versions: { v1: { index: 0 }, v2: { index: 1 } },
    });
    expect(story.model).toMatchObject({ salt: 'digits-1', canary: 'v2' });
    expect(story.model.rollout?.phases).toEqual([
      { sequence: 2, generation: 2, step: 0, weights: { v1: 0.9, v2: 0.1 }, bake: false, startedAt: T0 },
    ]);
  });

  test('a refusing canary is said once, and given up after 5 minutes without a user having seen it', () => {
    const story = AT['waiting-ready']().answer(false, 'connection refused').answer(false, 'connection refused');
    expect(story.actions).toEqual(['registered', 'held']);
    expect(story.model.rollout?.held?.text).toContain('connection refused');
    expect(story.after(299 * S).timer(0).decided).toEqual([]);
    expect(story.after(S).timer(0).decided).toEqual(['aborted']);
    expect(story.history.at(-1)).toMatchObject({
      reason: { code: 'canary-not-ready' },
      cause: { kind: 'timer', timer: 'readiness' },
      generation: 1,
      safeToRemove: ['v2'],
    });
    expect(story.timer(0).decided).toEqual([]);
  });

  test('an answer for a rollout that is over, or started already, means nothing', () => {
    expect(AT.progressing().ready().last.ignored).toBe('no-open-rollout');
    const late = AT['waiting-ready']().command('abort', { reason: 'x' });
    expect(late.feed({ kind: 'readiness', rollout: 'digits-1', ready: true, detail: '' }).decided).toEqual([]);
  });
});

describe('the whole way', () => {
  test('each pass is one step, one decision, one generation; the last one promotes', () => {
    const story = Story.started().verdict('pass').after(S).verdict('pass').after(S).verdict('pass');
    expect(story.actions).toEqual(['registered', 'started', 'weight-changed', 'weight-changed', 'promoted']);
    expect(story.history.map((d) => d.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(story.history.map((d) => d.generation)).toEqual([1, 2, 3, 4, 5]);
    expect(story.history.map((d) => d.to.v2)).toEqual([0, 0.1, 0.5, 1, 1]);
    expect(
      story.history.slice(1).every((d, i) => JSON.stringify(d.from) === JSON.stringify(story.history[i]?.to)),
    ).toBe(true);
    expect(story.history.at(-1)).toMatchObject({ safeToRemove: ['v1'], phase: 'promoted' });
    expect(story.history[2]?.reason.text).toBe(
      'step 1 of 3 passed: the data says pass; v2 goes from 10 % to 50 % (step 2 of 3)',
    );
    expect(story.model).toMatchObject({ stable: 'v2', weights: { v1: 0, v2: 1 }, rollout: { status: 'promoted' } });
    expect(story.model.rollout?.phases.map((p) => [p.generation, p.bake])).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(story.model.canary).toBeUndefined();
    expect(rolloutStateCodec.decode(rolloutStateCodec.encode(story.model)).ok).toBe(true);
  });

  test('a fail keeps the text of the verdict and names the deciding check first', () => {
    const text = 'p99 is 1.8 times control (limit 1.2), although accuracy is 4 points better';
    const checks = [check('accuracy'), check('latency.p99', { result: 'fail' })];
    const story = Story.started().verdict('fail', { reason: { code: 'latency-too-slow', text }, checks });
    expect(story.history.at(-1)).toMatchObject({
      action: 'rolled-back',
      to: { v1: 1, v2: 0 },
      generation: 3,
      safeToRemove: ['v2'],
      reason: { code: 'latency-too-slow', text: `${text}; v2 goes from 10 % to 0 %` },
    });
    expect(story.history.at(-1)?.reason.checks?.map((c) => c.check)).toEqual(['latency.p99', 'accuracy']);
  });

  test('undo brings the old stable back; its entry is kept until another rollout starts', () => {
    const story = AT.promoted();
    expect(story.model.versions).toHaveProperty('v1');
    story.command('undo');
    expect(story.history.at(-1)).toMatchObject({ to: { v1: 1, v2: 0 }, generation: 4, safeToRemove: ['v2'] });
    expect(story.model).toMatchObject({ stable: 'v1', rollout: { status: 'promoted' } });
    const next = AT.promoted().apply(spec({ stable: version('v2'), canary: version('v3'), steps: [traffic(1)] }));
    expect(next.model.versions).toHaveProperty('v1');
    next.ready();
    expect(next.model.versions).not.toHaveProperty('v1');
  });

  test('steps that begin with a pause start without a user', () => {
    const story = Story.started({ steps: [{ kind: 'pause' }, traffic(0.1)] });
    expect(story.decided).toEqual(['started', 'paused']);
    expect(story.model).toMatchObject({ weights: { v1: 1, v2: 0 }, rollout: { status: 'paused', phases: [] } });
    expect(story.command('resume').model.weights).toEqual({ v1: 0.9, v2: 0.1 });
  });
});

describe('what is not counted', () => {
  test.each<[string, (state: RolloutState) => Parameters<typeof verdict>[2], string]>([
    ['of another rollout', () => ({ rollout: 'digits-0' }), 'other-rollout'],
    ['of another step', () => ({ step: 2 }), 'other-step'],
    ['of another generation', (s) => ({ generation: s.generation - 1 }), 'other-step'],
    ['about data of 10.001 s ago', (s) => ({ asOf: s.updatedAt - 10_001 }), 'verdict-too-old'],
  ])('a pass %s', (_, overrides, ignored) => {
    const story = Story.started();
    story.verdict('pass', overrides(story.model));
    expect(story.last).toMatchObject({ decisions: [], ignored });
  });

  test('a verdict that is not newer than the last one, also when it comes twice', () => {
    const story = Story.started()
      .after(5 * S)
      .verdict('continue');
    const again = verdict(story.model, 'pass', { asOf: story.nowMs - 1 });
    expect(story.feed({ kind: 'verdict', verdict: again }).last.ignored).toBe('not-newer');
    const pass = verdict(story.model, 'pass', { asOf: story.nowMs });
    expect(story.feed({ kind: 'verdict', verdict: pass }).decided).toEqual(['weight-changed']);
    expect(story.feed({ kind: 'verdict', verdict: pass }).decided).toEqual([]);
  });

  test('but a fail of this rollout counts from any of its generations and steps, and at any age', () => {
    const story = Story.started().verdict('pass');
    story.verdict('fail', { generation: 2, step: 0, asOf: T0 - 5 * MIN });
    expect(story.decided).toEqual(['rolled-back']);
  });

  test('and nothing after the end: an end is final', () => {
    for (const at of ['promoted', 'rolled-back', 'aborted'] as const) {
      const story = AT[at]();
      const before = story.model;
      story
        .verdict('fail')
        .verdict('pass')
        .timer(20 * MIN)
        .answer(true, '')
        .timer(0);
      expect(story.model).toEqual(before);
    }
  });

  test('a command that comes twice acts once and answers the same', () => {
    const story = Story.started();
    const promote = command('promote');
    const first = story.feed({ kind: 'command', command: promote }).last.commandResult;
    expect(story.feed({ kind: 'command', command: promote }).last).toMatchObject({
      decisions: [],
      commandResult: first,
    });
    expect(story.model.rollout?.step).toBe(1);
  });

  test('a command that names another rollout', () => {
    expect(Story.started().command('promote', { rollout: 'digits-0' }).refusal).toBe('other-rollout');
  });

  test('an abort without a reason', () => {
    expect(Story.started().command('abort', { reason: '  ' }).refusal).toBe('reason-required');
  });
});

describe('held', () => {
  test('is said once for a code, again for another, and released when it goes on', () => {
    const story = Story.started();
    const holds = (code: string): string[] => story.after(S).verdict('hold', { reason: { code, text: code } }).decided;
    expect(holds('both-failing')).toEqual(['held']);
    expect(holds('both-failing')).toEqual([]);
    expect(holds('labels-missing')).toEqual(['held']);
    expect(story.after(S).verdict('continue').decided).toEqual(['released']);
    expect(story.after(S).verdict('continue').decided).toEqual([]);
    expect(story.model.rollout?.held).toBeUndefined();
  });

  test('that comes and goes is said every 30 s at most', () => {
    const story = Story.started();
    for (let s = 0; s < 60; s++) story.after(S).verdict(s % 2 ? 'continue' : 'hold');
    expect(story.actions.slice(2)).toEqual(['held', 'released', 'held', 'released']);
  });

  test('ends with a pass without a release of its own', () => {
    const story = Story.started().verdict('hold').after(S).verdict('pass');
    expect(story.decided).toEqual(['weight-changed']);
    expect(story.model.rollout?.held).toBeUndefined();
  });
});

describe('inconclusive', () => {
  test('rolls back where the policy says so', () => {
    const story = Story.started({ onInconclusive: 'rollback' }).verdict('inconclusive');
    expect(story.decided).toEqual(['rolled-back']);
    expect(story.model.weights).toEqual({ v1: 1, v2: 0 });
  });

  test('a step that was resumed has its whole atMost again before it pauses anew', () => {
    const story = Story.started({ steps: [traffic(0.1, { atMostMs: 10 * MIN }), traffic(1)] });
    story
      .after(10 * MIN)
      .verdict('inconclusive')
      .command('resume');
    expect(story.after(9 * MIN).verdict('inconclusive').decided).toEqual(['held']);
    expect(story.after(MIN).verdict('inconclusive').decided).toEqual(['paused']);
  });
});

describe('silence of the evaluator', () => {
  test('is held after 30 s, once, and inconclusive after 10 minutes', () => {
    const story = Story.started()
      .after(29 * S)
      .timer(29 * S);
    expect(story.decided).toEqual([]);
    expect(story.after(S).timer(30 * S).decided).toEqual(['held']);
    expect(story.model.rollout?.held?.code).toBe('evaluator-silent');
    expect(story.after(S).timer(31 * S).decided).toEqual([]);
    expect(story.after(9 * MIN + 29 * S).timer(10 * MIN).decided).toEqual(['paused']);
    expect(story.after(S).timer(10 * MIN + S).decided).toEqual([]);
    expect(story.after(S).verdict('continue').decided).toEqual(['released']);
    expect(story.model.rollout?.status).toBe('paused');
  });

  test('rolls back after 10 minutes where the policy says so, also when it is paused', () => {
    for (const story of [
      Story.started({ onInconclusive: 'rollback' }),
      Story.started({ onInconclusive: 'rollback' }).command('pause'),
    ]) {
      story
        .after(30 * S)
        .timer(30 * S)
        .after(570 * S)
        .timer(10 * MIN);
      expect(story.decided).toEqual(['rolled-back']);
    }
  });

  test('a phase that has just begun is not silent, whatever was before it', () => {
    expect(
      Story.started()
        .after(5 * S)
        .timer(20 * MIN).decided,
    ).toEqual([]);
  });

  test('a controller that has just begun to listen does not take its own absence for silence', () => {
    expect(
      Story.started()
        .after(60 * MIN)
        .timer(S).decided,
    ).toEqual([]);
  });

  test('the 10 minutes go on when another controller takes over', () => {
    const story = Story.started()
      .after(30 * S)
      .timer(30 * S)
      .after(9 * MIN)
      .timer(20 * S);
    expect(story.decided).toEqual([]);
    expect(story.after(30 * S).timer(50 * S).decided).toEqual(['paused']);
  });

  test('a resume gives the evaluator its 30 s again', () => {
    const story = Story.started()
      .after(30 * S)
      .timer(30 * S)
      .after(10 * MIN)
      .timer(11 * MIN)
      .command('resume');
    expect(story.after(29 * S).timer(12 * MIN).decided).toEqual([]);
    expect(story.after(S).timer(12 * MIN).decided).toEqual(['held']);
  });

  test('ends with a fresh verdict', () => {
    const story = Story.started()
      .after(30 * S)
      .timer(30 * S)
      .after(S)
      .verdict('continue');
    expect(story.decided).toEqual(['released']);
  });
});

describe('timed pauses', () => {
  test('go on by themselves, once, however late the timer fires', () => {
    const story = AT['paused for a time']();
    expect(story.after(10 * MIN - 1).timer().decided).toEqual([]);
    expect(story.after(60 * MIN).timer().decided).toEqual(['resumed', 'weight-changed']);
    expect(story.timer().decided).toEqual([]);
    expect(story.history.at(-1)).toMatchObject({ cause: { kind: 'timer', timer: 'pause-over' }, to: { v1: 0, v2: 1 } });
  });

  test('do not go on while nobody watches', () => {
    const story = AT['paused for a time']().after(11 * MIN);
    expect(story.timer(40 * S).decided).toEqual(['held']);
    expect(story.timer(41 * S).decided).toEqual([]);
    expect(story.after(S).verdict('continue').decided).toEqual(['released']);
    expect(story.timer(0).decided).toEqual(['resumed', 'weight-changed']);
  });

  test('survive a clock that is put back: the history does not run backwards', () => {
    const story = AT['paused for a time']()
      .after(-60 * MIN)
      .timer()
      .command('pause');
    const times = story.history.map((d) => d.at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

test('what the state keeps is bounded', () => {
  const story = AT['rolled-back']();
  for (let i = 0; i < 150; i++) {
    story.command('set-traffic', { weights: i % 2 ? { v1: 1 } : { v1: 0.5, v2: 0.5 } });
  }
  expect(story.model.decisions).toHaveLength(20);
  expect(story.model.commands).toHaveLength(100);
  expect(story.model.decisions.at(-1)?.sequence).toBe(story.model.sequence);
});

test.each([
  ['sum below 1', { v1: 0.5, v2: 0.4 }],
  ['sum above 1', { v1: 0.5, v2: 0.6 }],
  ['10 and 90', { v1: 90, v2: 10 }],
  ['negative', { v1: 1.1, v2: -0.1 }],
  ['not a number', { v1: NaN, v2: 1 }],
  ['more than four decimals', { v1: 0.99999, v2: 0.00001 }],
  ['an unknown version', { v1: 0.5, v9: 0.5 }],
  ['none', {}],
])('weights by hand are refused: %s', (_, weights) => {
  expect(AT['rolled-back']().command('set-traffic', { weights }).refusal).toBe('bad-weights');
});
