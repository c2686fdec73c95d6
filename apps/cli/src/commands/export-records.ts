import {
  checkTopics,
  configuredTopics,
  encodeRecordLine,
  loadConfig,
  type MessageBus,
  partitionOf,
  type PartitionOffsets,
  readTopic,
  recordsHeaderCodec,
  ServiceConfig,
  type TopicNames,
  type TopicRole,
} from '@app/shared';
import type { Terminal } from '../terminal.js';

/** Verdicts first: every cut that is exported rests on records that are exported after it. */
const ROLES = ['verdict', 'decision', 'state', 'outcome', 'label'] as const satisfies readonly TopicRole[];
type Exported = (typeof ROLES)[number];
const TOLD_EVERY_MS = 2_000;

interface ExportedPartition extends PartitionOffsets {
  readonly role: Exported;
  readonly topic: string;
}

/**
 * Writes to standard output what a replay of a model needs: its decisions, states and verdicts, the cuts of its owner, and
 * all outcomes and labels, because models share their partitions and a partition is folded as a whole.
 */
export async function exportRecords(terminal: Terminal, model: string): Promise<void> {
  const topics = configuredTopics(loadConfig(ServiceConfig, terminal.env));
  const bus = terminal.connectBus();
  try {
    const { controlPartitions } = await checkTopics(bus, topics, ROLES);
    const owner = partitionOf(model, controlPartitions);
    const partitions = await partitionsOf(bus, topics, owner);
    const header = recordsHeaderCodec.encode({
      kind: 'records',
      schemaVersion: 1,
      model,
      topics: { ...topics },
      controlPartitions,
      partitions: partitions.map(({ topic, partition, low, end }) => ({ topic, partition, low, end })),
    });
    terminal.stdout.write(`${header.toString()}\n`);
    for (const role of ROLES) {
      const wanted = partitions.filter((partition) => partition.role === role);
      await exportTopic(terminal, bus, wanted, (key) => isWanted(role, key, { model, owner }));
    }
  } finally {
    await bus.close();
  }
}

async function partitionsOf(bus: MessageBus, topics: TopicNames, owner: number): Promise<ExportedPartition[]> {
  const all: ExportedPartition[] = [];
  for (const role of ROLES) {
    const topic = topics[role];
    for (const offsets of await bus.offsets(topic))
      if (role === 'outcome' || role === 'label' || offsets.partition === owner) all.push({ ...offsets, role, topic });
  }
  return all;
}

function isWanted(role: Exported, key: string | undefined, of: { model: string; owner: number }): boolean {
  if (role === 'outcome' || role === 'label') return true;
  return key === of.model || (role === 'verdict' && key === String(of.owner));
}

async function exportTopic(
  terminal: Terminal,
  bus: MessageBus,
  partitions: readonly ExportedPartition[],
  wanted: (key: string | undefined) => boolean,
): Promise<void> {
  const topic = partitions[0]?.topic;
  if (topic === undefined) return;
  const ends = new Map(partitions.map(({ partition, end }) => [partition, end]));
  const upTo: number[] = [];
  for (const { partition, end } of partitions) upTo[partition] = end;
  const total = partitions.reduce((sum, { low, end }) => sum + end - low, 0);
  let done = 0;
  let toldMs = terminal.clock.monotonicMs();
  await readTopic(bus, {
    topic,
    partitions: [...ends.keys()],
    upTo,
    onBatch: (batch) => {
      let lines = '';
      for (const record of batch.records)
        if (record.offset < ends.get(batch.partition)! && wanted(record.key?.toString('utf8')))
          lines += `${encodeRecordLine(batch, record).toString()}\n`;
      if (lines !== '') terminal.stdout.write(lines);
      done += batch.records.length;
      const nowMs = terminal.clock.monotonicMs();
      if (nowMs - toldMs < TOLD_EVERY_MS) return;
      toldMs = nowMs;
      terminal.stderr.write(`${topic}: ${Math.min(done, total)} of ${total} records\n`);
    },
  });
}
