import { createParser } from 'eventsource-parser';
import { until } from './controller-fixture.js';

export interface SeenEvent {
  readonly event: string;
  readonly data: unknown;
}

/** A reader of server-sent events that remembers what it has seen and the last id. */
export class EventReader {
  readonly seen: SeenEvent[] = [];
  lastEventId = '';
  private readonly stop = new AbortController();

  static async open(url: string, lastEventId?: string): Promise<EventReader> {
    const reader = new EventReader();
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const response = await fetch(url, { headers, signal: reader.stop.signal });
    const type = response.headers.get('content-type');
    if (type !== 'text/event-stream') throw new Error(`${url} answered ${response.status}, ${type}`);
    reader.read(response.body!).catch(() => undefined); // closed, by us or by the controller
    // The first id is there before anything has happened.
    if (lastEventId === undefined) await until(() => reader.lastEventId !== '');
    return reader;
  }

  /** Resolves with the first event that fits, seen already or not. */
  async until(fits: (event: SeenEvent) => boolean): Promise<SeenEvent> {
    await until(() => this.seen.some(fits));
    return this.seen.find(fits)!;
  }

  close(): void {
    this.stop.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = createParser({
      onId: (id) => (this.lastEventId = id),
      onEvent: ({ event, data }) => {
        if (event !== undefined) this.seen.push({ event, data: JSON.parse(data) as unknown });
      },
    });
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) parser.feed(chunk);
  }
}
