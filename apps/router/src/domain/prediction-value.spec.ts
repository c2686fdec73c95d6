import { classHash } from '@app/shared/core';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.js';
import { NO_VALUE, PredictionReader } from './prediction-value.js';
import { NOTHING_WATCHED } from './watched.js';

const read = (pointer: string, kind: 'class' | 'number', body: unknown) =>
  new AnswerReader(new PredictionReader(pointer, kind), NOTHING_WATCHED).read(
    Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ).prediction;

describe('the predicted value', () => {
  it.each([
    ['/outputs/0/data/0', { outputs: [{ data: [3, 4] }] }, 3],
    ['/label', { label: 'cat' }, 'cat'],
    ['/ok', { ok: true }, 'true'],
    ['/a~1b/~0c', { 'a/b': { '~c': 'x' } }, 'x'],
    ['', '"whole"', 'whole'],
  ])('is read at %j as a class', (pointer, body, value) => {
    expect(read(pointer, 'class', body)).toEqual({ kind: 'class', sealed: classHash(value), shown: value });
  });

  it('is read as a number, from text too', () => {
    expect(read('/y', 'number', { y: -1.5 })).toEqual({ kind: 'number', sealed: -1.5, shown: -1.5 });
    expect(read('/y', 'number', { y: '12.5' })).toMatchObject({ sealed: 12.5 });
  });

  it('is sealed and not shown when it is a long class', () => {
    const long = 'x'.repeat(501);
    expect(read('/c', 'class', { c: long })).toEqual({ kind: 'class', sealed: classHash(long), shown: undefined });
  });

  it.each([
    ['/a/b', 'class', { a: 1 }],
    ['/a', 'class', { a: { b: 1 } }],
    ['/a', 'class', { a: null }],
    ['/toString', 'class', {}],
    ['/length', 'number', '"text"'],
    ['/a', 'number', { a: 'x' }],
    ['/a', 'number', { a: '' }],
    ['/a', 'number', '{"a":1e999}'],
    ['/a', 'class', 'not json'],
    ['/a', 'class', ''],
  ] as const)('is none at %j as %s in %j', (pointer, kind, body) => {
    expect(read(pointer, kind, body)).toEqual(NO_VALUE);
  });
});
