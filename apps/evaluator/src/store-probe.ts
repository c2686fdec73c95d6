import { setTimeout as delay } from 'node:timers/promises';
import type { SlotStore } from './slot-store/slot-store.js';

const PROBE_EVERY_MS = 1_000;

/** Knows whether the slot store answers, for readiness: asks it once a second. */
export class StoreProbe {
  private readonly ending = new AbortController();
  private readonly done: Promise<void>;
  private problem: string | null = 'the slot store has not answered yet';

  constructor(private readonly store: Pick<SlotStore, 'readForOwner'>) {
    this.done = this.run();
  }

  /** Why the store cannot be used now, or null. */
  readonly check = (): string | null => this.problem;

  async close(): Promise<void> {
    this.ending.abort();
    await this.done;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      this.problem = await this.ask();
      await delay(PROBE_EVERY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
    }
  }

  private async ask(): Promise<string | null> {
    try {
      await this.store.readForOwner({ kind: 'outcome', partition: 0 }, 0, Number.MAX_SAFE_INTEGER);
      return null;
    } catch (error) {
      return `the slot store does not answer: ${(error as Error).message}`;
    }
  }
}
