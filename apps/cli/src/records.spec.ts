import {
  createTopicsFor,
  decodeRecordLine,
  ManualClock,
  MemoryBus,
  partitionOf,
  type ReplayLine,
  type ReplaySummary,
  type ReplayVerdict,
  recordsHeaderCodec,
  topicNames,
} from '@app/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { replayLines } from './replay-process.js';
import { runAtTerminal } from './testing/fake-terminal.js';

const AT = new Date(2026, 10, 22, 14, 2, 11, 250).getTime();
const FILE = `
model: digits
stable: { version: v1, url: http://a:1 }
canary: { version: v2, url: http://b:2 }
steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 } }]
`;
const continues = { result: 'continue', code: 'evidence-growing', text: 'evidence grows' } as const;
const fails = { result: 'fail', code: 'errors-too-many', text: 'too many errors' } as const;
const verdict: ReplayVerdict = {
  kind: 'verdict',
  cut: 1,
  asOf: AT,
  rollout: 'digits-4',
  step: 0,
  given: continues,
  replayed: continues,
  equal: 'bytes',
};
const summary: ReplaySummary = {
  kind: 'summary',
  model: 'digits',
  rollouts: ['digits-4'],
  cuts: 1_200,
  verdicts: 3,
  identical: 3,
  sameRuling: 0,
  otherFile: false,
  engineVersion: '2',
  givenEngineVersions: ['2'],
  milestones: [],
  firstDifference: null,
};
const identical: ReplayLine[] = [
  { kind: 'progress', doing: 'outcomes', done: 500_000, total: 2_000_000 },
  verdict,
  { ...verdict, cut: 2 },
  { ...verdict, cut: 3, asOf: AT + 1_000, given: fails, replayed: fails },
  {
    ...summary,
    milestones: [
      { rollout: 'digits-4', step: 0, result: 'fail', givenAt: AT, replayedAt: AT, code: 'errors-too-many' },
    ],
  },
];
const different: ReplayLine[] = [
  {
    kind: 'gap',
    topic: 'prediction-outcome',
    partition: 3,
    from: 812,
    fromMs: AT,
    text: 'begins at offset 812: what came before is gone',
  },
  verdict,
  { ...verdict, cut: 2, equal: 'ruling' },
  { ...verdict, cut: 3, given: fails, equal: 'no' },
  {
    ...summary,
    identical: 1,
    sameRuling: 1,
    givenEngineVersions: ['1'],
    milestones: [
      { rollout: 'digits-4', step: 0, result: 'fail', givenAt: AT, replayedAt: null, code: 'errors-too-many' },
    ],
    firstDifference: { cut: 2, asOf: AT, given: '"n":10', replayed: '"n":11' },
  },
];

const bus = new MemoryBus({ clock: new ManualClock(AT) });
afterEach(() => bus.close());

async function run(command: string, lines: readonly ReplayLine[] = [], env: Record<string, string> = {}) {
  let args: readonly string[] = [];
  const done = await runAtTerminal(command.split(' '), {
    env,
    clock: new ManualClock(AT),
    readFile: async () => FILE,
    connectBus: () => bus,
    replay: async function* (given) {
      args = given;
      for (const line of lines) yield JSON.stringify(line);
    },
  });
  return { ...done, args };
}

describe('canaryctl replay', () => {
  it('that gives the same says so, with what was decided when', async () => {
    const { exit, out, err, args } = await run('replay digits --from-topic', identical);
    expect([exit, args]).toEqual([0, ['--model', 'digits']]);
    expect(out).toMatch(/2026-11-22 14:02:11.250 +digits-4 +1 +2 +continue \(evidence-growing\) +the same\n/);
    expect(out).toMatch(/14:02:12.250 +digits-4 +1 +1 +fail \(errors-too-many\) +the same\n/);
    expect(out).toContain('digits: 3 verdicts in 1,200 cuts: 3 identical');
    expect(out).toMatch(/fail \(errors-too-many\) +digits-4 +1 +2026-11-22 14:02:11.250 +2026-11-22 14:02:11.250/);
    expect(err).toBe('reading outcomes: 500,000 of 2,000,000 (25 %)\n');
  });

  it('that differs says where, what is missing, and that the engine is another', async () => {
    const { exit, out, err } = await run('replay digits --from-topic', different);
    expect(exit).toBe(2);
    expect(err).toMatch(/warning prediction-outcome\/3 begins at offset 812.*\(from 2026-11-22 14:02:11.250 on\)/);
    expect(out).toMatch(/fail \(errors-too-many\) +continue \(evidence-growing\)/);
    expect(out).toContain('1 identical, 1 with the same result and other figures, 1 with another result');
    expect(out).toContain('given by engine 1, replayed by 2');
    expect(out).toMatch(/first difference at .*, cut 2:\n {2}given {5}"n":10\n {2}replayed {2}"n":11/);
    expect(out).toContain('records are missing, as warned above');
    expect(out).toMatch(/fail \(errors-too-many\) +digits-4 +1 +2026.* +never/);
  });

  it('of another file compares results, not figures', async () => {
    const lines: ReplayLine[] = [
      { ...verdict, equal: 'ruling' },
      { ...summary, verdicts: 1, identical: 0, sameRuling: 1, otherFile: true },
    ];
    const { exit, out, args } = await run('replay --records records.jsonl -f rollout.yaml --rollout digits-4', lines);
    expect([exit, args]).toEqual([
      0,
      ['--records', 'records.jsonl', '--file', 'rollout.yaml', '--rollout', 'digits-4'],
    ]);
    expect(out).toMatch(/judged by the other file: 0 identical, 1 with the same result/);
  });

  it('gives everything as JSON', async () => {
    const { exit, out } = await run('replay digits --from-topic -o json', different);
    const printed = JSON.parse(out) as { gaps: unknown[]; verdicts: unknown[]; summary: unknown };
    expect(exit).toBe(2);
    expect(printed).toMatchObject({ gaps: [{ from: 812 }], summary: { identical: 1 } });
    expect(printed.verdicts).toHaveLength(3);
  });

  it('needs to know where the records are', async () => {
    expect(await run('replay digits')).toMatchObject({
      exit: 64,
      err: expect.stringMatching(/--from-topic, or --records/) as string,
    });
    expect(await run('replay --from-topic')).toMatchObject({
      exit: 64,
      err: expect.stringMatching(/name the model/) as string,
    });
    expect((await run('replay digits --from-topic --records x')).exit).toBe(64);
  });

  it('that fails tells why', async () => {
    const failed: ReplayLine = { kind: 'failed', code: 'nothing-to-replay', message: 'no verdicts of digits' };
    expect(await run('replay digits --from-topic', [failed])).toMatchObject({
      exit: 1,
      err: 'error: no verdicts of digits\n',
    });
    expect((await run('replay digits --from-topic', [])).err).toMatch(/ended without a result/);
  });

  it('says how to build the program where it is not there', async () => {
    const lines = replayLines([], { env: {}, signal: new AbortController().signal, program: '/nowhere/main.js' });
    await expect(lines.next()).rejects.toMatchObject({ code: 'not-built' });
  });
});

describe('canaryctl export', () => {
  it('writes a header, the records of the model and all outcomes and labels, with their bytes', async () => {
    const topics = topicNames();
    await createTopicsFor(bus, topics, { dataPartitions: 2, controlPartitions: 3 });
    const owner = partitionOf('digits', 3);
    const producer = bus.producer();
    const value = Buffer.from('{"a": 1}');
    await producer.send([
      { topic: topics.verdict, partition: owner, key: String(owner), value },
      { topic: topics.verdict, partition: owner, key: 'digits', value },
      { topic: topics.verdict, partition: owner, key: 'another', value },
      { topic: topics.decision, key: 'digits', value },
      { topic: topics.outcome, partition: 1, key: null, value: Buffer.from([0xff]) },
      { topic: topics.label, partition: 0, key: 'id', value },
    ]);
    await producer.close();
    const { exit, out } = await run('export digits', [], { KAFKA_BROKERS: 'memory:1' });
    expect(exit).toBe(0);
    const [first, ...lines] = out.trimEnd().split('\n');
    const header = recordsHeaderCodec.decode(Buffer.from(first!));
    expect(header).toMatchObject({ ok: true, value: { model: 'digits', controlPartitions: 3 } });
    expect(header.ok && header.value.partitions).toContainEqual({
      topic: topics.verdict,
      partition: owner,
      low: 0,
      end: 3,
    });
    const records = lines.map((line) => decodeRecordLine(line)).map((line) => (line.ok ? line.value : null)!);
    expect(records.map(({ at, record }) => `${at.topic} ${record.key?.toString() ?? '-'}`)).toEqual([
      `${topics.verdict} ${owner}`,
      `${topics.verdict} digits`,
      `${topics.decision} digits`,
      `${topics.outcome} -`,
      `${topics.label} id`,
    ]);
    expect(records[3]!.record.value).toEqual(Buffer.from([0xff]));
  });
});
