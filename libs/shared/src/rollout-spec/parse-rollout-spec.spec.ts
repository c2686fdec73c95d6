import { describe, expect, it } from 'vitest';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';

const DESIGN_FILE = `
model: digits
stable: { version: v1, url: http://127.0.0.1:9001 }
canary: { version: v2, url: http://127.0.0.1:9002/, deadline: 2s, maxConcurrency: 64 }
prediction: { pointer: /outputs/0/data/0, kind: class }
warmup: { predictions: 200, duration: 30s }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 1000, duration: 1m }, atMost: { duration: 4h } }
  - { pause: {} }
  - { traffic_split: { v1: 0.5, v2: 0.5 } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: 10m } }
checks:
  errorRate: { maxIncrease: 0.01, max: 0.5 }
  accuracy:  { maxDrop: 0.02, labelsWithin: 5m }
  latency:   { p50: { maxRatio: 1.2 }, p99: { maxRatio: 1.2, maxMs: 250 } }
onInconclusive: pause
`;

const PARSED: RolloutSpec = {
  model: 'digits',
  stable: { version: 'v1', url: 'http://127.0.0.1:9001', deadlineMs: 10_000, maxConcurrency: 1024 },
  canary: { version: 'v2', url: 'http://127.0.0.1:9002', deadlineMs: 2000, maxConcurrency: 64 },
  prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
  warmup: { predictions: 200, durationMs: 30_000 },
  steps: [
    {
      kind: 'traffic',
      weights: { v1: 0.9, v2: 0.1 },
      atLeast: { predictions: 1000, durationMs: 60_000 },
      atMostMs: 14_400_000,
    },
    { kind: 'pause' },
    { kind: 'traffic', weights: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 1000, durationMs: 60_000 } },
    { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 1000, durationMs: 600_000 } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
    accuracy: { maxDrop: 0.02, labelsWithinMs: 300_000, strict: false },
    latency: {
      p50: { maxRatio: 1.2, minIncreaseMs: 5 },
      p99: { maxRatio: 1.2, maxMs: 250, minIncreaseMs: 5 },
      strict: false,
    },
  },
  onInconclusive: 'pause',
  alpha: 0.01,
  beta: 0.05,
};

/** A file with every default, and one part of it replaced. */
function fileWith(change: Record<string, unknown>): Record<string, unknown> {
  return {
    model: 'digits',
    stable: { version: 'v1', url: 'http://127.0.0.1:9001' },
    canary: { version: 'v2', url: 'http://127.0.0.1:9002' },
    prediction: { pointer: '/class' },
    steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 } }],
    ...change,
  };
}
const split = (weights: unknown) =>
  fileWith({ steps: [{ traffic_split: weights }, { traffic_split: { v1: 0, v2: 1 } }] });
const steps = (...shares: number[]) =>
  fileWith({ steps: shares.map((v2) => ({ traffic_split: { v1: Number((1 - v2).toFixed(4)), v2 } })) });
const version = (change: Record<string, unknown>) =>
  fileWith({ canary: { version: 'v2', url: 'http://b', ...change } });

function problemsOf(input: unknown) {
  const parsed = parseRolloutSpec(input);
  if (parsed.ok) throw new Error('was not refused');
  return parsed.problems;
}

function accepted(input: unknown) {
  const parsed = parseRolloutSpec(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

describe('a rollout file that is right', () => {
  it('is read as the design shows it', () => {
    expect(parseRolloutSpec(DESIGN_FILE)).toEqual({ ok: true, value: PARSED, warnings: [] });
  });

  it('needs no more than model, versions and steps: the rest has its default', () => {
    const { value } = accepted(fileWith({}));
    expect(value.warmup).toEqual({ predictions: 200, durationMs: 30_000 });
    expect(value.checks).toEqual({
      errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
      accuracy: { maxDrop: 0.02, labelsWithinMs: 300_000, strict: false },
      latency: {
        p50: { maxRatio: 1.2, minIncreaseMs: 5 },
        p99: { maxRatio: 1.2, minIncreaseMs: 5 },
        strict: false,
      },
    });
    expect(value).toMatchObject({ onInconclusive: 'pause', alpha: 0.01, beta: 0.05 });
  });

  it('may be JSON text', () => {
    expect(accepted(JSON.stringify(fileWith({}))).value).toEqual(accepted(fileWith({})).value);
  });

  it('registers a model when it has no canary', () => {
    const { value, warnings } = accepted({ model: 'digits', stable: { version: 'v1', url: 'http://a:1' } });
    expect(value).toMatchObject({ model: 'digits', steps: [], checks: {} });
    expect(value.canary).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('leaves accuracy out, with a warning, when the answers have no prediction', () => {
    const { value, warnings } = accepted(fileWith({ prediction: undefined }));
    expect(value.checks.accuracy).toBeUndefined();
    expect(warnings.map((w) => w.code)).toEqual(['no-accuracy']);
    expect(accepted(fileWith({ prediction: undefined, checks: { accuracy: 'off' } })).warnings).toEqual([]);
  });

  it('switches a check, a quantile or a ratio off by `off` and leaves the others as they are', () => {
    const { value } = accepted(
      fileWith({ checks: { accuracy: 'off', latency: { p50: 'off', p95: {}, p99: { maxRatio: 'off', maxMs: 250 } } } }),
    );
    expect(value.checks.accuracy).toBeUndefined();
    expect(value.checks.errorRate).toBeDefined();
    expect(value.checks.latency).toEqual({
      p95: { maxRatio: 1.2, minIncreaseMs: 5 },
      p99: { maxMs: 250, minIncreaseMs: 5 },
      strict: false,
    });
  });

  it('adds weights up exactly, in basis points', () => {
    expect(accepted(split({ v1: 0.7, v2: 0.3 })).value.steps[0]).toMatchObject({ weights: { v1: 0.7, v2: 0.3 } });
    expect(accepted(split({ v1: 0.9999, v2: 0.0001 })).ok).toBe(true);
  });

  it('warns of a first step that sends everybody', () => {
    expect(accepted(steps(1)).warnings.map((w) => w.code)).toEqual(['everybody-at-once']);
  });

  it('warns of a ceiling that the limit reaches first, and of a step that ends within its warm-up', () => {
    const steps = [
      { traffic_split: { v1: 0.9, v2: 0.1 } },
      { traffic_split: { v1: 0.5, v2: 0.5 }, atLeast: { duration: '10s' }, atMost: { duration: '20s' } },
      { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: '10s' }, atMost: { duration: '20s' } },
    ];
    const { warnings } = accepted(fileWith({ steps, checks: { errorRate: { maxIncrease: 0.05, max: 0.05 } } }));
    expect(warnings.map(({ code, field }) => [code, field])).toEqual([
      ['at-most-too-short', 'steps.1.atMost.duration'],
      ['ceiling-below-limit', 'checks.errorRate.max'],
    ]);
  });

  it('warns of what cannot come to a good end', () => {
    const short = { traffic_split: { v1: 0.9, v2: 0.1 }, atMost: { duration: '3m' } };
    const warnings = accepted(
      fileWith({
        canary: { version: 'v2', url: 'http://127.0.0.1:9001', deadline: '1s' },
        steps: [short, { traffic_split: { v1: 0, v2: 1 } }],
        checks: { errorRate: false, latency: { p99: { maxMs: 1000 } } },
      }),
    ).warnings;
    expect(warnings.map((w) => w.code).sort()).toEqual([
      'at-most-too-short',
      'limit-beyond-deadline',
      'no-error-check',
      'same-url',
    ]);
  });
});

describe('a rollout file that is wrong', () => {
  const cases: [what: string, input: unknown, field: string, code: string, says: RegExp][] = [
    [
      '10 and 90',
      split({ v2: 10, v1: 90 }),
      'steps.0.traffic_split',
      'not-fractions',
      /sum to 100.*write v2: 0.1, v1: 0.9/,
    ],
    ['new and old', split({ new: 10, old: 90 }), 'steps.0.traffic_split', 'not-fractions', /write 0.1 and 0.9/],
    ['1 and 9', split({ v1: 9, v2: 1 }), 'steps.0.traffic_split', 'not-fractions', /write v1: 0.9, v2: 0.1/],
    [
      'percentages',
      split({ v1: '90%', v2: '10%' }),
      'steps.0.traffic_split.v2',
      'percentage',
      /write the fraction 0.1/,
    ],
    [
      'a sum of .9',
      split({ v1: 0.8, v2: 0.1 }),
      'steps.0.traffic_split',
      'wrong-sum',
      /sum to 0.9, .*write v1: 0.9, v2: 0.1/,
    ],
    [
      'a sum of 1.1',
      split({ v1: 0.9, v2: 0.2 }),
      'steps.0.traffic_split',
      'wrong-sum',
      /sum to 1.1, .*write v1: 0.8, v2: 0.2/,
    ],
    ['a sum just off', split({ v1: 0.9, v2: 0.1001 }), 'steps.0.traffic_split', 'wrong-sum', /1\.0001/],
    ['negative', split({ v1: 1.1, v2: -0.1 }), 'steps.0.traffic_split.v2', 'negative', /from 0 to 1/],
    ['NaN', split({ v1: 0.9, v2: NaN }), 'steps.0.traffic_split.v2', 'wrong-value', /NaN is not a number/],
    [
      'five decimals',
      split({ v1: 0.99999, v2: 0.00001 }),
      'steps.0.traffic_split.v1',
      'too-many-decimals',
      /four decimals/,
    ],
    [
      'text for a number',
      split({ v1: '0.9', v2: 0.1 }),
      'steps.0.traffic_split.v1',
      'wrong-value',
      /write 0.9 without quotes/,
    ],
    [
      'an unknown version',
      split({ v1: 0.9, v3: 0.1 }),
      'steps.0.traffic_split.v3',
      'unknown-version',
      /no version "v3" here.*did you mean/,
    ],
    ['a version left out', split({ v2: 0.1 }), 'steps.0.traffic_split.v1', 'missing', /name every version/],
    ['a split that is no map', split(0.1), 'steps.0.traffic_split', 'wrong-value', /\{ v1: 0.9, v2: 0.1 \}/],
    ['falling steps', steps(0.5, 0.1, 1), 'steps.1.traffic_split', 'falling-steps', /falls from 0.5 to 0.1/],
    ['a step without canary', steps(0, 1), 'steps.0.traffic_split', 'no-canary-traffic', /share above 0/],
    ['all in the middle', steps(0.1, 1, 1), 'steps.1.traffic_split', 'full-too-early', /make it the last/],
    ['an end below all', steps(0.1, 0.5), 'steps.1', 'not-full-at-end', /add \{ traffic_split: \{ v1: 0, v2: 1 \} \}/],
    ['no steps', fileWith({ steps: undefined }), 'steps', 'missing', /write for instance/],
    ['an empty list of steps', fileWith({ steps: [] }), 'steps', 'wrong-value', /1 to 100 steps/],
    ['a step of nothing', fileWith({ steps: [{}] }), 'steps.0', 'wrong-step', /neither/],
    [
      'a pause at the end',
      fileWith({ steps: [{ traffic_split: { v1: 0, v2: 1 } }, { pause: {} }] }),
      'steps.1',
      'ends-with-pause',
      /before it/,
    ],
    [
      'a pause at the start',
      fileWith({ steps: [{ pause: {} }, { traffic_split: { v1: 0, v2: 1 } }] }),
      'steps.0',
      'begins-with-pause',
      /when the rollout may begin/,
    ],
    ['an unknown key', fileWith({ step: [] }), 'step', 'unknown-key', /did you mean steps\?/],
    [
      'an unknown key deep down',
      fileWith({ checks: { errorRate: { maxIncrese: 0.1 } } }),
      'checks.errorRate.maxIncrese',
      'unknown-key',
      /did you mean maxIncrease\?/,
    ],
    [
      'an unknown check',
      fileWith({ checks: { colour: {} } }),
      'checks.colour',
      'unknown-key',
      /errorRate, accuracy, latency, firstByte/,
    ],
    [
      'a limit out of range',
      fileWith({ checks: { errorRate: { maxIncrease: 1 } } }),
      'checks.errorRate.maxIncrease',
      'wrong-value',
      /too large.*0.01 allows one point/,
    ],
    [
      'a ratio below 1',
      fileWith({ checks: { latency: { p99: { maxRatio: 0.8 } } } }),
      'checks.latency.p99.maxRatio',
      'wrong-value',
      /above 1/,
    ],
    ['a check that is a number', fileWith({ checks: { accuracy: 3 } }), 'checks.accuracy', 'wrong-value', /or off/],
    [
      'every check off',
      fileWith({ checks: { errorRate: 'off', accuracy: 'off', latency: 'off' } }),
      'checks',
      'no-checks',
      /leave one on/,
    ],
    [
      'no limit left',
      fileWith({ checks: { latency: { p99: { maxRatio: 'off' } } } }),
      'checks.latency.p99',
      'no-limit',
      /p99: off/,
    ],
    [
      'accuracy without prediction',
      fileWith({ prediction: undefined, checks: { accuracy: {} } }),
      'checks.accuracy',
      'no-prediction',
      /pointer/,
    ],
    [
      'a bad pointer',
      fileWith({ prediction: { pointer: 'class' } }),
      'prediction.pointer',
      'wrong-value',
      /JSON pointer/,
    ],
    [
      'a tolerance for classes',
      fileWith({ prediction: { pointer: '/a', tolerance: 1 } }),
      'prediction.tolerance',
      'wrong-value',
      /kind: number/,
    ],
    ['no URL', version({ url: 'model-server:9001' }), 'canary.url', 'bad-url', /only http and https/],
    ['rubbish for a URL', version({ url: 'not a url' }), 'canary.url', 'bad-url', /not a URL/],
    ['another protocol', version({ url: 'ftp://a' }), 'canary.url', 'bad-url', /only http and https/],
    ['a URL with a query', version({ url: 'http://a/?x=1' }), 'canary.url', 'bad-url', /query/],
    ['a duration without unit', version({ deadline: '10' }), 'canary.deadline', 'bad-duration', /30s/],
    [
      'a duration as a number',
      version({ deadline: 10 }),
      'canary.deadline',
      'wrong-value',
      /not text: a duration such as/,
    ],
    ['no time at all', version({ deadline: '0s' }), 'canary.deadline', 'out-of-range', /at least 1ms/],
    ['concurrency of a half', version({ maxConcurrency: 0.5 }), 'canary.maxConcurrency', 'wrong-value', /whole number/],
    ['the same version twice', version({ version: 'v1' }), 'canary.version', 'same-version', /name of its own/],
    ['a name that is a number', version({ version: 2 }), 'canary.version', 'wrong-value', /quotes/],
    ['a name with a slash', fileWith({ model: 'a/b' }), 'model', 'wrong-value', /letters, digits/],
    ['no model', fileWith({ model: undefined }), 'model', 'missing', /missing/],
    [
      'atMost below atLeast',
      fileWith({
        steps: [
          { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: { duration: '2m' }, atMost: { duration: '1m' } },
          { traffic_split: { v1: 0, v2: 1 } },
        ],
      }),
      'steps.0.atMost.duration',
      'out-of-range',
      /longer/,
    ],
    ['steps without a canary', fileWith({ canary: undefined }), 'steps', 'no-canary', /add canary/],
    [
      'another word for the policy',
      fileWith({ onInconclusive: 'abort' }),
      'onInconclusive',
      'wrong-value',
      /pause or rollback/,
    ],
    ['a list', [1], '', 'wrong-value', /a list, not a map/],
    ['nothing', '', '', 'empty', /empty/],
  ];
  it.each(cases)('%s: names the field, the reason and the remedy', (_what, input, field, code, says) => {
    const problem = problemsOf(input).find((p) => p.field === field);
    expect(problem, JSON.stringify(problemsOf(input))).toMatchObject({ code });
    expect(problem?.message).toMatch(says);
  });

  it('never shows the password of a URL', () => {
    const problems = problemsOf(version({ url: 'http://me:hunter2@a' }));
    expect(problems.map((p) => p.code)).toEqual(['bad-url']);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('tells line and column of YAML that does not parse', () => {
    const [problem] = problemsOf('model: digits\nstable: { version: v1\ncanary: x\n');
    expect(problem).toMatchObject({ code: 'not-yaml', line: 3 });
    expect(problem?.message).toMatch(/line 3, column \d+/);
  });

  it('refuses a key that stands twice', () => {
    expect(problemsOf('model: a\nmodel: b\n')).toMatchObject([{ code: 'not-yaml', line: 2, column: 1 }]);
  });

  it('tells line and column of a bad field', () => {
    const text = DESIGN_FILE.replace('{ v1: 0.5, v2: 0.5 }', '{ v1: 50, v2: 50 }').replace(
      'onInconclusive',
      'onInconclusiv',
    );
    expect(problemsOf(text)).toMatchObject([{ field: 'onInconclusiv', line: 16, column: 1 }]);
    expect(problemsOf(text.replace('onInconclusiv:', 'onInconclusive:'))).toMatchObject([
      { field: 'steps.2.traffic_split', line: 10, column: 22 },
    ]);
  });

  it('refuses a file made of aliases that would fill the memory', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => [pair[0]!, pair[1]!]))
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`);
    expect(problemsOf(bomb.join('\n'))[0]).toMatchObject({ code: 'not-yaml' });
  });
});
