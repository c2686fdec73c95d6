import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '   ',
};

/**
 * Columns under upper-case heads, without borders, as kubectl prints them; colours do not count for the widths. On a
 * screen of `columns` characters the column `wide` is wrapped so that the rows fit.
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  fit: { readonly columns?: number; readonly wide?: number } = {},
): string[] {
  const table = new Table({
    head: [...head],
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  const texts = rows.map((row) => [...row]);
  if (fit.columns !== undefined && fit.wide !== undefined) {
    const { wide } = fit;
    const others = head.map((name, i) =>
      i === wide ? 0 : Math.max(...[name, ...rows.map((row) => row[i]!)].map(width)),
    );
    const gaps = (head.length - 1) * NO_BORDERS.middle.length;
    const room = fit.columns - gaps - others.reduce((sum, w) => sum + w, 0);
    for (const row of texts) row[wide] = wrapped(row[wide]!, Math.max(WRAPPED_WIDTH_MIN, room)).join('\n');
  }
  table.push(...texts);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

const WRAPPED_WIDTH_MIN = 30;
const width = (text: string): number => stripVTControlCharacters(text).length;

/** Words in lines of at most so many characters; a longer word has a line of its own. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
