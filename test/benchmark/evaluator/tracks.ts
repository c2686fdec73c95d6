import {
  createTopicsFor,
  KafkaBus,
  type RolloutState,
  rolloutStateCodec,
  silentLogger,
  type TopicNames,
  topicNames,
} from '@app/shared';
import { say } from '../framework/context.js';
import { writeBacklog } from './backlog.js';
import type { Track } from './contestant.js';
import { labelRecords } from './labellers.js';
import { modelName, routerRecords, type RoutedRecord } from './routers.js';
import { benchmarkState, ROLLOUTS_MAX } from './states.js';
import { OWNERS } from './unguarded-slot-store.js';

export const PARTITIONS = 12;
const PREDICTIONS_PER_SECOND = 20_000;
const ROUTERS = 4;

export type At = Pick<Track, 'brokers' | 'redisUrl' | 'folder' | 'guard'>;

export interface OutcomeTrack {
  /** Part of names of topics. */
  readonly name: string;
  readonly models: number;
  readonly versions: number;
  readonly outcomes: number;
}

/** Topics of its own with the models' states and a backlog of outcomes, as routers write them. */
export async function outcomeTrack(at: At, { name, models, versions, outcomes }: OutcomeTrack): Promise<Track> {
  say(`  writing ${outcomes} outcomes of ${models} models with ${versions} versions each ...`);
  const states = Array.from({ length: models }, (_, i) =>
    benchmarkState(modelName(i), { versions, hasRollout: i < ROLLOUTS_MAX }),
  );
  const source = routerRecords({
    models,
    stableShare: versions === 2 ? 0.9 : 1 / versions,
    versions,
    outcomes,
    predictionsPerSecond: PREDICTIONS_PER_SECOND,
    partitions: PARTITIONS,
    routers: ROUTERS,
    fromMs: Math.floor(Date.now() - (outcomes / PREDICTIONS_PER_SECOND) * 1000),
    seed: 1,
  });
  return makeTrack(at, { name, kind: 'outcome', states, items: outcomes, source });
}

export interface LabelTrack {
  /** Part of names of topics. */
  readonly name: string;
  readonly labels: number;
  /** From the prediction to its label. */
  readonly delayMs: number;
  /** Of the rollout's accuracy check. */
  readonly labelsWithinMs: number;
}

/** Topics of its own with labels of one model's predictions, all of them late by the same time. */
export async function labelTrack(at: At, { name, labels, delayMs, labelsWithinMs }: LabelTrack): Promise<Track> {
  say(`  writing ${labels} labels, ${name} ...`);
  const model = modelName(0);
  const source = labelRecords({
    model,
    labels,
    perSecond: PREDICTIONS_PER_SECOND,
    untilMs: Date.now() - delayMs,
    partitions: PARTITIONS,
    seed: 1,
  });
  const states = [benchmarkState(model, { versions: 2, hasRollout: true, labelsWithinMs })];
  return makeTrack(at, { name, kind: 'label', states, items: labels, source });
}

async function makeTrack(
  at: At,
  of: {
    readonly name: string;
    readonly kind: Track['kind'];
    readonly states: readonly RolloutState[];
    readonly items: number;
    readonly source: Iterable<RoutedRecord>;
  },
): Promise<Track> {
  const topicPrefix = `bench-${process.pid}-${of.name}.`;
  const topics: TopicNames = topicNames(topicPrefix);
  const bus = new KafkaBus({ brokers: at.brokers.split(','), clientId: 'bench', logger: silentLogger });
  try {
    await createTopicsFor(bus, topics, { dataPartitions: PARTITIONS, controlPartitions: OWNERS });
    const producer = bus.producer();
    await producer.send(
      of.states.map((state) => ({ topic: topics.state, key: state.model, value: rolloutStateCodec.encode(state) })),
    );
    await producer.close();
    const topic = topics[of.kind];
    const { records } = await writeBacklog(bus, topic, of.source);
    return { ...at, topicPrefix, kind: of.kind, topic, partitions: PARTITIONS, records, items: of.items };
  } finally {
    await bus.close();
  }
}
