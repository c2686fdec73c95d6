import type { Command } from 'commander';
import {
  checkTopics,
  configuredTopics,
  createTopicsFor,
  loadConfig,
  ServiceConfig,
  TOPICS,
  TOPIC_TABLE,
} from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';
import { tableLines } from '../views/table.js';

interface CreateOptions {
  readonly dataPartitions: string;
  readonly controlPartitions: string;
  readonly replicationFactor: string;
}

const ALL_RIGHT = 'all topics are there and set up as they must be';

/** These talk to Kafka themselves, as KAFKA_BROKERS says: topics come before the controller. */
export function addTopicCommands(table: CommandTable, parent: Command): void {
  table
    .add<CreateOptions>(
      'create',
      {
        summary: 'create the topics that are missing (KAFKA_BROKERS, TOPIC_PREFIX, TOPIC_NAMES as for the services)',
        example: 'KAFKA_BROKERS=kafka-1:9092 canaryctl topics create --replication-factor 3',
      },
      create,
      ['text', 'json'],
      parent,
    )
    .option('--data-partitions <n>', 'partitions of outcomes and labels', '12')
    .option('--control-partitions <n>', 'partitions of all others; can never be changed later', '8')
    .option('--replication-factor <n>', 'copies of each record', '1');
  table.add(
    'check',
    {
      summary: 'say which topics are missing or set up in a way that would make verdicts wrong',
      example: 'KAFKA_BROKERS=kafka-1:9092 canaryctl topics check',
    },
    check,
    ['text', 'json'],
    parent,
  );
}

async function create(context: CommandContext, options: CreateOptions): Promise<number> {
  const names = configuredTopics(loadConfig(ServiceConfig, context.terminal.env));
  const bus = context.terminal.connectBus();
  try {
    await createTopicsFor(bus, names, {
      dataPartitions: readCount('--data-partitions', options.dataPartitions),
      controlPartitions: readCount('--control-partitions', options.controlPartitions),
      replicationFactor: readCount('--replication-factor', options.replicationFactor),
    });
    // What was there before is left as it is, so it may still be wrong.
    const checked = await checkTopics(bus, names);
    if (context.output === 'json') printJson(context.terminal, { topics: names, ...checked });
    else print(context.terminal, [...topicLines(names), ALL_RIGHT]);
    return EXIT.ok;
  } finally {
    await bus.close();
  }
}

async function check(context: CommandContext): Promise<number> {
  const names = configuredTopics(loadConfig(ServiceConfig, context.terminal.env));
  const bus = context.terminal.connectBus();
  try {
    const checked = await checkTopics(bus, names);
    if (context.output === 'json') printJson(context.terminal, { topics: names, ...checked });
    else print(context.terminal, [...topicLines(names), ALL_RIGHT]);
    return EXIT.ok;
  } finally {
    await bus.close();
  }
}

function topicLines(names: ReturnType<typeof configuredTopics>): string[] {
  return tableLines(
    ['TOPIC', 'KEY', 'WRITTEN BY', 'READ BY'],
    TOPICS.map((role) => [names[role], TOPIC_TABLE[role].key, TOPIC_TABLE[role].writtenBy, TOPIC_TABLE[role].readBy]),
  );
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 10_000) return count;
  throw new CliError('bad-count', `${name} ${text}: write a whole number from 1`, { exit: EXIT.usage });
}
