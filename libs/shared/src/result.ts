/** The outcome of reading something from outside: a value, or why it was refused. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

/** One thing that is wrong with an input, and what to do about it. */
export interface Problem {
  /** Where: a dotted path such as `steps.0.traffic_split`, or '' for the whole. */
  readonly field: string;
  /** Stable code, kebab-case. */
  readonly code: string;
  /** What is wrong and the remedy, one sentence. */
  readonly message: string;
  /** Where in the text it stands, from 1, when the input was text. */
  readonly line?: number;
  readonly column?: number;
}
