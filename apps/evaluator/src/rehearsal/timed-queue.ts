const SPAN_MS = 1000;

interface Entry<T> {
  readonly atMs: number;
  readonly item: T;
}

/** Things that happen later: added in any order, taken in the order of their times, and in that of adding if equal. */
export class TimedQueue<T> {
  /** By whole second, so that what is far away costs nothing. */
  private readonly spans = new Map<number, Entry<T>[]>();
  private next = Infinity;

  add(atMs: number, item: T): void {
    const span = Math.floor(atMs / SPAN_MS);
    const entries = this.spans.get(span);
    if (entries) entries.push({ atMs, item });
    else this.spans.set(span, [{ atMs, item }]);
    this.next = Math.min(this.next, span);
  }

  /** Takes what happens up to a time. */
  take(untilMs: number): Entry<T>[] {
    const taken: Entry<T>[] = [];
    const last = Math.floor(untilMs / SPAN_MS);
    if (this.next > last) return taken;
    for (const span of [...this.spans.keys()].filter((key) => key <= last)) {
      const entries = this.spans.get(span)!;
      const later = span === last ? entries.filter(({ atMs }) => atMs > untilMs) : [];
      if (later.length > 0) this.spans.set(span, later);
      else this.spans.delete(span);
      for (const entry of entries) if (entry.atMs <= untilMs) taken.push(entry);
    }
    this.next = Math.min(Infinity, ...this.spans.keys());
    return taken.sort((a, b) => a.atMs - b.atMs);
  }
}
