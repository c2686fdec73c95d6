import { Worker } from 'node:worker_threads';
import type { TopicNames, TopicRole } from '@app/shared';
import type { PlainReading } from './plain-reader.js';

/** A record as it stands in a topic. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that the topics hold, committed. Records of one partition come in order. */
export interface LogSource {
  /** Name of a topic, as dead letters have it. */
  topicOf(role: TopicRole): string;
  read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void>;
}

const READER = import.meta.url.endsWith('.ts')
  ? new URL('../../../dist/test/faults/oracle/plain-reader.js', import.meta.url)
  : new URL('./plain-reader.js', import.meta.url);

/** Reads with a plain consumer; see plain-reader.ts. */
export class KafkaLogSource implements LogSource {
  constructor(
    private readonly brokers: readonly string[],
    private readonly topics: TopicNames,
  ) {}

  topicOf(role: TopicRole): string {
    return this.topics[role];
  }

  async read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void> {
    const workerData: PlainReading = { brokers: this.brokers, topic: this.topics[role] };
    // A plain kafkajs sets timers that are over before they begin, and Node says so of each.
    const worker = new Worker(READER, { workerData, execArgv: ['--disable-warning=TimeoutNegativeWarning'] });
    const done = Promise.withResolvers<void>();
    worker.on('message', (records: readonly LogRecord[]) => {
      for (const record of records) onRecord({ ...record, value: record.value && Buffer.from(record.value) });
    });
    worker.on('error', (error) => done.reject(error));
    worker.on('exit', (code) => {
      if (code === 0) done.resolve();
      else done.reject(new Error(`the reader of ${this.topics[role]} ended with code ${code}`));
    });
    await done.promise;
  }
}

/** Records in memory: what a test has changed. */
export class MemoryLogSource implements LogSource {
  constructor(
    private readonly records: Readonly<Record<TopicRole, readonly LogRecord[]>>,
    private readonly topics: TopicNames,
  ) {}

  topicOf(role: TopicRole): string {
    return this.topics[role];
  }

  async read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void> {
    for (const record of this.records[role]) onRecord(record);
  }
}
