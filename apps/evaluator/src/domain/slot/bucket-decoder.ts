import type { BucketCounts, BucketRecord } from '@app/shared';
import { CLOSE, COLON, COMMA, ExpectedBytes, FALSE, JsonBytes, OPEN, TRUE } from './json-bytes.js';
import { JsonFields } from './json-fields.js';

const NAME_LENGTH_MAX = 200;
const BUCKET = new ExpectedBytes('"bucket"');

/** What was read last, before a slot has looked at it. */
type Read = { -readonly [F in keyof BucketRecord]: BucketRecord[F] };

/** Reads bucket records straight from the bytes, on the same terms as OutcomeDecoder. */
export class BucketDecoder {
  /** What was read last; the next decode() overwrites it. */
  readonly record: Read = emptyRecord();
  private readonly json = new JsonBytes();
  private readonly fields = new JsonFields(Object.keys(this.record) as (keyof BucketRecord)[]);
  private readonly countFields = new JsonFields<keyof BucketCounts>(['routed', 'intended', 'pending', 'dropped']);

  /** True: it is a good bucket record, now in `record`. False: it is for the full parser. */
  decode(bytes: Buffer): boolean {
    const { json, fields } = this;
    json.open(bytes);
    if (json.byte() !== OPEN) return false;
    fields.begin();
    for (;;) {
      const field = fields.next(json);
      if (field === null || !this.read(field)) return false;
      const next = json.byte();
      if (next !== COMMA) return next === CLOSE && json.isAtEnd && fields.areComplete;
    }
  }

  /** Reads a field's value into the record; false if it is none, or wants a closer look. */
  private read(field: keyof BucketRecord): boolean {
    const { json, record } = this;
    switch (field) {
      case 'kind':
        return json.skip(BUCKET);
      case 'schemaVersion':
        return json.count() === 1;
      case 'model':
      case 'router':
        record[field] = json.name() ?? '';
        return record[field] !== '' && record[field].length <= NAME_LENGTH_MAX;
      case 'ageMs':
      case 'previousAgeMs':
        return (record[field] = json.number() ?? -1) >= 0;
      case 'versions':
        return this.readVersions();
      case 'final':
        return (record.final = json.skip(TRUE)) || json.skip(FALSE);
      default:
        return (record[field] = json.count()) >= 0;
    }
  }

  private readVersions(): boolean {
    const { json } = this;
    const versions: Record<string, BucketCounts> = {};
    if (json.byte() !== OPEN) return false;
    for (;;) {
      const version = json.name();
      // An own property of that name is nothing that can be assigned.
      if (version === null || version === '__proto__' || json.byte() !== COLON) return false;
      const counts = this.readCounts();
      if (counts === null) return false;
      versions[version] = counts;
      const next = json.byte();
      if (next === COMMA) continue;
      this.record.versions = versions;
      return next === CLOSE;
    }
  }

  private readCounts(): BucketCounts | null {
    const { json, countFields } = this;
    const counts = { routed: 0, intended: 0, pending: 0, dropped: 0 };
    if (json.byte() !== OPEN) return null;
    countFields.begin();
    for (;;) {
      const field = countFields.next(json);
      if (field === null || (counts[field] = json.count()) < 0) return null;
      const next = json.byte();
      if (next !== COMMA) return next === CLOSE && countFields.areComplete ? counts : null;
    }
  }
}

const emptyRecord = (): Read => ({
  kind: 'bucket',
  schemaVersion: 1,
  model: '',
  generation: 0,
  router: '',
  lane: 0,
  sequence: 0,
  bucket: 0,
  routedFrom: 0,
  routedTo: 0,
  ageMs: 0,
  previousAgeMs: 0,
  versions: {},
  final: false,
});
