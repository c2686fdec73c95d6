import { describe, expect, it } from 'vitest';
import { decodeRecordLine, encodeRecordLine } from './record-lines.js';

const PLACE = { topic: 'ml.prediction-label', partition: 3 };

describe('a record as a line', () => {
  it.each([
    ['text', Buffer.from('{"a": "ü \\n"}')],
    ['a line break', Buffer.from('{\n}')],
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xc3])],
    ['nothing', null],
  ])('gives the bytes back: %s', (_, value) => {
    const record = { offset: 7, timestampMs: 1_700_000_000_000, key: value, value, headers: { ce_id: 'x' } };
    const line = encodeRecordLine(PLACE, record).toString();
    expect(line).not.toContain('\n');
    expect(decodeRecordLine(line)).toEqual({ ok: true, value: { at: PLACE, record } });
  });

  it('has no headers where the record has none', () => {
    const record = { offset: 7, timestampMs: 5, key: null, value: Buffer.from('{}') };
    const decoded = decodeRecordLine(encodeRecordLine(PLACE, record).toString());
    expect(decoded).toEqual({ ok: true, value: { at: PLACE, record } });
    expect(decoded.ok && 'headers' in decoded.value.record).toBe(false);
  });

  it('that is none says what is wrong', () => {
    expect(decodeRecordLine('{"topic": "a"}')).toMatchObject({ ok: false });
    expect(decodeRecordLine('rubbish')).toMatchObject({ ok: false, problems: [{ code: 'not-json' }] });
  });
});
