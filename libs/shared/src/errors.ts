/** An error with a stable, machine-readable code. Expected outcomes are values; this is for what cannot go on. */
export class CanaryError extends Error {
  constructor(
    /** kebab-case, stable across releases. */
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CanaryError';
  }
}

/** Makes a switch over a discriminated union exhaustive at compile time, and loud at run time. */
export function assertNever(value: never, what = 'value'): never {
  throw new CanaryError('unreachable', `unexpected ${what}: ${JSON.stringify(value)}`);
}
