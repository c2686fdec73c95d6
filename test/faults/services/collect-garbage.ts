/**
 * Lets V8 look for garbage every so often, so that what the process is seen to hold is what it holds; needs `--expose-gc`.
 * Left alone V8 looks only after some hundred MiB, and until then garbage cannot be told from a leak.
 */
export function collectGarbage(everyMs: number): void {
  setInterval(() => globalThis.gc!(), everyMs).unref();
}
