import {
  type BusProducer,
  type BusRecord,
  type Clock,
  deadLetterCodec,
  type OutRecord,
  type TopicPartition,
} from '@app/shared';
import type { RefusedRecord } from '../domain/slot/folded-batch.js';
import { abortable } from '../model-owner/abortable.js';

const VALUE_BYTES_MAX = 64 * 1024;
const RECORDS_PER_SEND = 50;

export interface DeadLettersDeps {
  readonly producer: BusProducer;
  /** Name of dead-letter. */
  readonly topic: string;
  readonly clock: Clock;
  /** Ends the wait for acknowledgements. */
  readonly signal: AbortSignal;
}

/** Writes records that could not be used to the topic dead-letter, keyed by where they came from. */
export class DeadLetters {
  constructor(private readonly deps: DeadLettersDeps) {}

  /** Resolves when all of them are acknowledged. `records`: the batch they stand in. */
  async write(
    { topic, partition }: TopicPartition,
    refused: readonly RefusedRecord[],
    records: readonly BusRecord[],
  ): Promise<void> {
    const byOffset = new Map(records.map((record) => [record.offset, record]));
    const letters = refused.map(({ offset, cause }): OutRecord => {
      const value = byOffset.get(offset)?.value ?? null;
      return {
        topic: this.deps.topic,
        key: `${topic}/${partition}/${offset}`,
        value: deadLetterCodec.encode({
          schemaVersion: 1,
          topic,
          partition,
          offset,
          cause,
          by: 'evaluator',
          at: this.deps.clock.nowMs(),
          value: value?.subarray(0, VALUE_BYTES_MAX).toString('base64') ?? null,
          valueBytes: value?.length ?? 0,
        }),
      };
    });
    for (let from = 0; from < letters.length; from += RECORDS_PER_SEND)
      await abortable(this.deps.producer.send(letters.slice(from, from + RECORDS_PER_SEND)), this.deps.signal);
  }
}
