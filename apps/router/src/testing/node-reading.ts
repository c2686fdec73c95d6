import { request } from 'node:http';
import { Duplex } from 'node:stream';

/** What Node's own HTTP client makes of an answer; a text says why it refuses it. For tests. */
export function readByNode(
  answer: Buffer,
  { toHead = false, closes = false }: { readonly toHead?: boolean; readonly closes?: boolean } = {},
): Promise<{ readonly httpStatus: number; readonly body: string } | string> {
  const connection = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
    final: (done) => done(),
  });
  return new Promise((resolve) => {
    const sent = request({ method: toHead ? 'HEAD' : 'GET', createConnection: () => connection });
    sent.on('error', (error) => resolve(error.message));
    sent.on('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve({ httpStatus: response.statusCode!, body }));
    });
    sent.end();
    setImmediate(() => {
      connection.push(answer);
      if (closes) connection.push(null);
    });
  });
}
