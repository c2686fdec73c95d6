import type { ProducerIdentity } from './broker-link.js';
import { followingSequence } from './record-batch.js';

/** A producer's identity at the brokers and how far it has numbered its records, by partition. */
export class ProducerSession {
  private readonly sequences = new Map<string, number>();

  constructor(readonly identity: ProducerIdentity) {}

  /** The sequence of the first of `count` records to come. */
  number(partition: string, count: number): number {
    const sequence = this.sequences.get(partition) ?? 0;
    this.sequences.set(partition, followingSequence(sequence, count));
    return sequence;
  }

  /** The last batch of a partition was surely not written: its numbers are free again. */
  rewind(partition: string, sequence: number): void {
    this.sequences.set(partition, sequence);
  }
}
