import type { Guard } from '../../../deploy/local/guard.js';

/** Where contestants read. */
export interface Track {
  readonly brokers: string;
  readonly redisUrl: string;
  readonly topicPrefix: string;
  /** What is caught up with, and the name of its topic. */
  readonly kind: 'outcome' | 'label';
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** Of these, outcomes or labels: the others are bucket records. */
  readonly items: number;
  /** For what processes leave behind. */
  readonly folder: string;
  readonly guard: Guard;
}

/** Somebody who reads outcomes from the beginning of the topic, in processes of its own. */
export interface Contestant {
  readonly name: string;
  start(track: Track): Promise<Reader>;
}

export interface Reader {
  /** Its processes. */
  readonly pids: readonly number[];
  /** How many records it has taken in so far. */
  records(): Promise<number>;
  /** Ends it. Throws with what it said if it did not go well. */
  stop(): Promise<void>;
}
