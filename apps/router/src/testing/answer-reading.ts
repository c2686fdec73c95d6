import type { AnswerFault, AnswerHead } from '../domain/answer-head.js';
import { AnswerParser, type AnswerSink } from '../domain/answer-parser.js';

/** What a parser said about one answer. */
export interface AnswerRead {
  readonly head: AnswerHead | null;
  readonly body: string;
  readonly ended: boolean;
  readonly fault: AnswerFault | null;
}

/** Reads one answer that comes in these pieces; `closes`: and then the connection ends. For tests. */
export function readAnswer(
  pieces: readonly Buffer[],
  { toHead = false, closes = false }: { readonly toHead?: boolean; readonly closes?: boolean } = {},
): AnswerRead {
  let head: AnswerHead | null = null;
  let body = '';
  let ended = false;
  const add = (bytes: Buffer): void => void (body += bytes.toString('latin1'));
  const sink: AnswerSink = {
    onHead(read) {
      if (head || ended) throw new Error('a second head');
      head = read;
    },
    onBody(bytes) {
      if (!head || ended) throw new Error('a body where none can be');
      add(bytes);
    },
    onEnd(last) {
      if (!head || ended) throw new Error('an end where none can be');
      if (last) add(last);
      ended = true;
    },
  };
  const parser = new AnswerParser(sink);
  parser.begin(toHead);
  for (const piece of pieces) {
    // Each read overwrites the one before, as the shared buffer of the connections does.
    const read = Buffer.from(piece);
    const fault = parser.feed(read);
    read.fill(0);
    if (fault) return { head, body, ended, fault };
  }
  if (closes) parser.end();
  return { head, body, ended, fault: null };
}

/** Cuts bytes at random places into pieces that are mostly short. */
export function cutAtRandom(bytes: Buffer, random: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random() < 0.3 ? 1 : 1 + Math.floor(random() ** 3 * bytes.length);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
