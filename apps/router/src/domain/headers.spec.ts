import { describe, expect, it } from 'vitest';
import { answerHeaders, requestHeaders, setUnitCookie, unitCookie } from './headers.js';

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
    expect(requestHeaders(raw, new Set(['x-try']))).toEqual(['X-Tag', 'a', 'x-tag', 'b']);
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
