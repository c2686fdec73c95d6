import { type BusRecord, type DeadLetter, deadLetterCodec, type MessageBus, type TopicRole } from '@app/shared';
import { readTopic } from './driver/topic-reader.js';
import { until, type World } from './driver/world.js';

/** Nothing that any service could use, whatever the topic. */
const RUBBISH: Readonly<Record<string, Buffer | null>> = {
  'not-json': Buffer.from('{"kind": "outcome", '),
  'not-an-object': Buffer.from('[1, 2, 3]'),
  'wrong-types': Buffer.from(JSON.stringify({ kind: 7, schemaVersion: 1, model: 5, predictionId: 9, commandId: [] })),
  '900-kb': Buffer.alloc(900_000, 0xfe),
  tombstone: null,
};

const OUTCOME = {
  kind: 'outcome',
  schemaVersion: 1,
  predictionId: 'p',
  model: 'promoted',
  version: 'v1',
  generation: 1,
  router: 'a-router-that-never-was',
  lane: 0,
  sequence: 0,
  bucket: 0,
  unit: 1,
  routedAt: Date.now(),
  latencyMs: 5,
  status: 'ok',
  httpStatus: 200,
};
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** What only looks right, by topic. */
const LIES: Partial<Record<TopicRole, Readonly<Record<string, Buffer>>>> = {
  outcome: {
    'negative-latency': json({ ...OUTCOME, latencyMs: -1 }),
    'unknown-model': json({ ...OUTCOME, model: 'nobody-knows-it', sequence: 1 }),
    'unknown-version': json({ ...OUTCOME, version: 'v9', sequence: 2 }),
  },
  label: {
    'forged-id': json({ predictionId: `AAAA${'x'.repeat(56)}`, label: 3 }),
    'truncated-id': json({ predictionId: 'AAAAxxxx', label: 3 }),
  },
};

export const POISONED: readonly TopicRole[] = ['outcome', 'label', 'verdict', 'command'];
const DEAD_LETTERS_MS_MAX = 60_000;

/** Puts every kind of bad record into every topic that a service reads; resolves with where they came to stand. */
export async function putBadRecords({ bus, topics }: World): Promise<readonly string[]> {
  const producer = bus.producer();
  const keys = new Set<string>();
  for (const role of POISONED)
    for (const [name, value] of Object.entries({ ...RUBBISH, ...LIES[role] })) {
      const key = `bad-${role}-${name}`;
      keys.add(key);
      // In partition 0: the one that real outcomes and labels come to as well.
      await producer.send([{ topic: topics[role], partition: 0, key, value }]);
    }
  await producer.close();
  const places = await Promise.all(POISONED.map((role) => placesOf(bus, topics[role], keys)));
  return places.flat();
}

/** The dead letters of those records, once all have come; throws with those that have not. */
export async function deadLettersOf({ bus, topics }: World, places: readonly string[]): Promise<readonly DeadLetter[]> {
  let missing = places;
  const look = async (): Promise<readonly DeadLetter[] | null> => {
    const letters = (await readTopic(bus, topics.deadLetter, deadLetterCodec)).map(({ decoded }) => decoded);
    const byPlace = new Map(letters.map((letter) => [`${letter.topic}/${letter.partition}/${letter.offset}`, letter]));
    missing = places.filter((place) => !byPlace.has(place));
    return missing.length === 0 ? places.map((place) => byPlace.get(place)!) : null;
  };
  return until('a dead letter of every bad record', look, { withinMs: DEAD_LETTERS_MS_MAX }).catch((error: unknown) => {
    throw new Error(`no dead letter of ${missing.join(', ')}`, { cause: error });
  });
}

/** `topic/partition/offset` of the records with these keys. */
async function placesOf(bus: MessageBus, topic: string, keys: ReadonlySet<string>): Promise<readonly string[]> {
  const places: string[] = [];
  const note = (partition: number, { key, offset }: BusRecord): void => {
    if (key && keys.has(key.toString())) places.push(`${topic}/${partition}/${offset}`);
  };
  const follower = bus.follower({
    topics: [topic],
    onBatch: ({ partition, records }) => records.forEach((record) => note(partition, record)),
  });
  await follower.caughtUp();
  await follower.close();
  return places;
}
