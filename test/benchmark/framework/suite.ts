import type { BenchContext } from './context.js';
import type { Section } from './report.js';

/** One table. */
export interface Bench {
  readonly name: string;
  readonly run: () => Promise<Section>;
}

/** Benchmarks that share what is dear to set up. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  /** Sets up what the benchmarks share, and leaves its removal to the context. They run in this order. */
  readonly open: (context: BenchContext) => Promise<readonly Bench[]>;
}
