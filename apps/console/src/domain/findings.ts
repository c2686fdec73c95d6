import type { Estimate, FieldProblem, RolloutSpec } from './records.js';

/** What the API says of a rollout file. */
export type Check =
  | { readonly kind: 'empty' }
  | { readonly kind: 'checking' }
  /** The file is wrong, or the model stands in a way that refuses it. */
  | { readonly kind: 'refused'; readonly findings: readonly Finding[] }
  | {
      readonly kind: 'right';
      readonly spec: RolloutSpec;
      readonly findings: readonly Finding[];
      readonly estimate: Estimate | null;
      /** False: it stands like that already. */
      readonly changed: boolean;
    }
  | { readonly kind: 'unknown'; readonly why: string };

export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly text: string;
  /** From 1; null: of the whole. */
  readonly line: number | null;
  readonly column: number | null;
}

export function findingOf(problem: FieldProblem, severity: Finding['severity']): Finding {
  const { message, line, column } = problem;
  return { severity, text: message, line: line ?? null, column: column ?? null };
}

/** `line 4, column 7`. */
export const placeText = ({ line, column }: Finding): string =>
  line === null ? '' : `line ${line}${column === null ? '' : `, column ${column}`}`;

/** Worst finding of each line, to mark it. */
export function linesWithFindings(findings: readonly Finding[]): ReadonlyMap<number, Finding['severity']> {
  const lines = new Map<number, Finding['severity']>();
  for (const { line, severity } of findings)
    if (line !== null && lines.get(line) !== 'error') lines.set(line, severity);
  return lines;
}

/** Where a place of a text is, from its beginning. */
export function offsetOf(text: string, line: number, column: number): number {
  const before = text.split('\n').slice(0, line - 1);
  const start = before.reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, start + column - 1);
}
