import { describe, expect, it } from 'vitest';
import { answerHeaders, readRequestHead, setUnitCookie, unitCookie } from './headers.js';

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
    expect(head.headers).toEqual(['X-Tag', 'a', 'x-tag', 'b']);
    expect(head).toMatchObject({ override: 'v2', contentLength: 3, hasBody: true });
  });

  it('name the user by the header or the cookie, the first of each, and are sent on all the same', () => {
    const unit = '0123456789abcdef0123456789abcdef';
    const raw = ['X-User-Id', '', 'X-User-ID', 'ann', 'x-user-id', 'bob', 'Cookie', `mc_unit=${unit}`, 'X-Try', 'v2'];
    const head = readRequestHead(raw, { user: 'x-user-id', override: null, cookie: true });
    expect(head).toEqual({
      headers: raw,
      user: 'ann',
      override: null,
      cookieUnit: unit,
      contentLength: null,
      hasBody: false,
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

  it('of an answer lose the same, keep their length, and cannot fake ours', () => {
    const raw = ['Content-Length', '3', 'X-Prediction-Id', 'fake', 'X-Model-Version', 'fake', 'Set-Cookie', 'a=1'];
    raw.push('Set-Cookie', 'b=2', 'Connection', 'keep-alive', 'Transfer-Encoding', 'chunked');
    expect(answerHeaders(raw)).toEqual(['Content-Length', '3', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
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
