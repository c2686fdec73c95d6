import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  type BusRecord,
  CanaryError,
  decodeRecordLine,
  type PartitionOffsets,
  type RecordsHeader,
  recordsHeaderCodec,
  type TopicNames,
  topicNames,
  type TopicRole,
} from '@app/shared';
import type { Reading, RecordSource, SourceBatch } from './record-source.js';

const RECORDS_PER_BATCH = 1_000;

/** A file that `canaryctl export` wrote; it is read once for each topic. */
export class FileSource implements RecordSource {
  readonly topics: TopicNames;
  readonly controlPartitions: number;

  private constructor(
    private readonly path: string,
    private readonly header: RecordsHeader,
  ) {
    this.topics = topicNames('', header.topics);
    this.controlPartitions = header.controlPartitions;
  }

  /** Throws CanaryError `unreadable-file` or `bad-records-file`. */
  static async open(path: string): Promise<FileSource> {
    const [first] = await firstLines(path);
    const header = recordsHeaderCodec.decode(Buffer.from(first ?? ''));
    if (header.ok) return new FileSource(path, header.value);
    const why = header.problems.map(({ message }) => message).join('; ');
    throw new CanaryError(
      'bad-records-file',
      `${path}: the first line says what the file holds, as canaryctl export writes it: ${why}`,
    );
  }

  get model(): string {
    return this.header.model;
  }

  offsets(role: TopicRole): Promise<readonly PartitionOffsets[]> {
    const of = this.header.partitions.filter(({ topic }) => topic === this.topics[role]);
    return Promise.resolve(of.map(({ partition, low, end }) => ({ partition, low, end })));
  }

  async read(role: TopicRole, { partitions }: Reading, onBatch: (batch: SourceBatch) => void): Promise<void> {
    const batches = new Map<number, PartitionBatch>();
    for (const { partition, low } of await this.offsets(role))
      if (partitions?.includes(partition) ?? true) batches.set(partition, new PartitionBatch(partition, low, onBatch));
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(this.path), crlfDelay: Infinity })) {
      if (number++ === 0 || line === '') continue;
      const decoded = decodeRecordLine(line);
      if (!decoded.ok)
        throw new CanaryError(
          'bad-records-file',
          `${this.path}:${number}: ${decoded.problems[0]?.message ?? 'no record'}`,
        );
      const { at, record } = decoded.value;
      if (at.topic !== this.topics[role]) continue;
      const batch = batches.get(at.partition);
      if (batch && !batch.add(record))
        throw new CanaryError(
          'bad-records-file',
          `${this.path}:${number}: records of a partition stand in the order of their offsets`,
        );
    }
    for (const batch of batches.values()) batch.flush();
    // The positions after the last records: markers and whatever else has no line.
    for (const { partition, end } of await this.offsets(role)) batches.get(partition)?.finish(end);
  }
}

/** Records of one partition until they are worth a batch. */
class PartitionBatch {
  private records: BusRecord[] = [];

  constructor(
    private readonly partition: number,
    private position: number,
    private readonly onBatch: (batch: SourceBatch) => void,
  ) {}

  /** False: the record stands below the one before it. */
  add(record: BusRecord): boolean {
    if (record.offset < (this.records.at(-1)?.offset ?? this.position - 1) + 1) return false;
    this.records.push(record);
    if (this.records.length >= RECORDS_PER_BATCH) this.flush();
    return true;
  }

  flush(): void {
    const last = this.records.at(-1);
    if (last) this.hand(last.offset + 1);
  }

  finish(end: number): void {
    if (end > this.position) this.hand(end);
  }

  private hand(nextOffset: number): void {
    const { partition, records, position } = this;
    this.records = [];
    this.position = nextOffset;
    this.onBatch({ partition, fetchedOffset: position, records, nextOffset });
  }
}

async function firstLines(path: string): Promise<string[]> {
  try {
    await using file = await open(path);
    for await (const line of file.readLines()) return [line];
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CanaryError('unreadable-file', `${path} cannot be read (${code ?? message})`);
  }
}
