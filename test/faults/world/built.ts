/** Where this file's folder lies once it is built. A vitest run has the sources, and processes need what was built. */
const HERE = import.meta.url.endsWith('.ts')
  ? new URL('../../../dist/test/faults/world/', import.meta.url)
  : new URL('./', import.meta.url);

/** A built module, by its path from test/faults/world without its ending. */
export const built = (path: string): URL => new URL(`${path}.js`, HERE);
