import type { Problem } from '../result.js';

/** Where something stands in a rollout file: keys and indexes from the top. */
export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds a path in the text; `key` the name itself, `value` what stands behind it. */
export type Locate = (path: Path, part: 'key' | 'value') => Position | undefined;

/** Collects what is wrong (problems) and what is merely odd (warnings) with a file, with line and column if known. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  constructor(private readonly locate: Locate) {}

  refuse(path: Path, code: string, message: string, part: 'key' | 'value' = 'value'): void {
    this.problems.push(this.problem(path, code, message, part));
  }

  warn(path: Path, code: string, message: string): void {
    this.warnings.push(this.problem(path, code, message, 'value'));
  }

  private problem(path: Path, code: string, message: string, part: 'key' | 'value'): Problem {
    return { field: path.join('.'), code, message, ...this.locate(path, part) };
  }
}

/** A value as it may stand in a message: short, and never more than a line. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value); // JSON has no NaN
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
