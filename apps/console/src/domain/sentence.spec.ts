import { expect, test } from 'vitest';
import { sentence } from './sentence.js';

test.each([
  ['accuracy is 72 %', 'Accuracy is 72 %.'],
  ['v2 is not ready', 'v2 is not ready.'],
  ['digits-1 starts: v2 gets 10 %', 'digits-1 starts: v2 gets 10 %.'],
  ['p99 latency is 145 ms', 'P99 latency is 145 ms.'],
  ['is the evaluator running?', 'Is the evaluator running?'],
  ['', ''],
])('%j stands alone as %j', (text, expected) => expect(sentence(text)).toBe(expected));

test('names are written as they are called', () => {
  expect(sentence('welcome registered by ann', ['welcome'])).toBe('welcome registered by ann.');
});
