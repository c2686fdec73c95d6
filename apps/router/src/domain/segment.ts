import { SEGMENT_NAME_LENGTH_MAX, segmentOf } from '@app/shared/core';

/** The part of the traffic a request belongs to. */
export interface Segment {
  /** As outcomes show it; empty: the request says nothing. */
  readonly name: string;
  /** As prediction ids carry it. */
  readonly number: number;
}

const NO_NAME: Segment = { name: '', number: 0 };

/** Reads the first value of a header from a raw list that alternates names and values. */
export function readSegment(headers: readonly string[], header: string): Segment {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length !== header.length || headers[i]!.toLowerCase() !== header) continue;
    const name = headers[i + 1]!.trim().slice(0, SEGMENT_NAME_LENGTH_MAX);
    return name === '' ? NO_NAME : { name, number: segmentOf(name) };
  }
  return NO_NAME;
}
