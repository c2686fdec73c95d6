const WITHIN_MS = 20_000;
const LOOK_MS = 2;
const TURNS_UNCHANGED = 50;

/** Waits for a condition, looking every few milliseconds; fails after 20 s. For tests. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + WITHIN_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`not within ${WITHIN_MS} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/**
 * Waits until a figure does not change any more: not in fifty turns of the event loop, in which everything that can go on
 * in this process does. For tests.
 */
export async function untilSettled(figure: () => number): Promise<void> {
  let [last, turns] = [figure(), 0];
  await until(async () => {
    for (let i = 0; i < TURNS_UNCHANGED; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      turns = figure() === last ? turns + 1 : 0;
      last = figure();
    }
    return turns >= TURNS_UNCHANGED;
  });
}
