import { afterAll, describe, expect, it } from 'vitest';
import type { Decision } from '@app/shared';
import { deadLettersOf, putBadRecords } from './bad-records.js';
import { type Given, given, type Story } from './driver/story.js';
import { until, type World } from './driver/world.js';

/** What every place where the services run has to do. All of them at once, each on a model of its own. */
export function tellStories(world: () => World): void {
  const rollout = teller(world);

  describe.concurrent('a rollout', () => {
    it('of a good version is promoted, and can be undone', async () => {
      const story = rollout({ model: 'promoted', steps: [0.3, 0.6, 1] });
      const { rollout: ended } = await story.then.promoted();
      expect(story.users.failures).toEqual([]);
      expect(story.users.violations('v1', 'v2', ended!.endedAt!)).toBe(0);
      expectHistory(await story.decisions(), ['registered', 'started', 'weight-changed', 'weight-changed', 'promoted']);

      await story.when.told('undo', 'customers complain').then.weightIs(0);
      expect((await story.actions()).at(-1)).toBe('undone');
    });

    it('of a version that fails is rolled back for errors', async () => {
      const story = rollout({ model: 'failing', steps: [0.2, 1] });
      await story.when.canaryHas(0.2).when.canaryErrorsRise(0.4).then.rolledBack('errors-too-many');
      expectHistory(await story.decisions(), ['registered', 'started', 'rolled-back']);
    });

    it('of a slow version is rolled back for latency', async () => {
      const story = rollout({
        model: 'slow',
        canary: { latencyMs: 120 },
        steps: [0.2, 1],
        checks: { latency: { p50: { maxRatio: 1.5, minIncreaseMs: 30 }, p99: 'off' } },
        predictionsPerSecond: 200,
        before: 2_200,
      });
      await story.then.rolledBack('latency-too-slow');
      expect(story.users.failures).toEqual([]);
    });

    it('of a version that is wrong more often is rolled back for accuracy', async () => {
      const story = rollout({ model: 'wrong', canary: { accuracy: 0.6 }, steps: [0.3, 1] });
      const { decisions } = await story.then.rolledBack('accuracy-too-low');
      expect(decisions.at(-1)!.reason.checks![0]).toMatchObject({ check: 'accuracy', result: 'fail' });
      expect(story.users.failures).toEqual([]);
    });

    it('with a shadow step shows the canary to nobody before its answers were compared', async () => {
      const checks = { shadow: { maxDrop: 0.1 } };
      const story = rollout({ model: 'shadowed', shadow: 1, steps: [0.1, 1], checks });
      let seenInShadow: number | undefined;
      story.when.happens(async () => {
        const copies = async () => ((await story.state()).shadow ? story.state() : null);
        const { shadow, weights } = await until('copies', copies, { withinMs: 30_000 });
        expect([shadow, weights['v2']]).toEqual([{ version: 'v2', fraction: 1 }, 0]);
        seenInShadow = story.users.answersByVersion.get('v2') ?? 0;
      });
      const state = await story.then.weightIs(0.1);
      expect(seenInShadow).toBe(0);
      expect(state.shadow).toBeUndefined();
      const passed = (await story.decisions()).at(-1)!;
      expect(passed.reason.checks!.map(({ check, result }) => [check, result])).toEqual(
        expect.arrayContaining([
          ['shadow.accuracy', 'pass'],
          ['shadow.errorRate', 'pass'],
        ]),
      );
      await story.when.told('abort', 'seen enough').then.aborted();
    });

    it('that is paused stays where it is, goes on when resumed, and is over when aborted', async () => {
      const story = rollout({
        model: 'by-hand',
        steps: [0.3, 0.6, 1],
        checks: { accuracy: { maxDrop: 0.02, labelsWithin: '60s' } },
      });
      await story.when.canaryHas(0.3).when.told('pause').then.paused();
      await story.then.weightStays(0.3, 6);
      await story.when.told('promote').then.weightIs(0.6);
      await story.when.told('pause').then.paused();
      await story.when.told('resume').when.told('abort', 'wrong artefact').then.aborted();
      const { weights } = await story.then.weightIs(0);
      expect(weights['v1']).toBe(1);
      expect((await story.decisions()).at(-1)!.reason.text).toContain('wrong artefact');
    });

    it('is not disturbed by bad records: each becomes a dead letter that says where it stood and why', async () => {
      const story = rollout({ model: 'among-rubbish' });
      const places = await putBadRecords(world());
      const letters = await deadLettersOf(world(), places);
      for (const { cause } of letters) expect(cause.text.length).toBeGreaterThan(10);
      await story.then.promoted();
    });
  });
}

/** What depends on the verdict engine and not on the place: told once. */
export function tellStoriesOfVerdicts(world: () => World): void {
  const rollout = teller(world);

  describe.concurrent('a rollout, by its verdicts', () => {
    it('of a version that is wrong more often in shadow is rolled back before any user saw it', async () => {
      const story = rollout({ model: 'wrong-in-shadow', canary: { accuracy: 0.6 }, shadow: 1, steps: [0.1, 1] });
      await story.then.rolledBack('shadow-accuracy-too-low');
      expect(story.users.answersByVersion.get('v2')).toBeUndefined();
      expect(story.users.failures).toEqual([]);
      expectHistory(await story.decisions(), ['registered', 'started', 'rolled-back']);
    });

    it('whose answers score lower is rolled back for that mean', async () => {
      const story = rollout({
        model: 'scores-lower',
        canary: { score: 0.5 },
        steps: [0.3, 1],
        checks: { custom: { score: { pointer: '/parameters/score', maxDrop: 0.1 } } },
      });
      const { decisions } = await story.then.rolledBack('custom-beyond-limit');
      const { checks, text } = decisions.at(-1)!.reason;
      expect(checks![0]).toMatchObject({ check: 'custom.score', result: 'fail', limit: -0.1 });
      expect(checks![0]!.difference).toBeCloseTo(-0.2, 1);
      expect(text).toMatch(/^mean score is 0\.\d+ \(n [\d,]+\) against 0\.\d+ /);
    });

    it('that fails in one country is rolled back, and the country is named', async () => {
      const story = rollout({
        model: 'fails-in-de',
        stable: { errorRate: 0.1 },
        canary: { errorRate: 0.1, errorRateIn: { de: 0.6 } },
        steps: [0.5, 1],
        // Over all traffic it is within its limit.
        checks: { errorRate: { maxIncrease: 0.2, max: 0.9 }, accuracy: 'off' },
        atLeast: { predictions: 100_000, duration: '2s' },
        segments: { header: 'X-Country', top: 2 },
        predictionsPerSecond: 200,
      });
      const { decisions } = await story.then.rolledBack('errors-too-many');
      const { checks, text } = decisions.at(-1)!.reason;
      expect(checks![0]).toMatchObject({ check: 'errorRate', segment: 'x-country=de', result: 'fail' });
      expect(text).toMatch(/^error rate of x-country=de is /);
    });

    it('whose labels come late, out of order and not all is promoted all the same', async () => {
      const story = rollout({
        model: 'late-labels',
        labelDelayMs: (random) => (random() < 0.3 ? null : 1_500 * random() ** 2),
      });
      await story.then.promoted();
    });

    it('that is paused is rolled back when the version fails meanwhile', async () => {
      const story = rollout({ model: 'fails-paused', steps: [0.3, 1] });
      await story.when.canaryHas(0.3).when.told('pause').then.paused();
      await story.when.canaryErrorsRise(0.4).then.rolledBack('errors-too-many');
    });
  });
}

function teller(world: () => World): (plan: Given) => Story {
  const told: Story[] = [];
  afterAll(() => Promise.all(told.map((story) => story.close())));
  return (plan) => {
    const story = given.rollout(world(), plan);
    told.push(story);
    return story;
  };
}

/**
 * The decision topic alone tells the whole history, in order, with the evidence it rests on. On a machine that is busy
 * with other things records come late and a rollout may rightly be held for that: such holds are in no story.
 */
export function expectHistory(decisions: readonly Decision[], actions: readonly Decision['action'][]): void {
  const isHold = ({ action, reason }: Decision): boolean =>
    action === 'released' || (action === 'held' && COMES_LATE.has(reason.code));
  expect(decisions.filter((decision) => !isHold(decision)).map(({ action }) => action)).toEqual(actions);
  expect(decisions.map(({ sequence }) => sequence)).toEqual(decisions.map((_, i) => i + 1));
  decisions.slice(1).forEach(({ from }, i) => expect(positive(from)).toEqual(positive(decisions[i]!.to)));
  for (const decision of decisions) {
    const { cause, reason } = decision;
    if (cause.kind !== 'verdict' || isHold(decision)) continue;
    expect(reason.checks!.length).toBeGreaterThan(0);
    expect(reason.checks!.some(({ canary }) => canary.n > 0)).toBe(true);
  }
}

/** Reasons of holds that a slow machine is enough for. Not among them: losses, a wrong split, both versions failing, drift. */
const COMES_LATE = new Set(['evaluator-silent', 'stale', 'no-traffic', 'no-canary-traffic', 'no-control-traffic', 'no-labels']); // prettier-ignore

/** A version that gets nothing may be left out. */
const positive = (weights: Decision['to']): Decision['to'] =>
  Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
