/** One way in which what was found is not what it should be. */
export interface Difference {
  /** The rule that is broken, kebab-case. */
  readonly rule: string;
  /** What it is about: a model, a place in a topic, a process. */
  readonly where: string;
  readonly text: string;
}

/** Of each rule so many are kept; the others are counted. */
const KEPT_PER_RULE = 20;

/** Collects differences. */
export class Differences {
  private readonly kept = new Map<string, Difference[]>();
  private readonly counts = new Map<string, number>();

  add(rule: string, where: string, text: string): void {
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
    const kept = this.kept.get(rule) ?? [];
    this.kept.set(rule, kept);
    if (kept.length < KEPT_PER_RULE) kept.push({ rule, where, text });
  }

  /** Adds one unless something holds. */
  unless(equal: boolean, rule: string, where: string, text: string | (() => string)): void {
    if (!equal) this.add(rule, where, typeof text === 'string' ? text : text());
  }

  get count(): number {
    return [...this.counts.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Broken rules with how often. */
  rules(): ReadonlyMap<string, number> {
    return this.counts;
  }

  all(): readonly Difference[] {
    return [...this.kept.values()].flat();
  }
}
