import { History } from './history.js';
import type { Host } from './host.js';
import { nextTurn } from './virtual-globals.js';

interface Step {
  atMs: number;
  /** Steps of one moment come in the order in which they were asked for. */
  order: number;
  readonly host: Host;
  readonly what: string;
  readonly code: () => void;
  cancelled: boolean;
}

/** When simulated time begins, ms since the epoch. */
export const BEGINNING_MS = 1_800_000_000_000;

/**
 * Simulated time: a queue of steps, each the code of one host, each run to its end before the next begins. Nothing else
 * happens; in particular no real time passes.
 */
export class Scheduler {
  /** Simulated time since the beginning; never goes backwards. */
  nowMs = 0;
  steps = 0;
  private readonly heap: Step[] = [];
  private order = 0;
  private broken: { readonly error: unknown } | null = null;
  private last: Step | null = null;

  constructor(
    readonly history: History,
    /** After every step, once all that it set off is done. */
    private readonly afterStep: (host: Host) => void,
  ) {}

  /** True time, ms since the epoch, of which the hosts' clocks may be off. */
  get wallMs(): number {
    return BEGINNING_MS + this.nowMs;
  }

  schedule(delayMs: number, host: Host, what: string, code: () => void): () => void {
    const atMs = this.nowMs + Math.max(0, delayMs);
    const step: Step = { atMs, order: this.order++, host, what, code, cancelled: false };
    push(this.heap, step);
    return () => (step.cancelled = true);
  }

  /** Runs all steps up to a moment, or until `done` says so. Rejects with what a step throws. */
  runUntil(untilMs: number, done: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          this.finish();
          if (!done() && this.next(untilMs)) return void nextTurn(turn);
          if (!done()) this.nowMs = Math.max(this.nowMs, untilMs);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      turn();
    });
  }

  /** Ends the run with an error, from anywhere. */
  fail(error: unknown): void {
    this.broken ??= { error };
  }

  /** Runs one step; false when none is due. */
  private next(untilMs: number): boolean {
    for (;;) {
      const step = this.heap[0];
      if (!step || step.atMs > untilMs) return false;
      pop(this.heap);
      if (step.cancelled || !step.host.isAlive) continue;
      if (step.atMs > this.nowMs) this.nowMs = step.atMs;
      if (!step.host.isRunning) {
        step.host.defer(() => {
          step.atMs = this.nowMs;
          step.order = this.order++;
          push(this.heap, step);
        });
        continue;
      }
      this.steps++;
      this.history.step(step.atMs, step.host.name, step.what);
      this.last = step;
      step.host.run(step.code);
      return true;
    }
  }

  private finish(): void {
    if (this.broken) throw this.broken.error;
    const { last } = this;
    this.last = null;
    if (last) this.afterStep(last.host);
  }
}

const before = (a: Step, b: Step): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function push(heap: Step[], step: Step): void {
  let i = heap.length;
  heap.push(step);
  while (i > 0) {
    const parent = (i - 1) >>> 1;
    if (!before(step, heap[parent]!)) break;
    heap[i] = heap[parent]!;
    i = parent;
  }
  heap[i] = step;
}

function pop(heap: Step[]): void {
  const step = heap.pop()!;
  const { length } = heap;
  if (length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= length) break;
    if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, step)) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = step;
}
