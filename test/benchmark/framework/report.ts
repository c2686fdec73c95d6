import type { Spread } from './figures.js';

/** What a figure should be. */
export interface Goal {
  readonly atMost: number;
}

/** One line of a report: a figure over the rounds of a run, and beside it what it should be. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly spread: Spread;
  readonly goal?: Goal;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Said below the table. */
  readonly notes?: readonly string[];
}

/** Undefined: there is no goal. By the median. */
export function goalMet({ spread, goal }: Row): boolean | undefined {
  return goal === undefined ? undefined : spread.median <= goal.atMost;
}

/** Three digits that count, and thousands apart. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A section as a table of text. */
export function renderSection({ title, rows, notes = [] }: Section): string {
  const cells = rows.map((row) => {
    const { what, unit, spread, goal } = row;
    const met = goalMet(row);
    const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET';
    return [
      what,
      ...[spread.min, spread.median, spread.max].map(shown),
      unit,
      goal === undefined ? '' : `<= ${goal.atMost}`,
      verdict,
    ];
  });
  const table = [['', 'min', 'median', 'max', '', 'goal', ''], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const isNumber = (column: number): boolean => column >= 1 && column <= 3;
  const lines = table.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`), ...notes.map((note) => `  ${note}`)].join('\n');
}

/** A report for programs. */
export function asJson(sections: readonly Section[]): string {
  return JSON.stringify(
    sections.map((section) => ({ ...section, rows: section.rows.map((row) => ({ ...row, met: goalMet(row) })) })),
    null,
    2,
  );
}
