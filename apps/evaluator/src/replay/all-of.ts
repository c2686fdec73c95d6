/** As Promise.all, but whoever is still at work is waited for: what they write to must not be taken away. */
export async function allOf<T extends readonly unknown[]>(work: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  await Promise.allSettled(work);
  return Promise.all(work) as Promise<unknown> as Promise<T>;
}
