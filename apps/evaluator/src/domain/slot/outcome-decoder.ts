import { type Outcome, OUTCOME_STATUSES, PREDICTION_BINS } from '@app/shared';
import { CLOSE, COLON, COMMA, ExpectedBytes, FALSE, JsonBytes, OPEN, TRUE } from './json-bytes.js';
import { JsonFields } from './json-fields.js';

/** What a slot looks at in an outcome. */
export type SlotOutcome = Omit<Outcome, 'kind' | 'schemaVersion' | 'predictionId'>;

type Field = keyof Outcome;

const NAME_LENGTH_MAX = 200;
const SEGMENT_LENGTH_MAX = 100;
const VALUES_MAX = 8;
const VALUE_NAME_LENGTH_MAX = 100;
const PREDICTION_LENGTH_MAX = 500;
const OUTCOME = new ExpectedBytes('"outcome"');
const STATUSES = OUTCOME_STATUSES.map((status) => ({ status, bytes: new ExpectedBytes(`"${status}"`) }));

const REQUIRED: readonly Field[] = [
  'kind',
  'schemaVersion',
  'model',
  'version',
  'generation',
  'router',
  'predictionId',
  'lane',
  'sequence',
  'unit',
  'routedAt',
  'latencyMs',
  'status',
  'httpStatus',
];
const OPTIONAL: readonly Field[] = [
  'bucket',
  'firstByteMs',
  'prediction',
  'values',
  'segment',
  'predictionBin',
  'fallback',
  'override',
  'shadow',
];

/**
 * Reads outcomes straight from the bytes, without an object or a text for each: several times faster than JSON.parse.
 * Fields in any order, but known ones and once each, and only what JSON.stringify makes of ASCII texts. Whatever it does
 * not know at first sight it leaves to the full parser and the schema, which are the judges; what it does read, they
 * would read the same (outcome-decoder.spec.ts).
 */
export class OutcomeDecoder {
  /** What was read last; the next decode() overwrites it. */
  readonly outcome: SlotOutcome = emptyOutcome();
  private readonly json = new JsonBytes();
  private readonly fields = new JsonFields(REQUIRED, OPTIONAL);
  private predictionAt = -1;

  /** True: it is a good outcome, now in `outcome`. False: it is for the full parser. */
  decode(bytes: Buffer): boolean {
    const { json, fields } = this;
    json.open(bytes);
    if (json.byte() !== OPEN) return false;
    this.clear();
    fields.begin();
    for (;;) {
      const field = fields.next(json);
      if (field === null || !this.read(field)) return false;
      const next = json.byte();
      if (next === COMMA) continue;
      if (next !== CLOSE || !json.isAtEnd || !fields.areComplete) return false;
      if (this.predictionAt >= 0 && this.outcome.predictionBin !== undefined) this.rereadPrediction();
      return true;
    }
  }

  /** Reads a field's value into the outcome; false if it is none, or wants a closer look. */
  private read(field: Field): boolean {
    const { json, outcome } = this;
    switch (field) {
      case 'kind':
        return json.skip(OUTCOME);
      case 'schemaVersion':
        return json.count() === 1;
      case 'model':
        return isName((outcome.model = json.name() ?? ''));
      case 'version':
        return isName((outcome.version = json.name() ?? ''));
      case 'router':
        return isName((outcome.router = json.name() ?? ''));
      case 'predictionId':
        return json.passText(1, 100);
      case 'generation':
        return (outcome.generation = json.count()) >= 0;
      case 'lane':
        return (outcome.lane = json.count()) >= 0;
      case 'sequence':
        return (outcome.sequence = json.count()) >= 0;
      case 'bucket':
        return (outcome.bucket = json.count()) >= 0;
      case 'unit':
        return (outcome.unit = json.count()) >= 0 && outcome.unit <= 63;
      case 'routedAt':
        return (outcome.routedAt = json.count()) >= 0;
      case 'latencyMs':
        return (outcome.latencyMs = json.number() ?? -1) >= 0;
      case 'firstByteMs':
        return (outcome.firstByteMs = json.number() ?? -1) >= 0;
      case 'status':
        return this.readStatus();
      case 'httpStatus':
        return (outcome.httpStatus = json.count()) >= 0 && outcome.httpStatus <= 999;
      default:
        return this.readOptional(field);
    }
  }

  private readOptional(field: Field): boolean {
    const { json, outcome } = this;
    switch (field) {
      case 'prediction':
        this.predictionAt = json.place;
        return json.isText ? json.passText(0, PREDICTION_LENGTH_MAX) : json.number() !== null;
      case 'values':
        return this.readValues();
      case 'segment':
        outcome.segment = json.text() ?? undefined;
        return outcome.segment !== undefined && outcome.segment.length <= SEGMENT_LENGTH_MAX;
      case 'predictionBin':
        return (outcome.predictionBin = json.count()) >= 0 && outcome.predictionBin < PREDICTION_BINS;
      case 'fallback':
        return (outcome.fallback = this.flag()) !== undefined;
      case 'override':
        return (outcome.override = this.flag()) !== undefined;
      case 'shadow':
        return (outcome.shadow = this.flag()) !== undefined;
      default:
        return false;
    }
  }

  private readStatus(): boolean {
    for (const { status, bytes } of STATUSES) {
      if (!this.json.skip(bytes)) continue;
      this.outcome.status = status;
      return true;
    }
    return false;
  }

  private readValues(): boolean {
    const { json } = this;
    const values: Record<string, number> = {};
    if (json.byte() !== OPEN) return false;
    for (let left = VALUES_MAX; left > 0; left--) {
      const name = json.name();
      // An own property of that name is nothing that can be assigned.
      if (name === null || name.length > VALUE_NAME_LENGTH_MAX || name === '__proto__') return false;
      const value = json.byte() === COLON ? json.number() : null;
      if (value === null) return false;
      values[name] = value;
      const next = json.byte();
      if (next === COMMA) continue;
      this.outcome.values = values;
      return next === CLOSE;
    }
    return false;
  }

  private flag(): boolean | undefined {
    return this.json.skip(TRUE) ? true : this.json.skip(FALSE) ? false : undefined;
  }

  /** A text is made of it only if somebody looks at it. */
  private rereadPrediction(): void {
    const { json, outcome } = this;
    json.place = this.predictionAt;
    outcome.prediction = (json.isText ? json.text() : json.number()) ?? undefined;
  }

  private clear(): void {
    const { outcome } = this;
    outcome.bucket = undefined;
    outcome.firstByteMs = undefined;
    outcome.prediction = undefined;
    outcome.values = undefined;
    outcome.segment = undefined;
    outcome.predictionBin = undefined;
    outcome.fallback = undefined;
    outcome.override = undefined;
    outcome.shadow = undefined;
    this.predictionAt = -1;
  }
}

const isName = (text: string): boolean => text !== '' && text.length <= NAME_LENGTH_MAX;

/** Numbers with fractions where there may be some, so that their places are made for these from the start. */
const emptyOutcome = (): SlotOutcome => ({
  model: '',
  version: '',
  generation: 0,
  router: '',
  lane: 0,
  sequence: 0,
  unit: 0,
  routedAt: 0.5,
  latencyMs: 0.5,
  status: 'ok',
  httpStatus: 0,
  bucket: 0,
  firstByteMs: 0.5,
  prediction: '',
  values: {},
  segment: '',
  predictionBin: 0,
  fallback: false,
  override: false,
  shadow: false,
});
