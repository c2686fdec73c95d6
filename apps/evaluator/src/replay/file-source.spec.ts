import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecordLine, recordsHeaderCodec, topicNames } from '@app/shared';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from './file-source.js';
import type { SourceBatch } from './record-source.js';

const folder = mkdtempSync(join(tmpdir(), 'model-canary-records-'));
afterAll(() => rmSync(folder, { recursive: true }));

const topics = topicNames('team.');
const header = recordsHeaderCodec.encode({
  kind: 'records',
  schemaVersion: 1,
  model: 'digits',
  topics: { ...topics },
  controlPartitions: 3,
  partitions: [
    { topic: topics.outcome, partition: 0, low: 4, end: 12 },
    { topic: topics.outcome, partition: 1, low: 0, end: 0 },
    { topic: topics.label, partition: 0, low: 0, end: 1 },
  ],
});
const line = (topic: string, offset: number): string =>
  encodeRecordLine(
    { topic, partition: 0 },
    { offset, timestampMs: 1_000 + offset, key: null, value: Buffer.from(`${offset}`) },
  ).toString();

function fileOf(...lines: readonly string[]): string {
  const path = join(folder, `${lines.length}-${lines.at(-1)?.length}.jsonl`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function read(source: FileSource, role: 'outcome' | 'label'): Promise<SourceBatch[]> {
  const batches: SourceBatch[] = [];
  await source.read(role, {}, (batch) => void batches.push(batch));
  return batches;
}

describe('a file of records', () => {
  it('is read topic by topic, with the positions that the topics had', async () => {
    const path = fileOf(header.toString(), line(topics.outcome, 5), line(topics.label, 0), line(topics.outcome, 9));
    const source = await FileSource.open(path);
    expect(source).toMatchObject({
      model: 'digits',
      controlPartitions: 3,
      topics: { outcome: 'team.prediction-outcome' },
    });
    expect(await source.offsets('outcome')).toEqual([
      { partition: 0, low: 4, end: 12 },
      { partition: 1, low: 0, end: 0 },
    ]);
    const [records, rest, ...more] = await read(source, 'outcome');
    expect(records).toMatchObject({ partition: 0, fetchedOffset: 4, nextOffset: 10 });
    expect(records!.records.map(({ offset, timestampMs }) => [offset, timestampMs])).toEqual([
      [5, 1_005],
      [9, 1_009],
    ]);
    expect(rest).toEqual({ partition: 0, fetchedOffset: 10, records: [], nextOffset: 12 });
    expect(more).toEqual([]);
    expect(await read(source, 'label')).toHaveLength(1);
  });

  it('that is none, or is out of order, says where', async () => {
    await expect(FileSource.open(join(folder, 'none'))).rejects.toThrow(/none cannot be read \(ENOENT\)/);
    await expect(FileSource.open(fileOf('rubbish'))).rejects.toMatchObject({ code: 'bad-records-file' });
    const wrong = await FileSource.open(fileOf(header.toString(), line(topics.outcome, 9), line(topics.outcome, 5)));
    await expect(read(wrong, 'outcome')).rejects.toThrow(/:3: records of a partition stand in the order/);
    const broken = await FileSource.open(fileOf(header.toString(), '{"topic": 1}'));
    await expect(read(broken, 'outcome')).rejects.toThrow(/:2: /);
  });
});
