import type { Redis } from 'ioredis';
import { say } from '../framework/context.js';
import { ratioSpread } from '../framework/figures.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { type Goal, row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import type { Contestant, Track } from './contestant.js';
import { evaluators, UNGUARDED } from './evaluators.js';
import { measure } from './measure.js';
import { kafkajsPeer, streamsClassPath, streamsPeer } from './peers.js';

const OURS = 'evaluator, exactly once';
const UNGUARDED_OURS = 'evaluator, without positions';
const COUNT = 'kafkajs, count only';
const FOLD = 'kafkajs + JSON.parse + Map';
const PROCESSOR = 'Kafka Streams processor, exactly once';
const DSL = 'Kafka Streams DSL, exactly once';
const GOAL_US = 3;
const GOAL_REDIS_US = 0.3;
/** At the end, to when 40 % were read. */
const GOAL_MEMORY = 1.1;
/** What is compared with, and the goal of our ratio to it. */
const PEERS: readonly (readonly [string, Goal?])[] = [
  [COUNT],
  [FOLD],
  [PROCESSOR],
  [DSL, { atMost: 1 }],
  [UNGUARDED_OURS, { atMost: 1.05 }],
];

/** All outcomes of ten models by everybody. */
export async function besideOthers(track: Track, redis: Redis, { rounds, short }: BenchmarkOptions): Promise<Section> {
  const streams = short
    ? { missing: 'Kafka Streams is left out of the short form.' }
    : await streamsClassPath(track.folder, say);
  const contestants: readonly Contestant[] = [
    kafkajsPeer(COUNT, 'count'),
    kafkajsPeer(FOLD, 'fold'),
    ...('classPath' in streams
      ? [streamsPeer(PROCESSOR, 'processor', streams.classPath), streamsPeer(DSL, 'dsl', streams.classPath)]
      : []),
    evaluators({ name: UNGUARDED_OURS, redis, main: UNGUARDED }),
    evaluators({ name: OURS, redis }),
  ];
  const samples = await inTurns(contestants, { rounds, warmUps: 0 }, (contestant) => {
    say(`  ${contestant.name} ...`);
    return measure(contestant, track, redis);
  });
  const cpuUs = (name: string): readonly number[] => samples.get(name)?.map((sample) => sample.cpuUs) ?? [];
  const ours = samples.get(OURS)!;
  const memory = ours.map(({ residentMib: [before, after] }) => after / before);
  return {
    title: `Evaluator: CPU per outcome, ${track.items.toLocaleString('en-US')} of 10 models in ${track.partitions} partitions`,
    rows: [
      ...PEERS.map(([name]) => row(name, cpuUs(name), 'us')),
      row(OURS, cpuUs(OURS), 'us', { atMost: GOAL_US }),
      ...PEERS.map(([name, goal]) => row(`evaluator / ${name}`, ratioSpread(cpuUs(OURS), cpuUs(name)), '', goal)),
      row(
        'Redis, CPU per outcome',
        ours.map((sample) => sample.redisUs),
        'us',
        { atMost: GOAL_REDIS_US },
      ),
      row(
        'outcomes/s, as they came',
        ours.map((sample) => sample.perSecond),
        '',
      ),
      row('memory at the end / at 40 %', memory, '', { atMost: GOAL_MEMORY }),
      row(
        'memory at the end',
        ours.map(({ residentMib: [, after] }) => after),
        'MiB',
      ),
    ],
    notes: 'missing' in streams ? [streams.missing] : [],
  };
}
