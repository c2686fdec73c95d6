import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long the rest of a request that was refused early may still come in, so that its sender reads the answer. */
const LINGER_MS = 1000;

/** Answers with the data plane's error body, {"error": string}. */
export function answerError(
  response: ServerResponse,
  httpStatus: number,
  error: string,
  headers: readonly string[] = [],
): void {
  const body = Buffer.from(JSON.stringify({ error }));
  response.writeHead(httpStatus, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    ...headers,
  ]);
  response.end(body);
}

/**
 * The same for a request whose body was not read to its end. Closing at once would reset the connection, and the
 * sender, still sending, would never see why: so the answer goes out whole and the connection ends a little later.
 */
export function answerErrorEarly(
  request: IncomingMessage,
  response: ServerResponse,
  httpStatus: number,
  error: string,
): void {
  const body = Buffer.from(JSON.stringify({ error }));
  response.writeHead(httpStatus, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Connection',
    'close',
  ]);
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end);
  request.once('close', end);
  request.resume();
}
