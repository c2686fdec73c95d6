import type { Socket } from 'node:net';
import { problem } from './problem.js';

const PROBLEMS: Readonly<Record<string, { status: number; phrase: string; code: string; detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    phrase: 'Request Header Fields Too Large',
    code: 'headers-too-large',
    detail: 'the address and the headers of a request may have 16 kB together',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    phrase: 'Request Timeout',
    code: 'request-timeout',
    detail: 'the request did not come to its end in time',
  },
};
const BAD_REQUEST = {
  status: 400,
  phrase: 'Bad Request',
  code: 'unreadable-request',
  detail: 'this is no HTTP request',
} as const;

/** What Node's parser refuses comes to no handler: answered on the connection itself, as all other errors are. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // The client is gone, or has the beginning of another answer already.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, phrase, code, detail } = PROBLEMS[error.code ?? ''] ?? BAD_REQUEST;
  const body = JSON.stringify(problem(status, code, detail));
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
