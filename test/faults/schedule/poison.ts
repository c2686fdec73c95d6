import { type BusProducer, type OutRecord, type TopicNames, TOPICS, type TopicRole } from '@app/shared';
import { POISON_KEY } from '../oracle/oracle.js';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Nothing that any service could use, whatever the topic. */
const RUBBISH: readonly (Buffer | null)[] = [
  Buffer.from('{"kind": "outcome", '),
  Buffer.from('[1, 2, 3]'),
  json({ kind: 7, schemaVersion: 1, model: 5, predictionId: 9, commandId: [] }),
  Buffer.alloc(200_000, 0xfe),
  Buffer.alloc(0),
  null,
];

const OUTCOME = {
  kind: 'outcome',
  schemaVersion: 1,
  predictionId: 'p',
  model: 'nobody-knows-it',
  version: 'v0',
  generation: 1,
  router: 'a-router-that-never-was-0',
  lane: 0,
  sequence: 0,
  unit: 1,
  routedAt: 1,
  latencyMs: 5,
  status: 'ok',
  httpStatus: 200,
};

/** What only looks right, by topic. */
const LIES: Partial<Record<TopicRole, readonly Buffer[]>> = {
  outcome: [json({ ...OUTCOME, latencyMs: -1 }), json({ ...OUTCOME, lane: 999 })],
  label: [json({ predictionId: `AAAA${'x'.repeat(56)}`, label: 3 }), json({ predictionId: 'AAAAxxxx', label: 3 })],
};

/** Puts bad records of every kind into every topic. Resolves when they stand there. */
export async function putPoison(
  producer: BusProducer,
  topics: TopicNames,
  { round, partition }: { readonly round: number; readonly partition: number },
): Promise<number> {
  const records: OutRecord[] = TOPICS.flatMap((role) =>
    [...RUBBISH, ...(LIES[role] ?? [])].map((value, i) => ({
      topic: topics[role],
      // The dead letters have one.
      partition: role === 'deadLetter' ? 0 : partition,
      key: `${POISON_KEY}${round}/${role}/${i}`,
      value,
    })),
  );
  await producer.send(records);
  return records.length;
}
