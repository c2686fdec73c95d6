/** Null if it takes longer. A failure after that is of no interest. */
export async function within<T>(ms: number, what: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), ms)));
  what.catch(() => undefined);
  try {
    return await Promise.race([what, late]);
  } finally {
    clearTimeout(timer);
  }
}
