import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeProduceAnswer, encodeProduceRequest, setCorrelationId } from './produce-request.js';

/** kafkajs's own encoder: another hand's. */
const load = createRequire(import.meta.url);
const Encoder = load('kafkajs/src/protocol/encoder') as new () => KafkajsEncoder;
interface KafkajsEncoder {
  readonly buffer: Buffer;
  writeInt16(value: number): KafkajsEncoder;
  writeInt32(value: number): KafkajsEncoder;
  writeInt64(value: number): KafkajsEncoder;
  writeString(value: string | null): KafkajsEncoder;
  writeBytes(value: Buffer): KafkajsEncoder;
}

describe('a Produce request', () => {
  it('has the partitions of each topic together, framed, with a correlation id of its own', () => {
    const [a0, a7, b0] = [Buffer.from('first'), Buffer.from(''), Buffer.alloc(100_000, 1)];
    const request = encodeProduceRequest(
      [
        { topic: 'a', partition: 0, batch: a0 },
        { topic: 'größer', partition: 0, batch: b0 },
        { topic: 'a', partition: 7, batch: a7 },
      ],
      { clientId: 'client', timeoutMs: 1200 },
    );
    setCorrelationId(request, 99);
    const body = new Encoder().writeInt16(0).writeInt16(7).writeInt32(99).writeString('client');
    body.writeString(null).writeInt16(-1).writeInt32(1200).writeInt32(2);
    body.writeString('a').writeInt32(2).writeInt32(0).writeBytes(a0).writeInt32(7).writeBytes(a7);
    body.writeString('größer').writeInt32(1).writeInt32(0).writeBytes(b0);
    const framed = new Encoder().writeBytes(body.buffer);
    expect(request.equals(framed.buffer)).toBe(true);
  });

  it('is answered for each partition', () => {
    const payload = new Encoder().writeInt32(2);
    const partition = (number: number, code: number) =>
      payload.writeInt32(number).writeInt16(code).writeInt64(5).writeInt64(-1).writeInt64(0);
    payload.writeString('a').writeInt32(2);
    partition(0, 0);
    partition(7, 6);
    payload.writeString('größer').writeInt32(1);
    partition(1, 46);
    payload.writeInt32(250);
    expect(decodeProduceAnswer(payload.buffer)).toEqual({
      partitions: [
        { topic: 'a', partition: 0, errorCode: 0 },
        { topic: 'a', partition: 7, errorCode: 6 },
        { topic: 'größer', partition: 1, errorCode: 46 },
      ],
      throttleMs: 250,
    });
    expect(() => decodeProduceAnswer(payload.buffer.subarray(0, 30))).toThrow(RangeError);
  });
});
