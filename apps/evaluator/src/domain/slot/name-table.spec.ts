import { describe, expect, it } from 'vitest';
import { NameTable } from './name-table.js';

/** The text, read from somewhere within other bytes. */
function read(table: NameTable, text: string): string {
  const bytes = Buffer.from(`.${text}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return table.textOf(view, 1, text.length);
}

describe('NameTable', () => {
  it('gives each text as it is, when it is new and when it is known', () => {
    const table = new NameTable();
    const texts = ['', 'v', 'v1', 'v10', 'model-1', 'model-2', '1', '__proto__', 'x'.repeat(200)];
    for (let turn = 0; turn < 3; turn++) expect(texts.map((text) => read(table, text))).toEqual(texts);
  });

  it('tells texts apart that differ in one byte only, wherever it stands', () => {
    const table = new NameTable();
    const texts = Array.from({ length: 23 }, (_, i) => `${'a'.repeat(i)}b${'a'.repeat(22 - i)}`);
    for (let turn = 0; turn < 2; turn++) expect(texts.map((text) => read(table, text))).toEqual(texts);
  });

  it('stays right with more texts than it has places, and than it has room for', () => {
    const table = new NameTable();
    const texts = Array.from({ length: 20_000 }, (_, i) => `model-${i}-${'m'.repeat(i % 150)}`);
    for (let turn = 0; turn < 2; turn++) for (const text of texts) if (read(table, text) !== text) expect.fail(text);
  });
});
