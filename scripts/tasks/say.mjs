/** One line for the person at the terminal. Standard output belongs to the task itself (`--json`). */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Awaits something long and says every 10 s that it is still going on.
 * @template T
 * @param {string} what what is being done, e.g. "installing the dependencies"
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function sayWhile(what, work) {
  const startedMs = Date.now();
  const timer = setInterval(() => say(`  still ${what}: ${Math.round((Date.now() - startedMs) / 1000)} s`), 10_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
