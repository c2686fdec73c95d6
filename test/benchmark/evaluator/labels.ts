import type { Redis } from 'ioredis';
import { say } from '../framework/context.js';
import { ratioSpread } from '../framework/figures.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { evaluators } from './evaluators.js';
import { measure } from './measure.js';
import { type At, labelTrack } from './tracks.js';

const DAY_MS = 86_400_000;
const LATE_MS = 30 * DAY_MS;
const WITHIN_MS = 300_000;
/** A rollout that waits for truth as long as that. */
const LONG_WITHIN_MS = 31 * DAY_MS;
const GOAL_US = 4;
const GOAL_RATIO = 1.1;
const FRESH = 'fresh labels';
const LATE = 'labels 30 days late, too late to count';
const LATE_COUNTED = 'labels 30 days late, counted';

/** What it costs to join labels with the predictions they name. */
export async function labels(at: At, redis: Redis, { rounds, short }: BenchmarkOptions): Promise<Section> {
  const of = { labels: short ? 5_000 : 600_000, delayMs: 0, labelsWithinMs: WITHIN_MS };
  const all = [
    { name: FRESH, track: await labelTrack(at, { ...of, name: 'fresh' }) },
    ...(short ? [] : [{ name: LATE, track: await labelTrack(at, { ...of, name: 'late', delayMs: LATE_MS }) }]),
    {
      name: LATE_COUNTED,
      track: await labelTrack(at, { ...of, name: 'counted', delayMs: LATE_MS, labelsWithinMs: LONG_WITHIN_MS }),
    },
  ];
  const samples = await inTurns(all, { rounds, warmUps: 0 }, ({ name, track }) => {
    say(`  ${name} ...`);
    return measure(evaluators({ name, redis }), track, redis);
  });
  const cpuUs = (name: string): readonly number[] => samples.get(name)?.map((sample) => sample.cpuUs) ?? [];
  return {
    title: 'Evaluator: CPU per label',
    rows: [
      row(FRESH, cpuUs(FRESH), 'us', { atMost: GOAL_US }),
      ...[LATE, LATE_COUNTED].map((name) => row(name, cpuUs(name), 'us')),
      ...[LATE, LATE_COUNTED].map((name) => row(`${name} / fresh`, ratioSpread(cpuUs(name), cpuUs(FRESH)), '', { atMost: GOAL_RATIO })), // prettier-ignore
      row(
        'Redis, CPU per fresh label',
        samples.get(FRESH)!.map((sample) => sample.redisUs),
        'us',
      ),
    ],
  };
}
