/**
 * A model server that costs as little as Node can: it answers every request, after a time, with the same JSON, or with
 * server-sent events. Plain requests with a Content-Length only, as proxies send them.
 *
 *   node model-server.js --port 9001 [--delay-ms 5] [--answer-bytes 300] [--events 200]
 */
import { type Socket, createServer } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'delay-ms': { type: 'string', default: '0' },
    'answer-bytes': { type: 'string', default: '300' },
    events: { type: 'string', default: '0' },
  },
});
const delayMs = Number(values['delay-ms']);
const events = Number(values.events);
const EVENT = 'data: {"choices":[{"delta":{"content":"token"}}]}\n\n';
const answer = events > 0 ? streamHead() : plainAnswer(Number(values['answer-bytes']));

function plainAnswer(bytes: number): string {
  const json = JSON.stringify({ outputs: [{ data: [7] }], filling: '' });
  const body = json.replace('""', `"${'x'.repeat(Math.max(0, bytes - json.length))}"`);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function streamHead(): string {
  return 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Events go out one at a time, as tokens do, each in a turn of its own. */
function streamEvents(socket: Socket, left: number): void {
  if (socket.destroyed) return;
  if (left === 0) return void socket.write(`${chunk('data: [DONE]\n\n')}0\r\n\r\n`, 'latin1');
  socket.write(chunk(EVENT), 'latin1');
  setImmediate(streamEvents, socket, left - 1);
}

function respond(socket: Socket): void {
  socket.write(answer, 'latin1');
  if (events > 0) streamEvents(socket, events);
}

createServer({ noDelay: true }, (socket) => {
  let head = '';
  let bodyLeft = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    if (bodyLeft > 0) {
      bodyLeft -= bytes.length;
    } else {
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end + 2))?.[1];
      bodyLeft = Number(length ?? 0) - (head.length - end - 4);
      head = '';
    }
    if (bodyLeft > 0) return;
    if (delayMs > 0) setTimeout(respond, delayMs, socket);
    else respond(socket);
  });
}).listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4096 });
