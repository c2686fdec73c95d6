import { type Socket, connect } from 'node:net';

export interface ChurnOptions {
  readonly connections: number;
  /** At once. */
  readonly concurrency: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What a prediction is sent to; with `/slow` behind it, to a model server that does not answer for some time. */
  readonly path: string;
  /** Addresses that connections come from, in turn: one has no more than some 28,000 ports. Default: the system's choice. */
  readonly from?: readonly string[];
  /** Told of each connection when it is no more. */
  readonly onOver: (used: UsedConnection) => void;
}

/** What came of one connection. */
export interface UsedConnection {
  /** How it was used. */
  readonly kind: string;
  /** Whole requests that were sent: a version may have been asked. */
  readonly asked: readonly Asked[];
  /** Wall clock, ms. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly connected: boolean;
  /** The other side was to end it, and did not. */
  readonly stuck: boolean;
  /** Code of an error, which is nothing special where somebody breaks off. */
  readonly error: string | null;
}

export interface Asked {
  readonly user: string;
  /** The client stays until it is answered. */
  readonly waits: boolean;
  /** Null: its head did not come, or not whole. */
  readonly answer: Answered | null;
}

export interface Answered {
  readonly status: number;
  readonly version: string | null;
  readonly predictionId: string | null;
  /** To its last byte. */
  readonly isWhole: boolean;
}

const BODY = '{"inputs":[]}';
const USERS = 10_000;
const PIECE_CHARS = 24;
/** A connection on which nothing moves for so long is one that the other side has forgotten. */
const STUCK_MS = 30_000;

/** A whole request of the next user; `more`: header lines. */
type Ask = (options?: { readonly more?: string; readonly slow?: true }) => string;

interface Life {
  readonly kind: string;
  readonly says: (ask: Ask) => string;
  /** Whole requests in what it says. */
  readonly asks: number;
  readonly waits: boolean;
  /** Leaves when this much has come; Infinity: stays until the other side closes; 0: leaves when all is said. */
  readonly leavesAfterBytes: number;
  /** `half-closes`: says that nothing more will come, and stays until the other side closes. */
  readonly leaves: 'ends' | 'resets' | 'half-closes';
  /** Says it piece by piece. */
  readonly dribbles?: true;
}

const last = 'Connection: close\r\n';
const STAYS = { leavesAfterBytes: Infinity, leaves: 'ends' } as const;

const LIVES: readonly Life[] = [
  { kind: 'asks once', says: (ask) => ask({ more: last }), asks: 1, waits: true, ...STAYS },
  {
    kind: 'asks three times at once',
    says: (ask) => ask() + ask() + ask({ more: last }),
    asks: 3,
    waits: true,
    ...STAYS,
  },
  { kind: 'says nothing', says: () => '', asks: 0, waits: false, leavesAfterBytes: 0, leaves: 'ends' },
  {
    kind: 'breaks off in the head',
    says: (ask) => ask().slice(0, 20),
    asks: 0,
    waits: false,
    leavesAfterBytes: 0,
    leaves: 'resets',
  },
  {
    kind: 'breaks off in the body',
    says: (ask) => ask().slice(0, -3),
    asks: 0,
    waits: false,
    leavesAfterBytes: 0,
    leaves: 'ends',
  },
  { kind: 'does not wait', says: (ask) => ask(), asks: 1, waits: false, leavesAfterBytes: 0, leaves: 'resets' },
  {
    kind: 'gives up waiting',
    says: (ask) => ask({ slow: true }),
    asks: 1,
    waits: false,
    leavesAfterBytes: 0,
    leaves: 'ends',
  },
  {
    kind: 'breaks off in the answer',
    says: (ask) => ask(),
    asks: 1,
    waits: false,
    leavesAfterBytes: 1,
    leaves: 'resets',
  },
  { kind: 'speaks no HTTP', says: () => '\x16\x03\x01\x02\0\r\n\r\n', asks: 0, waits: false, ...STAYS },
  {
    kind: 'is asked for its body and leaves',
    says: (ask) => ask({ more: 'Expect: 100-continue\r\n' }).slice(0, -BODY.length),
    asks: 0,
    waits: false,
    leavesAfterBytes: 1,
    leaves: 'ends',
  },
  { kind: 'dribbles', says: (ask) => ask({ more: last }), asks: 1, waits: true, dribbles: true, ...STAYS },
  {
    kind: 'dribbles and leaves in the body',
    says: (ask) => ask().slice(0, -3),
    asks: 0,
    waits: false,
    leavesAfterBytes: 0,
    leaves: 'ends',
    dribbles: true,
  },
  {
    kind: 'dribbles and half-closes',
    says: (ask) => ask({ slow: true }),
    asks: 1,
    waits: false,
    leavesAfterBytes: 0,
    leaves: 'half-closes',
    dribbles: true,
  },
];

/** Opens connections to a router and uses each as some client may: well, badly, or hardly at all. For tests. */
export async function churnConnections(url: string, options: ChurnOptions): Promise<void> {
  const { connections, concurrency, random, from, onOver } = options;
  const port = Number(new URL(url).port);
  let begun = 0;
  const client = async (): Promise<void> => {
    while (begun < connections) {
      const localAddress = from?.[begun % from.length];
      begun++;
      const life = LIVES[Math.floor(random() * LIVES.length)]!;
      onOver(await live(life, spoken(life, options), { port, localAddress }));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

/** What is said on one connection, and whose whole requests there are in it. */
interface Spoken {
  readonly text: string;
  readonly users: readonly string[];
}

function spoken({ says, asks }: Life, { random, path }: Pick<ChurnOptions, 'random' | 'path'>): Spoken {
  const users: string[] = [];
  const text = says(({ more = '', slow } = {}) => {
    const user = `user-${Math.floor(random() * USERS)}`;
    users.push(user);
    const target = slow ? `${path}/slow` : path;
    return `POST ${target} HTTP/1.1\r\nHost: h\r\nX-User-Id: ${user}\r\n${more}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
  });
  return { text, users: users.slice(0, asks) };
}

/** Resolves when the connection is no more. */
function live(
  { kind, leavesAfterBytes, leaves, waits, dribbles }: Life,
  { text, users }: Spoken,
  to: { readonly port: number; readonly localAddress: string | undefined },
): Promise<UsedConnection> {
  const beganMs = Date.now();
  const socket = connect({ ...to, host: '127.0.0.1', noDelay: true });
  let received = '';
  let connected = false;
  let stuck = false;
  let error: string | null = null;
  socket.on('connect', () => {
    connected = true;
    say(socket, dribbles ? piecesOf(text) : [text], () => leavesAfterBytes === 0 && leave(socket, leaves));
  });
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (received.length >= leavesAfterBytes) leave(socket, leaves);
  });
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (error = code ?? null));
  socket.setTimeout(STUCK_MS, () => {
    stuck = true;
    socket.destroy();
  });
  return new Promise((resolve) => {
    socket.once('close', () => {
      const answers = answersIn(received);
      const asked = users.map((user, i) => ({ user, waits, answer: answers[i] ?? null }));
      resolve({ kind, asked, beganMs, endedMs: Date.now(), connected, stuck, error });
    });
  });
}

const piecesOf = (text: string): string[] => text.match(new RegExp(`[^]{1,${PIECE_CHARS}}`, 'g')) ?? [];

/** One after the other, each in a packet of its own; then calls back, unless the connection ends before. */
function say(socket: Socket, [piece, ...rest]: readonly string[], onSaid: () => void): void {
  socket.write(piece!, 'latin1', (error) => {
    if (error) return;
    if (rest.length === 0) return onSaid();
    setImmediate(() => say(socket, rest, onSaid));
  });
}

function leave(socket: Socket, how: Life['leaves']): void {
  if (how === 'resets') socket.resetAndDestroy();
  else if (how === 'half-closes') socket.end();
  else socket.destroy();
}

/** The answers whose heads have come, in order; not those that only say that something is still to come. */
function answersIn(received: string): Answered[] {
  const answers: Answered[] = [];
  const heads = /HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/y;
  for (let found = heads.exec(received); found; found = heads.exec(received)) {
    const [head, status] = found;
    const value = (name: string): string | null => new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(head)?.[1] ?? null;
    heads.lastIndex += Number(value('content-length') ?? 0);
    const isWhole = heads.lastIndex <= received.length;
    if (Number(status) < 200) continue;
    const predictionId = value('x-prediction-id');
    answers.push({ status: Number(status), version: value('x-model-version'), predictionId, isWhole });
  }
  return answers;
}

/** What came of connections of one kind, or of all. */
export interface ChurnCount {
  connections: number;
  /** Whole requests that were sent. */
  asked: number;
  /** Whole answers with 200. */
  answered: number;
  /** Of requests whose clients waited, those that got no such answer. */
  unanswered: number;
  notConnected: number;
  stuck: number;
}

/** Counts connections by how they were used. */
export class ChurnTally {
  readonly all = noConnections();
  readonly kinds = new Map<string, ChurnCount>(LIVES.map(({ kind }) => [kind, noConnections()]));

  add({ kind, asked, connected, stuck }: UsedConnection): void {
    const isGood = ({ answer }: Asked): boolean => answer !== null && answer.status === 200 && answer.isWhole;
    for (const count of [this.all, this.kinds.get(kind)!]) {
      count.connections++;
      count.asked += asked.length;
      count.answered += asked.filter(isGood).length;
      count.unanswered += asked.filter((one) => one.waits && !isGood(one)).length;
      if (!connected) count.notConnected++;
      if (stuck) count.stuck++;
    }
  }
}

const noConnections = (): ChurnCount => ({
  connections: 0,
  asked: 0,
  answered: 0,
  unanswered: 0,
  notConnected: 0,
  stuck: 0,
});
