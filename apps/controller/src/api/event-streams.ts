import type { ServerResponse } from 'node:http';
import type { ControllerMetrics } from '../metrics.js';
import type { ControllerEvent, EventLog } from '../reading/event-log.js';

const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2_000;
/** A reader that is so far behind is cut off: it comes back with the id of its last event. */
const UNREAD_BYTES_MAX = 1024 * 1024;

export interface StreamRequest {
  readonly response: ServerResponse;
  readonly wants: (event: ControllerEvent) => boolean;
  readonly lastEventId: string | undefined;
}

/** Open server-sent event streams. */
export class EventStreams {
  private readonly open = new Set<() => void>();

  constructor(
    private readonly events: EventLog,
    private readonly metrics: ControllerMetrics,
  ) {}

  /** Writes what was missed, as far as it is known, and then what happens until the reader goes or falls behind. */
  serve({ response, wants, lastEventId }: StreamRequest): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    const send = (event: ControllerEvent): void => {
      if (!wants(event)) return;
      response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event.data)}\n\n`);
      if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
    };
    if (lastEventId !== undefined) this.events.after(lastEventId).forEach(send);
    const stopListening = this.events.listen(send);
    const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
    const end = (): void => {
      clearInterval(heartbeat);
      stopListening();
      this.open.delete(end);
      this.metrics.eventStreams.set(this.open.size);
      response.end();
    };
    this.open.add(end);
    this.metrics.eventStreams.set(this.open.size);
    response.on('close', end);
  }

  close(): void {
    for (const end of [...this.open]) end();
  }
}
