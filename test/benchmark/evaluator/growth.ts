import type { Redis } from 'ioredis';
import { say } from '../framework/context.js';
import { ratioSpread } from '../framework/figures.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Section } from '../framework/report.js';
import { inTurns, type Named } from '../framework/rounds.js';
import type { Track } from './contestant.js';
import { evaluators } from './evaluators.js';
import { measure } from './measure.js';
import { type At, outcomeTrack } from './tracks.js';

const GOAL_RATIO = 1.1;
const MODELS = 1_000;
const VERSIONS = 50;

interface Grown extends Named {
  readonly track: Track;
  readonly processes: number;
}

/**
 * Each kind with a topic of its own. The cost per record: rarer predictions of a model make smaller buckets, which brings
 * more bucket records.
 */
export async function growth(at: At, redis: Redis, { rounds, short }: BenchmarkOptions): Promise<Section> {
  const all = await grown(at, short);
  const samples = await inTurns(all, { rounds, warmUps: 0 }, ({ name, track, processes }) => {
    say(`  ${name} ...`);
    return measure(evaluators({ name, redis, processes }), track, redis);
  });
  const [first, ...others] = all;
  const cpuUs = (name: string): readonly number[] => samples.get(name)!.map((sample) => sample.cpuUsPerRecord);
  const memory = (name: string): readonly number[] => samples.get(name)!.map(({ residentMib: [, after] }) => after);
  return {
    title: 'Evaluator: CPU per record with more models, versions, evaluators',
    rows: [
      ...all.map(({ name }) => row(name, cpuUs(name), 'us')),
      ...others.map(({ name }) => row(`${name} / ${first!.name}`, ratioSpread(cpuUs(name), cpuUs(first!.name)), '', { atMost: GOAL_RATIO })), // prettier-ignore
      ...all.map(({ name }) => row(`memory: ${name}`, memory(name), 'MiB')),
    ],
    notes: [`Records per outcome: ${all.map(({ name, track }) => `${(track.records / track.items).toFixed(2)} (${name})`).join(', ')}.`], // prettier-ignore
  };
}

async function grown(at: At, short: boolean): Promise<readonly Grown[]> {
  // As many of each, so that each is compiled as far when it is measured; so many that two that share them are, too.
  const outcomes = short ? 20_000 : 1_200_000;
  const track = await outcomeTrack(at, { name: 'one', models: 1, versions: 2, outcomes });
  const many = await outcomeTrack(at, { name: 'many', models: MODELS, versions: 2, outcomes });
  const all = [
    { name: '1 model with 2 versions', track, processes: 1 },
    { name: 'two evaluators', track, processes: 2 },
    { name: `${MODELS.toLocaleString('en-US')} models`, track: many, processes: 1 },
  ];
  if (short) return all;
  const versions = await outcomeTrack(at, { name: 'versions', models: 1, versions: VERSIONS, outcomes });
  return [...all, { name: `${VERSIONS} versions`, track: versions, processes: 1 }];
}
