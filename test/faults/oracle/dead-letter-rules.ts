import { type DeadLetter, deadLetterCodec, type TopicRole } from '@app/shared';
import type { Differences } from './differences.js';
import type { LogRecord, LogSource } from './log-source.js';

/** Topics whose bad records somebody has to report. */
export const REPORTED: readonly TopicRole[] = ['outcome', 'label', 'verdict', 'command', 'state'];

/** Bad records by topic, as `partition/offset`, each with what is wrong. */
export type Refused = ReadonlyMap<TopicRole, ReadonlyMap<string, string>>;

/** Every bad record has a dead letter that says where it stood and why, and no good record has one. */
export async function checkDeadLetters(
  source: LogSource,
  isPoison: (record: LogRecord) => boolean,
  refused: Refused,
  differences: Differences,
): Promise<number> {
  const letters = new Map<string, DeadLetter>();
  await source.read('deadLetter', (record) => {
    // A dead letter may have the key of the record it is about, which was poison.
    if (isPoison(record) && record.key!.includes('/deadLetter/')) return;
    const decoded = deadLetterCodec.decode(record.value);
    if (!decoded.ok) return differences.add('dead-letter-unreadable', `${record.offset}`, decoded.problems[0]!.message);
    const { topic, partition, offset, cause } = decoded.value;
    letters.set(`${topic}/${partition}/${offset}`, decoded.value);
    differences.unless(cause.text.length > 10, 'dead-letter-cause', `${topic}/${partition}/${offset}`, cause.code);
  });
  const wanted = new Set<string>();
  for (const [role, places] of refused) {
    if (!REPORTED.includes(role)) continue;
    for (const [place, why] of places) {
      const where = `${source.topicOf(role)}/${place}`;
      wanted.add(where);
      if (!letters.has(where)) differences.add('no-dead-letter', where, why);
    }
  }
  for (const [where, { cause }] of letters)
    if (!wanted.has(where)) differences.add('dead-letter-of-a-good-record', where, `${cause.code}: ${cause.text}`);
  return wanted.size;
}
