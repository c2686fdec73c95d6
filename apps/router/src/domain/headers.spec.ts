import { describe, expect, it } from 'vitest';
import { answerHeaders, readRequestHead, setUnitCookie, unitCookie, withoutHeaders } from './headers.js';

describe('headers', () => {
  it('of a connection, those it names, and ours are not sent on; the rest keeps case, order and repetition', () => {
    const raw = [
      'Host',
      'h',
      'Content-Length',
      '3',
      'X-Tag',
      'a',
      'X-Prediction-ID',
      'forged',
      'x-model-version',
      'v9',
    ];
    raw.push('Connection', 'close, X-Secret', 'x-secret', '1', 'Keep-Alive', 'timeout=5', 'TE', 'trailers');
    raw.push('Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Expect', '100-continue', 'x-tag', 'b', 'X-Try', 'v2');
    const head = readRequestHead(raw, { user: 'x-user-id', override: 'x-try', cookie: false });
    expect(head.lines).toBe('X-Tag: a\r\nx-tag: b\r\n');
    expect(head).toMatchObject({ override: 'v2', contentLength: 3, hasBody: true });
  });

  it('name the user by the header or the cookie, the first of each, and are sent on all the same', () => {
    const unit = '0123456789abcdef0123456789abcdef';
    const raw = ['X-User-Id', '', 'X-User-ID', 'ann', 'x-user-id', 'bob', 'Cookie', `mc_unit=${unit}`, 'X-Try', 'v2'];
    const head = readRequestHead(raw, { user: 'x-user-id', override: null, cookie: true });
    expect(head).toEqual({
      lines: `X-User-Id: \r\nX-User-ID: ann\r\nx-user-id: bob\r\nCookie: mc_unit=${unit}\r\nX-Try: v2\r\n`,
      user: 'ann',
      override: null,
      cookieUnit: unit,
      contentLength: null,
      hasBody: false,
      fault: null,
    });
  });

  it.each([
    [[], false],
    [['Content-Length', '0'], false],
    [['Content-Length', '1'], true],
    [['Transfer-Encoding', 'chunked'], true],
  ])('%j announce a body: %s', (raw, hasBody) => {
    expect(readRequestHead(raw, { user: 'u', override: null, cookie: false }).hasBody).toBe(hasBody);
  });

  it.each([
    [['Host', 'a', 'host', 'a'], 'two-hosts'],
    [['Transfer-Encoding', 'gzip, chunked'], 'transfer-encoding'],
    [['Transfer-Encoding', 'Chunked', 'Host', 'a'], null],
  ])('%j cannot be passed on: %s', (raw, fault) => {
    expect(readRequestHead(raw, { user: 'u', override: null, cookie: false }).fault).toBe(fault);
  });

  it('of an answer lose the same, keep their length, and cannot fake ours', () => {
    const raw = ['Content-Length', '3', 'X-Prediction-Id', 'fake', 'X-Model-Version', 'fake', 'Set-Cookie', 'a=1'];
    raw.push('Set-Cookie', 'b=2', 'Connection', 'keep-alive', 'Transfer-Encoding', 'chunked');
    expect(answerHeaders(200, raw)).toEqual(['Content-Length', '3', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
    expect(answerHeaders(204, raw)).toEqual(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  it('that are ours cannot be set from outside in any spelling', () => {
    const names = ['x-prediction-id', 'x-model-version', 'x-model-shadow'];
    const spellings = names.flatMap((name) => [
      name,
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      `X_${name.slice(2)}`,
    ]);
    const raw = spellings.flatMap((name) => [name, 'forged']);
    expect(readRequestHead(raw, { user: 'u', override: null, cookie: false }).lines).toBe('');
    expect(answerHeaders(200, raw)).toEqual([]);
    expect(answerHeaders(200, ['x_model_verszon', '1'])).toHaveLength(2);
  });

  it('of some names are left out of lines, and only those', () => {
    const lines = 'A: 1\r\nX-Key: a: b\r\nx-key-2: 3\r\nx-KEY: 4\r\n';
    expect(withoutHeaders(lines, new Set(['x-key']))).toBe('A: 1\r\nx-key-2: 3\r\n');
    expect(withoutHeaders('', new Set(['x-key']))).toBe('');
  });

  it('give back our cookie, and only one that we made', () => {
    const unit = '0123456789abcdef0123456789abcdef';
    const sent = setUnitCookie(unit).split(';')[0]!;
    expect(unitCookie(`a=1; ${sent}; b=2`)).toBe(unit);
    for (const header of [undefined, '', 'a=1', 'mc_unit=', 'mc_unit=abc', `xmc_unit=${unit}`, 'mc_unit']) {
      expect(unitCookie(header)).toBeNull();
    }
  });
});
