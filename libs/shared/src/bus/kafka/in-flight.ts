interface Numbered {
  readonly correlationId: number;
}

/**
 * Requests that wait for their answers, as much of a Map as kafkajs uses. They are few, come in order and mostly leave in
 * order; a Map's outgrown tables keep what was in them until the next full collection (see SlotList), and with a request
 * all that was sent by it.
 */
export class InFlight<T extends Numbered> {
  private readonly requests: T[] = [];

  get size(): number {
    return this.requests.length;
  }

  has(correlationId: number): boolean {
    return this.indexOf(correlationId) >= 0;
  }

  get(correlationId: number): T | undefined {
    return this.requests[this.indexOf(correlationId)];
  }

  set(correlationId: number, request: T): this {
    const at = this.indexOf(correlationId);
    if (at >= 0) this.requests[at] = request;
    else this.requests.push(request);
    return this;
  }

  delete(correlationId: number): boolean {
    const at = this.indexOf(correlationId);
    if (at >= 0) this.requests.splice(at, 1);
    return at >= 0;
  }

  /** Calls for each that is there now, whatever the callback does. */
  forEach(call: (request: T) => void): void {
    for (const request of [...this.requests]) call(request);
  }

  values(): IterableIterator<T> {
    return this.requests.values();
  }

  clear(): void {
    this.requests.length = 0;
  }

  private indexOf(correlationId: number): number {
    return this.requests.findIndex((request) => request.correlationId === correlationId);
  }
}
