import type { TopicPartition } from '../message-bus.js';
import type { OffsetRange } from '../start-position.js';
import { partitionKey } from './kafka-client.js';
import type { FetchedPartition } from './kafkajs-internals.js';

/** Where a partition of the present assignment stands. Times are monotonic. */
export interface Place {
  readonly tp: TopicPartition;
  /** Next offset to hand out; null until it is known where to begin. */
  position: number | null;
  range: OffsetRange;
  /** When the broker last answered for it. */
  seenAtMs: number;
  movedAtMs: number;
  /** Nothing before this offset is to be told of again. */
  toldOffset: number;
}

/** Longer than this without an answer, or without a record though there are some, is a hang. */
const STALL_MS = 4000;

/** The partitions of one assignment. */
export class Places {
  private readonly places: ReadonlyMap<string, Place>;

  constructor(partitions: readonly TopicPartition[]) {
    const nowMs = performance.now();
    this.places = new Map(
      partitions.map((tp) => [
        partitionKey(tp),
        { tp, position: null, range: { low: 0, end: 0 }, seenAtMs: nowMs, movedAtMs: nowMs, toldOffset: 0 },
      ]),
    );
  }

  of(tp: TopicPartition): Place | undefined {
    return this.places.get(partitionKey(tp));
  }

  onFetched(fetched: FetchedPartition): void {
    const place = this.of(fetched);
    if (!place) return;
    place.seenAtMs = performance.now();
    place.range = { ...place.range, end: Number(fetched.highWatermark) };
  }

  /** Age of the oldest answer; 0 for an assignment of nothing. */
  fetchAgeMs(): number {
    const nowMs = performance.now();
    return Math.max(0, ...[...this.places.values()].map((place) => nowMs - place.seenAtMs));
  }

  /** What does not go on that should, or null. Until `busyMs` handlers kept the reader from fetching. */
  stalled(busyMs: number): string | null {
    const nowMs = performance.now();
    const tooLong = (sinceMs: number): boolean => nowMs - Math.max(sinceMs, busyMs) > STALL_MS;
    for (const { tp, position, range, seenAtMs, movedAtMs } of this.places.values()) {
      if (tooLong(seenAtMs)) return `no fetch of ${partitionKey(tp)} was answered`;
      if ((position ?? 0) < range.end && tooLong(movedAtMs)) return `records of ${partitionKey(tp)} do not come`;
    }
    return null;
  }
}
