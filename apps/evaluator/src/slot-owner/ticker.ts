import { type BusProducer, type Clock, tickCodec, type TopicPartition } from '@app/shared';

/** Log time of a partition nobody writes to goes on at this rate. */
export const SILENCE_MS = 500;

export interface TickerDeps {
  readonly producer: BusProducer;
  readonly clock: Clock;
  readonly onTick: (tp: TopicPartition) => void;
}

interface Heard {
  readonly tp: TopicPartition;
  lastMs: number;
}

const TICK = tickCodec.encode({ kind: 'tick', schemaVersion: 1 });

/** Writes a tick to each own partition that has been silent. Ticks come back as records and are heard as all others. */
export class Ticker {
  private heard = new Map<string, Heard>();

  constructor(private readonly deps: TickerDeps) {}

  /** These partitions are ours now, and only these. */
  own(partitions: readonly TopicPartition[]): void {
    const before = this.heard;
    const lastMs = this.deps.clock.monotonicMs();
    this.heard = new Map(partitions.map((tp) => [keyOf(tp), before.get(keyOf(tp)) ?? { tp, lastMs }]));
  }

  /** Something came from a partition. */
  hear(tp: TopicPartition): void {
    const heard = this.heard.get(keyOf(tp));
    if (heard) heard.lastMs = this.deps.clock.monotonicMs();
  }

  /** To be called several times a second. A tick that the producer refuses is left out: the broker is away. */
  run(): void {
    const nowMs = this.deps.clock.monotonicMs();
    for (const heard of this.heard.values()) {
      if (nowMs - heard.lastMs < SILENCE_MS) continue;
      heard.lastMs = nowMs;
      const { topic, partition } = heard.tp;
      // It is of no account whether it arrives: another one follows.
      const sent = this.deps.producer.offer([{ topic, partition, key: null, value: TICK }]);
      sent?.then(
        () => this.deps.onTick(heard.tp),
        () => undefined,
      );
    }
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
