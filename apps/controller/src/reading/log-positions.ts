/** One partition of one followed topic, e.g. `v3`. */
export type LogPlace = string;

const LETTERS = { state: 's', decision: 'd', verdict: 'v' } as const;

export const placeOf = (topic: keyof typeof LETTERS, partition: number): LogPlace => `${LETTERS[topic]}${partition}`;

const ID = /^(?:[a-z]\d+\.[0-9a-z]+)(?:-[a-z]\d+\.[0-9a-z]+)*$/;
const PLACES_MAX = 10_000;

/**
 * How far somebody has read in every partition: the next offset by place. As text it is an event's id. It rests on the log
 * alone, so it means the same on every controller and after a restart.
 */
export class LogPositions {
  private constructor(private readonly next: Map<LogPlace, number>) {}

  static none(): LogPositions {
    return new LogPositions(new Map());
  }

  /** Null: not a text that toString() gives. */
  static parse(text: string): LogPositions | null {
    if (text.length > 100_000 || !ID.test(text)) return null;
    const next = new Map<LogPlace, number>();
    for (const part of text.split('-')) {
      const [place, offset] = part.split('.') as [string, string];
      const value = Number.parseInt(offset, 36);
      if (!Number.isSafeInteger(value) || next.size >= PLACES_MAX) return null;
      next.set(place, value);
    }
    return new LogPositions(next);
  }

  at(place: LogPlace): number {
    return this.next.get(place) ?? 0;
  }

  /** Goes on to an offset; never back. */
  pass(place: LogPlace, nextOffset: number): void {
    if (nextOffset > this.at(place) || !this.next.has(place)) this.next.set(place, nextOffset);
  }

  places(): Iterable<LogPlace> {
    return this.next.keys();
  }

  /** `d0.c-v0.2rk`: letters, digits, dots and hyphens. */
  toString(): string {
    return [...this.next]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([place, offset]) => `${place}.${offset.toString(36)}`)
      .join('-');
  }
}
