import type { ConsumerOptions, TopicPartition } from './message-bus.js';

/** What a partition can be read from: first offset, and last stable offset. */
export interface OffsetRange {
  readonly low: number;
  readonly end: number;
}

/** Brings a wanted offset into the range there is, telling when it had to. undefined: the beginning. */
export function positionInRange(
  tp: TopicPartition,
  wanted: number | undefined,
  range: OffsetRange,
  onOutOfRange: ConsumerOptions['onOutOfRange'],
): number {
  if (wanted === undefined) return range.low;
  if (wanted >= range.low && wanted <= range.end) return wanted;
  onOutOfRange?.(tp, wanted, range.low, range.end);
  return wanted < range.low ? range.low : range.end;
}
