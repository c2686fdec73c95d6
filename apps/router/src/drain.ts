import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { DataPlane } from './proxy/data-plane.js';
import { within } from './within.js';

/** Requests under way, and clients that keep a connection, may take this long since the beginning of the drain. */
const DRAIN_MS_MAX = 7500;
const LAST_BYTES_MS_MAX = 500;
/** As a multiple of the delay: how long is waited for those who have not noticed yet that they should turn away. */
const PATIENCE_FACTOR = 10;
/** As a part of the delay: nobody comes any more when nobody came for that long. */
const QUIET_PART = 1 / 5;
const QUIET_LOOKS = 5;

/**
 * Takes leave of all clients; readiness is off already. No request is failed that was sent on a connection which was
 * accepted, and at the end there is no connection:
 *
 * 1. For `delayMs` everything goes on, but each answer asks its client to close; then as long as new connections come.
 *    To stop listening resets those that the kernel has accepted and we have not, so nobody should be on the way then.
 * 2. Kept connections stay until their next answer, or until their clients close them: to close an idle one fails a
 *    request that is on its way. After ten times the delay, or 7.5 s, the idle ones are closed all the same.
 * 3. What is under way is finished, within 7.5 s altogether, or within the delay where that is longer.
 */
export async function drain(server: Server, dataPlane: DataPlane, delayMs: number): Promise<void> {
  const beganAtMs = performance.now();
  const left = (ofMs: number): number => Math.max(0, beganAtMs + ofMs - performance.now());
  const drainMsMax = Math.max(delayMs, DRAIN_MS_MAX);
  const patienceMs = Math.min(PATIENCE_FACTOR * delayMs, drainMsMax);
  dataPlane.beginDraining();
  // Probes and scrapers keep connections, too.
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false;
  });
  await delay(delayMs);
  await untilNobodyComes(server, delayMs * QUIET_PART, () => left(patienceMs) > 0);
  // Only the listener: http's own close() would also cut connections whose first request is on its way.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  await within(left(patienceMs), closed);
  await closeIdle(server);
  await dataPlane.drained(left(drainMsMax));
  await closeIdle(server);
  // Answers are complete now, but their last bytes may still be on the way to slow readers.
  await within(LAST_BYTES_MS_MAX, closed);
  server.closeAllConnections();
}

/** Waits until no connection has come for `quietMs`; each look comes right after everybody was let in who waited. */
async function untilNobodyComes(server: Server, quietMs: number, mayWait: () => boolean): Promise<void> {
  let cameLately = true;
  const onConnection = (): void => void (cameLately = true);
  server.on('connection', onConnection);
  for (let quietLooks = 0; quietLooks < QUIET_LOOKS && mayWait(); quietLooks = cameLately ? 0 : quietLooks + 1) {
    cameLately = false;
    await delay(quietMs / QUIET_LOOKS);
    await immediate();
  }
  server.off('connection', onConnection);
}

/** Right after everything was read that has arrived: whoever is idle now is really idle. */
async function closeIdle(server: Server): Promise<void> {
  await immediate();
  server.closeIdleConnections();
}
