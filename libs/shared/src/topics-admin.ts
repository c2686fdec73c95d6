import { setTimeout as delay } from 'node:timers/promises';
import { isRefusal } from './bus/kafka/kafka-refusals.js';
import type { MessageBus, TopicDescription } from './bus/message-bus.js';
import { TOPIC_TABLE, TOPICS, type TopicDefinition, type TopicNames, type TopicRole } from './contracts/topics.js';
import { CanaryError } from './errors.js';
import type { Logger } from './logger.js';

export interface TopicCounts {
  /** Partitions of prediction-outcome and prediction-label. Default 12. */
  readonly dataPartitions?: number;
  /** Partitions of every control topic; never changed later. Default 8. */
  readonly controlPartitions?: number;
  /** Default 1; with 3 or more, two replicas must have a record before it is acknowledged. */
  readonly replicationFactor?: number;
}

export interface CheckedTopics {
  readonly dataPartitions: { readonly outcome: number; readonly label: number };
  readonly controlPartitions: number;
}

/** Creates the topics that are missing, as TOPIC_TABLE says; leaves those that exist as they are. */
export async function createTopicsFor(bus: MessageBus, names: TopicNames, counts: TopicCounts = {}): Promise<void> {
  const { dataPartitions = 12, controlPartitions = 8, replicationFactor = 1 } = counts;
  const partitions = { data: dataPartitions, control: controlPartitions, one: 1 };
  await bus.createTopics(
    TOPICS.map((role) => ({
      topic: names[role],
      partitions: partitions[TOPIC_TABLE[role].partitions],
      replicationFactor,
      config: topicConfig(TOPIC_TABLE[role], replicationFactor),
    })),
  );
}

/** Settings of a topic as it must be. */
export function topicConfig(definition: TopicDefinition, replicationFactor: number): Record<string, string> {
  const config: Record<string, string> = { 'cleanup.policy': definition.cleanupPolicy };
  if (definition.retentionMs !== null) config['retention.ms'] = String(definition.retentionMs);
  if (definition.logAppendTime) config['message.timestamp.type'] = 'LogAppendTime';
  if (definition.cleanupPolicy === 'compact') {
    // Only closed segments are compacted, and by default only when half of them is superseded: a reader from the
    // beginning would meet a week of old states.
    config['min.cleanable.dirty.ratio'] = '0.1';
    config['segment.ms'] = '600000';
  }
  if (replicationFactor >= 3) config['min.insync.replicas'] = '2';
  return config;
}

/**
 * Reads how the topics are set up and refuses what would make evidence or decisions wrong. Throws CanaryError
 * `missing-topic` or `wrong-topic-setting` that names every topic concerned and the remedy.
 */
export async function checkTopics(
  bus: MessageBus,
  names: TopicNames,
  roles: readonly TopicRole[] = TOPICS,
): Promise<CheckedTopics> {
  const described = await bus.describeTopics(roles.map((role) => names[role]));
  const byName = new Map(described.map((d) => [d.topic, d]));
  const missing = roles.map((role) => names[role]).filter((name) => !byName.has(name));
  const wrong = roles.flatMap((role) => {
    const topic = byName.get(names[role]);
    return topic ? settingProblems(TOPIC_TABLE[role], topic) : [];
  });
  const control = roles.filter((role) => TOPIC_TABLE[role].partitions === 'control').map((role) => names[role]);
  const controlCounts = control.flatMap((name) => byName.get(name)?.partitions ?? []);
  if (new Set(controlCounts).size > 1) {
    const list = control.map((name) => `${name} ${byName.get(name)?.partitions ?? 'missing'}`).join(', ');
    wrong.push(`the control topics must have the same number of partitions: ${list}; create them anew with one number`);
  }
  if (missing.length > 0) {
    throw new CanaryError(
      'missing-topic',
      [`these topics do not exist: ${missing.join(', ')}; create them with: canaryctl topics create`, ...wrong].join(
        '\n',
      ),
    );
  }
  if (wrong.length > 0) throw new CanaryError('wrong-topic-setting', wrong.join('\n'));
  return {
    dataPartitions: {
      outcome: byName.get(names.outcome)?.partitions ?? 0,
      label: byName.get(names.label)?.partitions ?? 0,
    },
    controlPartitions: controlCounts[0] ?? 0,
  };
}

/** How often a Kafka that does not answer is asked again. */
const ASK_AGAIN_MS = 1000;
/** What waiting does not mend. */
const isFinal = (error: unknown): boolean =>
  isRefusal(error) ||
  (error instanceof CanaryError && (error.code === 'missing-topic' || error.code === 'wrong-topic-setting'));

/**
 * checkTopics() for a start that needs Kafka: waits for as long as it does not answer, and says so. Rejects with what a
 * person must put right: missing or wrong topics, a refused login, certificate or permission.
 */
export async function checkTopicsOnceThere(
  bus: MessageBus,
  names: TopicNames,
  roles: readonly TopicRole[],
  logger: Logger,
): Promise<CheckedTopics> {
  for (let waiting = false; ; waiting = true) {
    try {
      return await checkTopics(bus, names, roles);
    } catch (error) {
      if (isFinal(error)) throw error;
      if (!waiting) logger.warn({ err: error }, 'Kafka does not answer: waiting for it');
    }
    await delay(ASK_AGAIN_MS);
  }
}

function settingProblems(definition: TopicDefinition, topic: TopicDescription): string[] {
  const problems: string[] = [];
  const expect = (setting: string, wanted: string, because: string): void => {
    const actual = topic.config[setting] ?? 'unknown';
    if (actual === wanted) return;
    problems.push(
      `${topic.topic}: ${setting} is ${actual} and must be ${wanted}, ${because}; set it with: ` +
        `kafka-configs --alter --topic ${topic.topic} --add-config ${setting}=${wanted} ` +
        '(canaryctl topics create makes new topics so)',
    );
  };
  if (definition.logAppendTime) {
    expect('message.timestamp.type', 'LogAppendTime', "because the evaluator's time is the log's");
  }
  expect(
    'cleanup.policy',
    definition.cleanupPolicy,
    definition.cleanupPolicy === 'compact' ? 'or the newest state would be deleted' : 'or its history would be lost',
  );
  return problems;
}
