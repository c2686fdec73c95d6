/**
 * Node's options of each service, as its image gives them (a test holds them together). V8's young generation takes three
 * times its size, and what it has once taken it keeps: by itself it grows to 48 or 96 MiB, by chance early or late.
 */
export const SERVICE_FLAGS = {
  router: ['--max-semi-space-size=4'],
  evaluator: ['--max-semi-space-size=16'],
  controller: ['--max-semi-space-size=4'],
} as const satisfies Record<string, readonly string[]>;
