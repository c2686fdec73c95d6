import type { Label } from '@app/shared';
import { CLOSE, COMMA, ExpectedBytes, FALSE, JsonBytes, OPEN, TRUE } from './json-bytes.js';
import { JsonFields } from './json-fields.js';

const ID_LENGTH_MAX = 100;
const LABEL_LENGTH_MAX = 500;
const LABEL = new ExpectedBytes('"label"');

/** Reads labels straight from the bytes, on the same terms as OutcomeDecoder; those with values are for the full parser. */
export class LabelDecoder {
  /** What was read last; the next decode() overwrites it. */
  readonly label: Label = { predictionId: '', label: '' };
  private readonly json = new JsonBytes();
  private readonly fields = new JsonFields<keyof Label>(['predictionId', 'label'], ['kind', 'occurredAt']);

  /** True: it is a good label, now in `label`. False: it is for the full parser. */
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

  /** Reads a field's value; false if it is none, or wants a closer look. */
  private read(field: keyof Label): boolean {
    const { json, label } = this;
    switch (field) {
      case 'kind':
        return json.skip(LABEL);
      case 'predictionId':
        label.predictionId = json.text() ?? '';
        return label.predictionId !== '' && label.predictionId.length <= ID_LENGTH_MAX;
      case 'label':
        return this.readTruth();
      case 'occurredAt':
        return json.count() >= 0; // nobody looks at it
      default:
        return false;
    }
  }

  private readTruth(): boolean {
    const { json, label } = this;
    const truth = json.isText
      ? json.text()
      : (json.number() ?? (json.skip(TRUE) ? true : json.skip(FALSE) ? false : null));
    if (truth === null || (typeof truth === 'string' && truth.length > LABEL_LENGTH_MAX)) return false;
    label.label = truth;
    return true;
  }
}
