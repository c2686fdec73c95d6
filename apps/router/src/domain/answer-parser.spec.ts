import { describe, expect, it } from 'vitest';
import { cutAtRandom, readAnswer } from '../testing/answer-reading.js';
import { readByNode } from '../testing/node-reading.js';
import { seededRandom } from '../testing/seeded-random.js';
import { AnswerParser } from './answer-parser.js';

const bytes = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1');
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const NO_LENGTH = 'HTTP/1.0 200 OK\r\n\r\n';
const read = (text: string, options: Parameters<typeof readAnswer>[1] = {}) => readAnswer([bytes(text)], options);

describe('an answer', () => {
  it.each([
    ['with a length', `${LENGTH}hello`, 'hello'],
    ['in chunks', `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, 'hello'],
    ['in chunks with extensions', `${CHUNKED}5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n`, 'hello'],
    [
      'in chunks with sizes in any writing',
      `${CHUNKED}00005\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n`,
      'hello0123456789',
    ],
    ['in chunks with a trailer', `${CHUNKED}5\r\nhello\r\n0\r\nX-Prediction-Id: forged\r\nx: \r\n\r\n`, 'hello'],
    ['with no body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', ''],
    ['with no chunks', `${CHUNKED}0\r\n\r\n`, ''],
    [
      'after informational ones',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${LENGTH}hello`,
      'hello',
    ],
    ['after one that claims to have a length', `HTTP/1.1 102 x\r\nContent-Length: 7\r\n\r\n${LENGTH}hello`, 'hello'],
    ['of line breaks', `${LENGTH}\r\n\r\n\n`, '\r\n\r\n\n'],
  ])('%s is read to its end', (_what, text, body) => {
    expect(read(text)).toMatchObject({ body, ended: true, fault: null, head: { httpStatus: 200 } });
  });

  it.each([
    ['to a HEAD', LENGTH, true],
    ['to a HEAD in chunks', CHUNKED, true],
    ['of 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false],
    ['of 304', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', false],
  ])('%s ends with its head', (_what, text, toHead) => {
    expect(read(text, { toHead })).toMatchObject({ body: '', ended: true, fault: null });
    expect(read(`${text}hello`, { toHead })).toMatchObject({ ended: false, fault: 'excess-bytes' });
  });

  it.each([
    ['to a HEAD', [false, true, false]],
    ['to another method', [true, false, true]],
  ])('after the same head %s is read by what was asked', (_what, toHeads) => {
    const ends: boolean[] = [];
    const parser = new AnswerParser({ onHead: () => undefined, onBody: () => undefined, onEnd: (b) => ends.push(!b) });
    for (const toHead of toHeads) {
      parser.begin(toHead);
      expect(parser.feed(bytes(LENGTH, toHead ? '' : 'hello'))).toBeNull();
    }
    expect(ends).toEqual(toHeads);
  });

  it('without a length ends with its connection', () => {
    expect(read(`${NO_LENGTH}hello`)).toMatchObject({ body: 'hello', ended: false, fault: null });
    expect(read(`${NO_LENGTH}hello`, { closes: true })).toMatchObject({ body: 'hello', ended: true });
    expect(read(NO_LENGTH, { closes: true })).toMatchObject({ body: '', ended: true });
  });

  it.each([
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['before its body', LENGTH],
    ['in its body', `${LENGTH}hell`],
    ['in a chunk', `${CHUNKED}5\r\nhel`],
    ['in the size of a chunk', `${CHUNKED}5`],
    ['between chunks', `${CHUNKED}5\r\nhello\r\n`],
    ['before the last line', `${CHUNKED}5\r\nhello\r\n0\r\n`],
    ['in a trailer', `${CHUNKED}0\r\nX-A: 1\r\n`],
    ['after an informational one', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('that is cut off %s has not ended', (_what, text) => {
    expect(read(text, { closes: true })).toMatchObject({ ended: false, fault: null });
  });

  it.each([
    ['a length', `${LENGTH}hello!`],
    ['chunks', `${CHUNKED}0\r\n\r\nHTTP/1.1 200 OK\r\n`],
  ])('with %s and more than that is none, and its last bytes are held back', (_what, text) => {
    expect(read(text)).toMatchObject({ body: '', ended: false, fault: 'excess-bytes' });
  });

  it.each([
    ['no size', '\r\nhello\r\n0\r\n\r\n'],
    ['a size that is none', 'g\r\nhello\r\n'],
    ['a size with a prefix', '0x5\r\nhello\r\n'],
    ['a sign before the size', '+5\r\nhello\r\n'],
    ['a blank before the size', ' 5\r\nhello\r\n'],
    ['a blank after the size', '5 \r\nhello\r\n'],
    ['a blank between its size and an extension', '5 ;x\r\nhello\r\n'],
    ['a size beyond all numbers', 'fffffffffffffffff\r\nhello\r\n'],
    ['a bare line feed after its size', '5\nhello\r\n'],
    ['a bare carriage return in its size', '5\rx\r\nhello\r\n'],
    ['an extension with a NUL', '5;\0\r\nhello\r\n'],
    ['an endless extension', `5;${'x'.repeat(5000)}\r\nhello\r\n`],
    ['an endless extension whose end does not come', `5;${'x'.repeat(5000)}`],
    ['more in it than its size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['less in it than its size', '5\r\nhell\r\n0\r\n\r\n'],
    ['a bare line feed after it', '5\r\nhello\n0\r\n\r\n'],
    ['no line break after it', '5\r\nhello0\r\n\r\n'],
  ])('with a chunk that has %s is none', (_what, chunks) => {
    expect(read(CHUNKED + chunks)).toMatchObject({ ended: false, fault: 'malformed-chunk' });
  });

  it.each([
    ['without a colon', 'x\r\n\r\n'],
    ['without a name', ': x\r\n\r\n'],
    ['that goes on in the next one', 'a: b\r\n c\r\n\r\n'],
    ['with a bare line feed', 'a: b\nc: d\r\n\r\n'],
    ['that has no end', `${'a: b\r\n'.repeat(5000)}`],
  ])('with a trailer %s is none', (_what, trailer) => {
    expect(read(`${CHUNKED}0\r\n${trailer}`)).toMatchObject({ ended: false, fault: 'malformed-chunk' });
  });

  it('must come after few informational ones', () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    expect(read(hint.repeat(32) + LENGTH)).toMatchObject({ fault: null });
    expect(read(hint.repeat(33) + LENGTH)).toMatchObject({ fault: 'malformed-head' });
  });

  it('with a head that does not end is given up, and so is one that cannot become a head', () => {
    expect(read(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(66_000)}`)).toMatchObject({ fault: 'head-too-long' });
    expect(read(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(66_000)}\r\n\r\n`)).toMatchObject({ fault: 'head-too-long' });
    expect(read(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(60_000)}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({
      ended: true,
    });
    for (const text of [
      'S',
      'SSH-2.0-OpenSSH',
      '\r\n',
      '{"error":1}',
      'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
      'HTTP/2',
    ])
      expect(read(text), text).toMatchObject({ fault: 'malformed-head' });
  });

  it('leaves the connection ready for the next one', () => {
    const ended: string[] = [];
    let body = '';
    const parser = new AnswerParser({
      onHead: () => (body = ''),
      onBody: (piece) => (body += String(piece)),
      onEnd: (last) => ended.push(body + String(last ?? '')),
    });
    const answers = [`${LENGTH}hello`, `${CHUNKED}2\r\nhi\r\n0\r\nx: y\r\n\r\n`, `${LENGTH}world`];
    for (const answer of answers) {
      parser.begin(false);
      expect([parser.isUntouched, parser.isDone]).toEqual([true, false]);
      expect(parser.feed(bytes(answer))).toBeNull();
      expect([parser.isUntouched, parser.isDone]).toEqual([false, true]);
    }
    expect(ended).toEqual(['hello', 'hi', 'world']);
  });

  it('is told no further when the one who is told stops it', () => {
    for (const at of ['onHead', 'onBody'] as const) {
      for (const text of [`${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, 'HTTP/1.1 204 x\r\n\r\n']) {
        const told: string[] = [];
        const tell = (what: string) => () => {
          told.push(what);
          if (what === at) parser.stop();
        };
        const parser = new AnswerParser({ onHead: tell('onHead'), onBody: tell('onBody'), onEnd: tell('onEnd') });
        parser.begin(false);
        expect(parser.feed(bytes(text))).toBeNull();
        expect(told.at(-1)).toBe(text.includes('204') && at === 'onBody' ? 'onEnd' : at);
      }
    }
  });
});

/** Heads, bodies and what may be wrong with them, put together at random. */
function randomAnswer(random: () => number): { text: string; toHead: boolean; closes: boolean } {
  const pick = <T>(...from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const length = Math.floor(random() * 40);
  const body = Array.from({ length }, () => String.fromCharCode(Math.floor(random() * 256))).join('');
  const chunk = (): string => {
    const part = body.slice(0, Math.floor(random() * length));
    return part === '' ? '' : `${part.length.toString(16)}${pick('', '', ';x=y')}\r\n${part}\r\n`;
  };
  const [header, rest] = pick<readonly [string, string]>(
    [`Content-Length: ${length}`, body],
    [`Content-Length: ${length}`, body],
    ['Transfer-Encoding: chunked', `${chunk()}${chunk()}${chunk()}0\r\n${pick('', 'A: b\r\n')}\r\n`],
    ['Transfer-Encoding: chunked', `${chunk()}${chunk()}0\r\n\r\n`],
    ['X-None: 1', body],
  );
  const informational = pick('', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 x\r\nLink: </a>\r\n\r\n');
  const status = pick('HTTP/1.1 200 OK', 'HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 204 x', 'HTTP/1.1 503');
  let text = `${informational}${status}\r\n${pick('', 'X-A: \t1 \r\n')}${header}\r\n\r\n${rest}`;
  // Some damage, in half of them: what then comes of it must not depend on the cuts either.
  for (let hurts = pick(0, 0, 1, 2); hurts > 0; hurts--) {
    const at = Math.floor(random() * text.length);
    const wrong = pick('', '\n', '\r', '\r\n', '\0', ' ', ':', '0', 'f', '\r\n\r\n', 'Content-Length: 3\r\n');
    text = text.slice(0, at) + wrong + text.slice(at + pick(0, 1));
  }
  return { text, toHead: random() < 0.05, closes: random() < 0.5 };
}

describe('any answer', () => {
  it('is read the same however it is cut', () => {
    let whole = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const random = seededRandom(seed);
      const { text, ...how } = randomAnswer(random);
      const atOnce = readAnswer([bytes(text)], how);
      if (atOnce.ended) whole++;
      for (let cut = 0; cut < 4; cut++) {
        const pieces = cut === 0 ? [...text].map((c) => bytes(c)) : cutAtRandom(bytes(text), random);
        const inPieces = readAnswer(pieces, how);
        // What follows a complete answer is seen with it, or by the connection as bytes that nobody asked for.
        if (atOnce.fault === 'excess-bytes' && inPieces.ended) continue;
        // A body that turns out to be wrong may have been passed on as far as it came.
        const same = atOnce.fault ? { head: inPieces.head, body: inPieces.body } : {};
        expect(inPieces, `seed ${seed}: ${JSON.stringify(text)}`).toEqual({ ...atOnce, ...same });
      }
    }
    expect(whole).toBeGreaterThan(900);
  });

  it('is never read otherwise than Node reads it', async () => {
    let compared = 0;
    for (let seed = 10_001; seed <= 10_600; seed++) {
      const { text, ...how } = randomAnswer(seededRandom(seed));
      const ours = readAnswer([bytes(text)], how);
      if (!ours.ended) continue;
      const nodes = await readByNode(bytes(text), how);
      if (typeof nodes === 'string') continue; // extensions of chunks, which are thrown away, may be anything here
      compared++;
      const { httpStatus } = ours.head!;
      expect(nodes, `seed ${seed}: ${JSON.stringify(text)}`).toEqual({ httpStatus, body: ours.body });
    }
    expect(compared).toBeGreaterThan(150);
  });
});
