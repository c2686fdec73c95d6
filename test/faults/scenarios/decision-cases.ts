/** How a canary goes wrong. `killed`: its process is gone. */
export const CANARY_FAULTS = ['killed', 'refuses', 'hangs', 'garbage', 'drips'] as const;
export type CanaryFault = (typeof CANARY_FAULTS)[number];

/** A kind of fault in one kind of traffic. */
export interface CanaryCase {
  readonly name: string;
  readonly fault: CanaryFault;
  /** The canary fares well for a second or two first; otherwise it is so from its first prediction on. */
  readonly later: boolean;
  /** Share of both versions' answers that are errors when all is well, 0 to 1. */
  readonly ownErrors: number;
  readonly runs: number;
  /** p99 from the fault to weight 0 everywhere, ms; null: only shown. */
  readonly goalMs: number | null;
}

export interface DecisionTimesOptions {
  readonly cases: readonly CanaryCase[];
  /** Aborts by hand. */
  readonly aborts: number;
  readonly tables: number;
  readonly predictionsPerSecond: number;
  readonly routers: number;
  /** The ceiling of the canary's errors, 0 to 1; default: that of a rollout, .5. */
  readonly maxErrors?: number | undefined;
}

export const CANARY_SHARE = 0.1;
/** Of a canary that fails everything. */
const GOAL_MS = 1_000;
/** Of both versions when all is well, as in the figures of the whole decision (verdict-engine.md, section 9). */
export const USUAL_ERRORS = 0.02;

type Kind = Omit<CanaryCase, 'runs'>;
const refuses = { fault: 'refuses', ownErrors: 0, goalMs: GOAL_MS } as const;
export const REFUSES_FROM_THE_FIRST: Kind = { ...refuses, name: 'refuses from its first answer on', later: false };
export const REFUSES_BESIDE_FLAWLESS: Kind = { ...refuses, name: 'refuses, stable never fails', later: true };

/**
 * Each fault after some time in which all was well but for `ownErrors`. Then, if it may refuse: a canary that does from its
 * first answer on, and one that begins to beside a stable version that never fails, where the ceiling decides alone, from a
 * fresh start that may be a second away.
 */
export function casesOf(faults: readonly CanaryFault[], ownErrors: number, runs: number): readonly CanaryCase[] {
  const goalOf = (fault: CanaryFault): number | null => (fault === 'killed' || fault === 'refuses' ? GOAL_MS : null);
  const cases = faults.map((fault): CanaryCase => {
    return { name: fault, fault, later: true, ownErrors, runs, goalMs: goalOf(fault) };
  });
  if (!faults.includes('refuses')) return cases;
  const flawless = ownErrors > 0 ? [{ ...REFUSES_BESIDE_FLAWLESS, runs }] : [];
  return [...cases, { ...REFUSES_FROM_THE_FIRST, ownErrors, runs }, ...flawless];
}
