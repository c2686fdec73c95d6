import type { ServerResponse } from 'node:http';
import type { ControllerMetrics } from '../metrics.js';
import type { ControllerEvent, EventLog } from '../reading/event-log.js';
import { LogPositions } from '../reading/log-positions.js';

const HEARTBEAT_MS = 10_000;
const RECONNECT_MS = 2_000;
/** A reader that is so far behind is cut off: it comes back with the id of its last event. */
const UNREAD_BYTES_MAX = 1024 * 1024;
const MISSED = 'what happened since your last event is not known here any more: read everything anew';

export interface StreamRequest {
  readonly response: ServerResponse;
  readonly wants: (event: ControllerEvent) => boolean;
  readonly lastEventId: string | undefined;
}

/** As StreamRequest, told in rounds: what belongs to the models that something has happened to, all of them at once. */
export interface DigestRequest {
  readonly response: ServerResponse;
  readonly lastEventId: string | undefined;
  readonly event: string;
  readonly everyMs: number;
  readonly digest: (models: ReadonlySet<string>) => unknown;
}

/**
 * Open server-sent event streams. Every event has an id, and so has the beginning of a stream and every heartbeat: who
 * comes back with one as Last-Event-ID is told what was missed, or, with an event `reset`, that this cannot be told.
 */
export class EventStreams {
  private readonly open = new Set<() => void>();

  constructor(
    private readonly events: EventLog,
    private readonly metrics: ControllerMetrics,
  ) {}

  /** Writes what was missed and then what happens, until the reader goes or falls behind. */
  serve({ response, wants, lastEventId }: StreamRequest): void {
    const stream = new Stream(response);
    const positions = this.begin(stream, lastEventId);
    const found = positions && this.events.since(positions);
    if (found?.kind === 'known')
      for (const { place, offset, event } of found.events) {
        positions!.pass(place, offset + 1);
        if (wants(event)) stream.send(event.kind, event.data, positions!.toString());
      }
    const stopListening = this.events.listen(({ event }) => {
      if (wants(event)) stream.send(event.kind, event.data, this.events.id());
    });
    this.keepOpen(stream, stopListening);
  }

  /** The same in rounds. */
  serveDigest({ response, lastEventId, event, everyMs, digest }: DigestRequest): void {
    const stream = new Stream(response);
    const positions = this.begin(stream, lastEventId);
    const found = positions && this.events.since(positions);
    const touched = new Set(found?.kind === 'known' ? found.events.map((logged) => logged.event.model) : []);
    const tell = (): void => {
      if (touched.size === 0) return;
      stream.send(event, digest(touched), this.events.id());
      touched.clear();
    };
    tell();
    const stopListening = this.events.listen((logged) => void touched.add(logged.event.model));
    const rounds = setInterval(tell, everyMs);
    this.keepOpen(stream, () => {
      clearInterval(rounds);
      stopListening();
    }, () => touched.size === 0); // prettier-ignore
  }

  close(): void {
    for (const end of [...this.open]) end();
  }

  /** Positions to go on from; null: from now on. */
  private begin(stream: Stream, lastEventId: string | undefined): LogPositions | null {
    const positions = lastEventId === undefined ? null : LogPositions.parse(lastEventId);
    const missed = lastEventId !== undefined && (!positions || this.events.since(positions).kind === 'missed');
    if (missed) stream.send('reset', { reason: MISSED }, this.events.id());
    else if (!positions) stream.mark(this.events.id());
    return missed ? null : positions;
  }

  private keepOpen(stream: Stream, stop: () => void, upToDate: () => boolean = () => true): void {
    const heartbeat = setInterval(() => stream.beat(upToDate() ? this.events.id() : null), HEARTBEAT_MS);
    const end = (): void => {
      clearInterval(heartbeat);
      stop();
      this.open.delete(end);
      this.metrics.eventStreams.set(this.open.size);
      stream.response.end();
    };
    this.open.add(end);
    this.metrics.eventStreams.set(this.open.size);
    stream.response.on('close', end);
  }
}

/** One reader's connection. */
class Stream {
  constructor(readonly response: ServerResponse) {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
  }

  send(event: string, data: unknown, id: string): void {
    this.response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (this.response.writableLength > UNREAD_BYTES_MAX) this.response.destroy();
  }

  /** An id without an event: readers keep it and show nothing. */
  mark(id: string): void {
    if (id !== '') this.response.write(`id: ${id}\n\n`);
  }

  beat(id: string | null): void {
    this.response.write(': still here\n\n');
    if (id !== null) this.mark(id);
  }
}
