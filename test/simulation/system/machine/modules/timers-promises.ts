/** In place of node:timers/promises: the same on the timers of simulated processes. */
interface TimerOptions {
  readonly signal?: AbortSignal;
}

class AbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';
}

function waiting<T>(start: (resolve: () => void) => () => void, value: T, { signal }: TimerOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      stop?.();
      reject(new AbortError('The operation was aborted', { cause: signal?.reason }));
    };
    let stop: (() => void) | null = null;
    if (signal?.aborted) return aborted();
    stop = start(() => {
      signal?.removeEventListener('abort', aborted);
      resolve(value);
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

const delayed = <T>(ms?: number, value?: T, options?: TimerOptions): Promise<T> =>
  waiting(
    (resolve) => {
      const timer = globalThis.setTimeout(resolve, ms);
      return () => globalThis.clearTimeout(timer);
    },
    value as T,
    options,
  );

const immediate = <T>(value?: T, options?: TimerOptions): Promise<T> =>
  waiting(
    (resolve) => {
      const handle = globalThis.setImmediate(resolve);
      return () => globalThis.clearImmediate(handle);
    },
    value as T,
    options,
  );

export { delayed as setTimeout, immediate as setImmediate };
