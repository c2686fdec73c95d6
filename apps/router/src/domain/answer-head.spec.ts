import { describe, expect, it } from 'vitest';
import { type AnswerHead, parseAnswerHead } from './answer-head.js';

const parse = (lines: readonly string[], toHead = false) => parseAnswerHead(lines.join('\r\n'), toHead);
function head(lines: readonly string[], toHead = false): AnswerHead {
  const parsed = parse(lines, toHead);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}
const OK = 'HTTP/1.1 200 OK';

describe('the head of an answer', () => {
  it('is read with names and values as they stood on the wire', () => {
    expect(head([OK, 'Content-Type: \t application/json ', 'X-a:', 'x-A: \xe9:b', 'content-length: 12'])).toEqual({
      httpStatus: 200,
      rawHeaders: ['Content-Type', 'application/json', 'X-a', '', 'x-A', '\xe9:b', 'content-length', '12'],
      framing: 'length',
      bodyBytes: 12,
      contentLength: 12,
      contentType: 'application/json',
      contentEncoding: null,
      keepsAlive: true,
      keepAliveS: null,
    });
  });

  it.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.1 200 ', 200],
    ['HTTP/1.1 200', 200],
    ['HTTP/1.0 404 Not  Found\x80', 404],
    ['HTTP/1.1 599 x', 599],
    ['HTTP/1.1 100 Continue', 100],
  ])('may begin with %j', (line, httpStatus) => {
    expect(head([line])).toMatchObject({ httpStatus });
  });

  it.each([
    '',
    'HTTP/1.1',
    'HTTP/1.1 20',
    'HTTP/1.1 2000',
    'HTTP/1.1 20x',
    'HTTP/1.1 099',
    'HTTP/1.1 600',
    'HTTP/1.1  200',
    'HTTP/1.1\t200',
    'HTTP/1.2 200 OK',
    'HTTP/2 200',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x7fK',
  ])('does not begin with %j', (line) => {
    expect(parse([line])).toBe('malformed-head');
  });

  it.each([
    ['without a colon', ['X-A']],
    ['without a name', [': 1']],
    ['with a blank before the colon', ['X-A : 1']],
    ['with a blank in the name', ['X A: 1']],
    ['with a name that is none', ['X(A): 1']],
    ['with a name in another alphabet', ['X\xe9: 1']],
    ['that goes on in the next one', ['X-A: 1', ' 2']],
    ['that goes on after a tab', ['X-A: 1', '\t2']],
    ['with a bare line feed', ['X-A: 1\nX-B: 2']],
    ['with a bare carriage return', ['X-A: 1\rX-B: 2']],
    ['with a NUL', ['X-A: \0']],
    ['with a control character', ['X-A: \x1b[2J']],
    ['that is empty', ['', 'X-A: 1']],
  ])('has no line %s', (_what, lines) => {
    expect(parse([OK, ...lines])).toBe('malformed-head');
  });

  it.each([
    ['both a length and chunks', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
    ['two lengths that differ', ['Content-Length: 2', 'Content-Length: 3']],
    ['two lengths', ['Content-Length: 2', 'content-length: 2']],
    ['lengths in a list', ['Content-Length: 2, 2']],
    ['an empty length', ['Content-Length:']],
    ['a signed length', ['Content-Length: +2']],
    ['a negative length', ['Content-Length: -2']],
    ['a length in another base', ['Content-Length: 0x2']],
    ['a length with a blank in it', ['Content-Length: 1 2']],
    ['a fraction', ['Content-Length: 2.0']],
    ['a length beyond all numbers', [`Content-Length: ${'9'.repeat(30)}`]],
    ['two encodings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['an encoding that is not known', ['Transfer-Encoding: gzip']],
    ['chunks inside of another encoding', ['Transfer-Encoding: gzip, chunked']],
    ['chunks that are not the last encoding', ['Transfer-Encoding: chunked, identity']],
    ['an encoding in disguise', ['Transfer-Encoding: xchunked']],
    ['an empty encoding', ['Transfer-Encoding:']],
  ])('must not say %s', (_what, lines) => {
    expect(parse([OK, ...lines])).toBe('ambiguous-length');
  });

  it('of the old protocol has no chunks', () => {
    expect(parse(['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'])).toBe('ambiguous-length');
  });

  it('must not switch to another protocol: nobody asked for one', () => {
    expect(parse(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'])).toBe('protocol-switch');
  });

  it.each([
    [['Content-Length: 5'], 'length', 5],
    [['Content-Length: 0'], 'none', 0],
    [['content-LENGTH:\t007 '], 'length', 7],
    [['Transfer-Encoding: chunked'], 'chunked', 0],
    [['transfer-encoding: Chunked'], 'chunked', 0],
    [[], 'until-close', 0],
  ])('with %j is followed by a body: %s', (lines, framing, bodyBytes) => {
    expect(head([OK, ...lines])).toMatchObject({ framing, bodyBytes });
  });

  it.each([
    ['to a HEAD', OK, true],
    ['of 204', 'HTTP/1.1 204 No Content', false],
    ['of 304', 'HTTP/1.1 304 Not Modified', false],
    ['of 103', 'HTTP/1.1 103 Early Hints', false],
  ])('%s is followed by no body, whatever it says', (_what, line, toHead) => {
    expect(head([line, 'Content-Length: 5'], toHead)).toMatchObject({
      framing: 'none',
      bodyBytes: 0,
      contentLength: 5,
    });
    expect(head([line, 'Transfer-Encoding: chunked'], toHead)).toMatchObject({ framing: 'none' });
    expect(head([line], toHead)).toMatchObject({ framing: 'none', keepsAlive: true });
  });

  it.each([
    ['HTTP/1.1 200 OK', ['Content-Length: 1'], true],
    ['HTTP/1.1 200 OK', ['Content-Length: 1', 'Connection: close'], false],
    ['HTTP/1.1 200 OK', ['Content-Length: 1', 'Connection: X-A, Close'], false],
    ['HTTP/1.1 200 OK', ['Content-Length: 1', 'Connection: keep-alive', 'Connection: close'], false],
    ['HTTP/1.1 200 OK', ['Content-Length: 1', 'Connection: closed'], true],
    ['HTTP/1.0 200 OK', ['Content-Length: 1'], false],
    ['HTTP/1.0 200 OK', ['Content-Length: 1', 'Connection: Keep-Alive'], true],
    ['HTTP/1.1 200 OK', [], false],
  ])('%s with %j lets its connection live: %s', (line, lines, keepsAlive) => {
    expect(head([line, ...lines])).toMatchObject({ keepsAlive });
  });

  it('may say for how long', () => {
    const keepAliveS = (value: string) => head([OK, `Keep-Alive: ${value}`]).keepAliveS;
    expect(['timeout=5', 'max=9, timeout=72', 'timeout=5,max=9'].map(keepAliveS)).toEqual([5, 72, 5]);
    expect(['', 'timeout=', 'xtimeout=5', 'timeout=5x'].map(keepAliveS)).toEqual([null, null, null, null]);
  });
});
