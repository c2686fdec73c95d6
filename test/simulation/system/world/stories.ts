import { classHash, type OutcomeStatus } from '@app/shared';
import type { Random } from '../machine/random.js';
import type { ServerAnswer } from './router-process.js';

/** What a canary is like, what people do about it, and so how its rollout has to end. */
export const STORIES = [
  'good',
  'dead',
  'failing',
  'slow',
  'wrong',
  'aborted',
  'approved',
  'dies-in-pause',
  'undone',
] as const;
export type Story = (typeof STORIES)[number];

export const EXPECTED_END: Readonly<Record<Story, 'promoted' | 'rolled-back' | 'aborted'>> = {
  good: 'promoted',
  dead: 'rolled-back',
  failing: 'rolled-back',
  slow: 'rolled-back',
  wrong: 'rolled-back',
  aborted: 'aborted',
  approved: 'promoted',
  'dies-in-pause': 'rolled-back',
  undone: 'promoted',
};

export const STABLE = 'v1';
export const CANARY = 'v2';

/** Slower is slow, and every sound version is faster. */
export const SLOW_MS = 300;

interface Behaviour {
  /** Shares of the answers. */
  readonly errors: number;
  readonly timeouts: number;
  readonly wrong: number;
  readonly medianMs: number;
}

const SOUND: Behaviour = { errors: 0.02, timeouts: 0, wrong: 0.1, medianMs: 30 };
const CANARIES: Readonly<Record<Story, Behaviour>> = {
  good: SOUND,
  dead: { ...SOUND, errors: 1 },
  failing: { ...SOUND, errors: 0.7, timeouts: 0.1 },
  slow: { ...SOUND, medianMs: 900 },
  wrong: { ...SOUND, wrong: 0.9 },
  aborted: SOUND,
  approved: SOUND,
  'dies-in-pause': SOUND,
  undone: SOUND,
};
const DEADLINE_MS = 3_000;

/** What people would write in a rollout file for it: limits wide enough that a few dozen predictions decide. */
export function rolloutFile(model: string, story: Story): Record<string, unknown> {
  const split = (canary: number): Record<string, number> => ({ [STABLE]: 1 - canary, [CANARY]: canary });
  const least = { predictions: 12, duration: '1s' };
  const approval = story === 'approved' || story === 'dies-in-pause' ? [{ pause: {} }] : [];
  return {
    ...registration(model),
    canary: { version: CANARY, url: `http://${model}-${CANARY}.models`, deadline: `${DEADLINE_MS}ms` },
    warmup: { predictions: 0, duration: '0s' },
    steps: [
      { traffic_split: split(0.25), atLeast: least },
      ...approval,
      { traffic_split: split(0.5), atLeast: least },
      { traffic_split: split(1), atLeast: { predictions: 10, duration: '2s' } },
    ],
    checks: {
      errorRate: { maxIncrease: 0.4 },
      accuracy: hasAccuracy(story) ? { maxDrop: 0.4, labelsWithin: '2s' } : 'off',
      latency: story === 'slow' ? { p50: { maxRatio: 3 } } : 'off',
    },
  };
}

/** Labels count in its rollout. */
export const hasAccuracy = (story: Story): boolean => story === 'wrong' || story === 'good';

export function registration(model: string): Record<string, unknown> {
  return {
    model,
    stable: { version: STABLE, url: `http://${model}-${STABLE}.models`, deadline: `${DEADLINE_MS}ms` },
    prediction: { pointer: '/class', kind: 'class' },
  };
}

/** The truth about a user's request, and a wrong answer. */
export const RIGHT = 'right';
export const WRONG = 'wrong';

/** What the model server of a version answers. */
export function answerOf(
  story: Story,
  { version, paused }: { readonly version: string; readonly paused: boolean },
  random: Random,
): ServerAnswer {
  const dies = story === 'dies-in-pause' && paused;
  const { errors, timeouts, wrong, medianMs } = version === CANARY ? CANARIES[dies ? 'dead' : story] : SOUND;
  const afterMs = medianMs * Math.min(5, 0.5 + random.exponential(0.7));
  const fails = (status: OutcomeStatus, httpStatus: number, atMs: number): ServerAnswer => ({
    afterMs: atMs,
    status,
    httpStatus,
    value: { kind: 'none', sealed: 0 },
  });
  if (random.chance(timeouts)) return fails('timeout', 0, DEADLINE_MS);
  if (random.chance(errors)) return fails('error', 500, afterMs / 2);
  if (random.chance(0.01)) return fails('cancelled', 0, afterMs / 3);
  const shown = random.chance(wrong) ? WRONG : RIGHT;
  return { afterMs, status: 'ok', httpStatus: 200, value: { kind: 'class', sealed: classHash(shown), shown } };
}
