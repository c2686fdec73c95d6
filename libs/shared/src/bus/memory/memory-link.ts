import { CanaryError } from '../../errors.js';

/**
 * What lies between a client and the broker: in one process a turn of the event loop, in a simulation a network. The
 * tasks that are handed over run at the other end, in the order and at the time that the link decides.
 */
export interface MemoryLink {
  /** False while nothing gets through. */
  readonly up: boolean;
  /** Tells when `up` has changed; returns how to stop that. */
  onChange(listener: () => void): () => void;
  /**
   * Runs a task at the broker and resolves with its result once the answer is back. Rejects with CanaryError
   * `kafka-unavailable` when no answer comes: the task may have run, or may still run, even twice.
   *
   * @param what names the request, for those who watch.
   */
  call<T>(what: string, atBroker: () => T | Promise<T>): Promise<T>;
  /** Runs a task at the client, never within this call; not at all once the client is gone. */
  deliver(what: string, atClient: () => void): void;
}

/** A broker in the same process: a turn of the event loop each way, and nothing is lost. */
export class TurnLink implements MemoryLink {
  private readonly listeners = new Set<() => void>();
  private available = true;

  get up(): boolean {
    return this.available;
  }

  setUp(up: boolean): void {
    if (this.available === up) return;
    this.available = up;
    for (const listener of [...this.listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async call<T>(_what: string, atBroker: () => T | Promise<T>): Promise<T> {
    const wasSent = this.available;
    await nextTurn();
    if (!wasSent || !this.available) throw brokerAway();
    return atBroker();
  }

  deliver(_what: string, atClient: () => void): void {
    setImmediate(atClient);
  }
}

export const brokerAway = (): CanaryError => new CanaryError('kafka-unavailable', 'the broker did not answer');

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ASK_AGAIN_MS = 100;

/** Asks until there is an answer, or nobody wants it any more (undefined). Waits for the link while it is down. */
export async function untilAnswered<T>(link: MemoryLink, call: () => Promise<T>, ended: Ended): Promise<T | undefined> {
  while (!ended.now) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CanaryError && error.code === 'kafka-unavailable')) throw error;
      if (!ended.now) await pause(link, ended);
    }
  }
  return undefined;
}

/** Whether somebody's life has come to its end, told at once to those who wait for something else. */
export class Ended {
  now = false;
  private readonly listeners = new Set<() => void>();

  set(): void {
    this.now = true;
    for (const listener of [...this.listeners]) listener();
  }

  onEnd(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Until the link comes up; if it is up, a little while. */
function pause(link: MemoryLink, ended: Ended): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      unsubscribes.forEach((unsubscribe) => unsubscribe());
      clearTimeout(timer);
      resolve();
    };
    const unsubscribes = [link.onChange(wake), ended.onEnd(wake)];
    const timer = link.up ? setTimeout(wake, ASK_AGAIN_MS) : undefined;
  });
}
