/** Stands in for metrics that nobody reads: every property is there, and every call is taken; `except` for those given. */
export function ignoring<T>(except: Partial<T> = {}): T {
  const nothing: object = new Proxy(() => undefined, {
    get: (_target, property) => (typeof property === 'symbol' ? undefined : (Reflect.get(except, property) ?? nothing)),
    set: () => true,
    apply: () => nothing,
  });
  return nothing as T;
}
