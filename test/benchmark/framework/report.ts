import { type Spread, spreadOf } from './figures.js';

/** What a figure should be. */
export type Goal = { readonly atMost: number } | { readonly exactly: number };

/** One line of a report: a figure over the rounds of a run, and beside it what it should be. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  /** Of nothing (NaN): what it compares with is not here. */
  readonly spread: Spread;
  readonly goal?: Goal;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Said below the table. */
  readonly notes?: readonly string[];
  /** What came out wrong, whatever it cost. Absent: nothing. */
  readonly wrong?: string;
}

/** One row. `unit` '': a ratio. */
export function row(what: string, values: readonly number[] | Spread, unit: string, goal?: Goal): Row {
  return { what, unit, spread: 'median' in values ? values : spreadOf(values), ...(goal ? { goal } : {}) };
}

/** By the median. Undefined: there is no goal, or nothing was measured. */
export function goalMet({ spread: { median }, goal }: Row): boolean | undefined {
  if (goal === undefined || Number.isNaN(median)) return undefined;
  return 'atMost' in goal ? median <= goal.atMost : median === goal.exactly;
}

/** Three digits that count, and thousands apart. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function shownGoal(goal: Goal): string {
  return 'atMost' in goal ? `<= ${goal.atMost.toLocaleString('en-US')}` : `= ${goal.exactly}`;
}

function verdictOn(row: Row): string {
  const met = goalMet(row);
  if (row.goal !== undefined && met === undefined) return 'not measured';
  return met === undefined ? '' : met ? 'met' : 'NOT MET';
}

const HEAD = ['', 'min', 'median', 'max', '', 'goal', ''];
const isNumber = (column: number): boolean => column >= 1 && column <= 3;

/** A section as a table of text. */
export function renderSection({ title, rows, notes = [], wrong }: Section): string {
  const cells = rows.map((row) => [
    row.what,
    ...[row.spread.min, row.spread.median, row.spread.max].map(shown),
    row.unit,
    row.goal === undefined ? '' : shownGoal(row.goal),
    verdictOn(row),
  ]);
  const table = rows.length === 0 ? [] : [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const lines = table.map((line) =>
    line
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines, ...notes, ...(wrong === undefined ? [] : [`WRONG: ${wrong}`])].join('\n  ');
}

/** How many goals were met, in a sentence. */
export function summaryOf(sections: readonly Section[]): string {
  const met = sections.flatMap(({ rows }) => rows.filter(({ goal }) => goal !== undefined)).map(goalMet);
  const count = (value: boolean | undefined): number => met.filter((one) => one === value).length;
  const wrong = sections.filter((section) => section.wrong !== undefined).length;
  return [
    `${count(true)} of ${met.length} goals met`,
    `${count(false)} not met`,
    ...(count(undefined) > 0 ? [`${count(undefined)} not measured`] : []),
    ...(wrong > 0 ? [`${wrong} came out WRONG`] : []),
  ].join(', ');
}

/** A section for programs. */
export const asJson = (section: Section): object => ({
  ...section,
  rows: section.rows.map(({ spread, ...row }) => ({ ...row, ...spread, met: goalMet({ spread, ...row }) ?? null })),
});
