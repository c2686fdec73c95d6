/**
 * Lets V8 look for garbage every so often if FAULTS_COLLECT_EVERY_MS says so, so that what the process is seen to hold is
 * what it holds; needs `--expose-gc`. Left alone V8 looks only after some hundred MiB, and until then garbage cannot be
 * told from a leak.
 */
export function collectGarbageIfAsked(env: NodeJS.ProcessEnv): void {
  const everyMs = env['FAULTS_COLLECT_EVERY_MS'];
  if (everyMs !== undefined) setInterval(() => globalThis.gc!(), Number(everyMs)).unref();
}
