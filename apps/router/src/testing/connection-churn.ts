import { type Socket, connect } from 'node:net';

export interface ChurnOptions {
  readonly connections: number;
  /** At once. */
  readonly concurrency: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What a prediction is sent to; with `/slow` behind it, to a model server that does not answer for some time. */
  readonly path: string;
}

export interface ChurnResult {
  /** Connections by how they were used. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers with 200. */
  readonly answered: number;
  /** Of those that asked for an answer and waited for it, those that got none. */
  readonly unanswered: number;
}

const BODY = '{"inputs":[]}';

interface Life {
  readonly kind: string;
  readonly says: (path: string) => string;
  /** Leaves when this much has come; Infinity: stays until the other side closes; 0: leaves at once. */
  readonly leavesAfterBytes: number;
  readonly leaves: 'ends' | 'resets';
  /** Answers with 200 that it waits for. */
  readonly waitsFor: number;
}

const request = (path: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\n${more}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
const last = 'Connection: close\r\n';

const LIVES: readonly Life[] = [
  { kind: 'asks once', says: (path) => request(path, last), leavesAfterBytes: Infinity, leaves: 'ends', waitsFor: 1 },
  {
    kind: 'asks three times at once',
    says: (path) => request(path) + request(path) + request(path, last),
    leavesAfterBytes: Infinity,
    leaves: 'ends',
    waitsFor: 3,
  },
  { kind: 'says nothing', says: () => '', leavesAfterBytes: 0, leaves: 'ends', waitsFor: 0 },
  {
    kind: 'breaks off in the head',
    says: (path) => request(path).slice(0, 20),
    leavesAfterBytes: 0,
    leaves: 'resets',
    waitsFor: 0,
  },
  {
    kind: 'breaks off in the body',
    says: (path) => request(path).slice(0, -3),
    leavesAfterBytes: 0,
    leaves: 'ends',
    waitsFor: 0,
  },
  { kind: 'does not wait', says: (path) => request(path), leavesAfterBytes: 0, leaves: 'resets', waitsFor: 0 },
  {
    kind: 'gives up waiting',
    says: (path) => request(`${path}/slow`),
    leavesAfterBytes: 0,
    leaves: 'ends',
    waitsFor: 0,
  },
  {
    kind: 'breaks off in the answer',
    says: (path) => request(path),
    leavesAfterBytes: 1,
    leaves: 'resets',
    waitsFor: 0,
  },
  {
    kind: 'speaks no HTTP',
    says: () => '\x16\x03\x01\x02\0\r\n\r\n',
    leavesAfterBytes: Infinity,
    leaves: 'ends',
    waitsFor: 0,
  },
  {
    kind: 'is asked for its body and leaves',
    says: (path) => `POST ${path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    leavesAfterBytes: 1,
    leaves: 'ends',
    waitsFor: 0,
  },
];

/** Opens connections to a router and uses each as some client may: well, badly, or hardly at all. For tests. */
export async function churnConnections(url: string, options: ChurnOptions): Promise<ChurnResult> {
  const { connections, concurrency, random, path } = options;
  const port = Number(new URL(url).port);
  const kinds: Record<string, number> = {};
  let [begun, answered, unanswered] = [0, 0, 0];
  const client = async (): Promise<void> => {
    while (begun++ < connections) {
      const life = LIVES[Math.floor(random() * LIVES.length)]!;
      kinds[life.kind] = (kinds[life.kind] ?? 0) + 1;
      const got = await live(port, life, path);
      answered += got;
      unanswered += Math.max(0, life.waitsFor - got);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  return { kinds, answered, unanswered };
}

/** Resolves with the number of answers with 200, when the connection is no more. */
function live(port: number, { says, leavesAfterBytes, leaves }: Life, path: string): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  socket.on('connect', () => {
    socket.write(says(path), 'latin1', () => leavesAfterBytes === 0 && leave(socket, leaves));
  });
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (received.length >= leavesAfterBytes) leave(socket, leaves);
  });
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.once('close', () => resolve(received.match(/HTTP\/1\.1 200 /g)?.length ?? 0));
  });
}

function leave(socket: Socket, how: Life['leaves']): void {
  if (how === 'resets') socket.resetAndDestroy();
  else socket.destroy();
}
