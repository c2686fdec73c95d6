/** Waits for a condition, looking every few milliseconds; fails after `withinMs`. For tests. */
export async function until(condition: () => boolean, withinMs = 15_000): Promise<void> {
  const giveUpAtMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
