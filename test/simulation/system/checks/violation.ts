/** What must never be, and was. */
export class Violation extends Error {
  /** @param rule which one is broken: the number of an invariant in the design, or a word. */
  constructor(
    readonly rule: string,
    text: string,
    readonly atMs: number,
  ) {
    super(text);
  }
}

export type Report = (rule: string, text: string) => void;
