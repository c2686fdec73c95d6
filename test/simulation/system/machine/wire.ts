import type { MemoryLink } from '@app/shared';
import { currentHost, type Host } from './host.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** What is wrong with a wire at present. */
export interface WireFaults {
  /** Nothing gets through. `refused`: the client knows at once; `silent`: it waits for an answer. */
  cut: 'no' | 'refused' | 'silent';
  /** Each way takes so much longer. */
  slowByMs: number;
  /** Shares of calls: the request is lost; the answer is lost; the request arrives when nobody waits for it any more; it is carried out twice. */
  lostRequests: number;
  lostAnswers: number;
  lateRequests: number;
  doubled: number;
  /** Additional delay of deliveries by what they are (`fetch prediction-outcome/3`). */
  readonly slowDeliveries: Map<string, number>;
}

export const soundWire = (): WireFaults => ({
  cut: 'no',
  slowByMs: 0,
  lostRequests: 0,
  lostAnswers: 0,
  lateRequests: 0,
  doubled: 0,
  slowDeliveries: new Map(),
});

export interface WireParts {
  readonly scheduler: Scheduler;
  readonly client: Host;
  readonly server: Host;
  readonly random: Random;
  /** Shared by the wires of one machine's successive processes. */
  readonly faults: WireFaults;
  /** How long a client waits for an answer. */
  readonly answerMsMax: number;
  /** What it then gets. */
  readonly error: () => Error;
  /** Calls that are sometimes carried out twice where faults say so: those whose client sends them again by itself. */
  readonly mayDouble: (what: string) => boolean;
}

const LATENCY_MS = { least: 0.1, mean: 0.6 };
/** A request that comes late comes up to so long after its client has given it up. */
const LATE_MS_MAX = 4_000;

/** The network between one process and a server. Requests keep their order, and so do answers. */
export class Wire implements MemoryLink {
  private readonly listeners = new Set<() => void>();
  private lastArrivalMs = 0;
  private lastAnswerMs = 0;

  constructor(private readonly parts: WireParts) {
    parts.client.onChange(() => this.changed());
  }

  /** The server hears of the client: not cut, and the client is there. */
  get up(): boolean {
    return this.parts.faults.cut === 'no' && this.parts.client.isRunning;
  }

  /** The listener is told as a step of whoever asked for it. */
  onChange(listener: () => void): () => void {
    const host = currentHost();
    if (!host) throw new Error('a listener outside of every process');
    const told = (): void => void host.after(0, 'network changed', () => this.listeners.has(told) && listener());
    this.listeners.add(told);
    return () => this.listeners.delete(told);
  }

  /** To be called when the faults have changed. */
  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  call<T>(what: string, atServer: () => T | Promise<T>): Promise<T> {
    const { scheduler, client, server, random, faults, answerMsMax, error } = this.parts;
    const sentMs = scheduler.nowMs;
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const giveUp = (): void => {
        if (over) return;
        over = true;
        const waitMs = faults.cut === 'refused' ? random.between(1, 20) : sentMs + answerMsMax - scheduler.nowMs;
        client.after(waitMs, `no answer: ${what}`, () => reject(error()));
      };
      const answer = (back: () => void): void => {
        if (over) return;
        if (faults.cut !== 'no' || random.chance(faults.lostAnswers)) return giveUp();
        over = true;
        this.lastAnswerMs = Math.max(this.lastAnswerMs, scheduler.nowMs + this.latencyMs());
        client.after(this.lastAnswerMs - scheduler.nowMs, `answer: ${what}`, back);
      };
      const arrive = (): void => {
        // What a process had sent when it died arrives, or not.
        if (!client.isAlive && random.chance(0.5)) return;
        if (faults.cut !== 'no') return giveUp();
        void run(atServer).then(
          (result) => answer(() => resolve(result)),
          (reason: Error) => answer(() => reject(reason)),
        );
        if (this.parts.mayDouble(what) && random.chance(faults.doubled))
          server.after(
            this.latencyMs() + random.between(0, 50),
            `again: ${what}`,
            () => void run(atServer).catch(() => undefined),
          );
      };
      if (faults.cut !== 'no' || random.chance(faults.lostRequests)) return giveUp();
      if (random.chance(faults.lateRequests)) {
        giveUp();
        server.after(
          answerMsMax + random.between(0, LATE_MS_MAX),
          `late: ${what}`,
          () => void run(atServer).catch(() => undefined),
        );
        return;
      }
      this.lastArrivalMs = Math.max(this.lastArrivalMs, scheduler.nowMs + this.latencyMs());
      server.after(this.lastArrivalMs - scheduler.nowMs, what, arrive);
    });
  }

  deliver(what: string, atClient: () => void): void {
    const slowMs = this.parts.faults.slowDeliveries.get(what) ?? 0;
    this.parts.client.after(this.latencyMs() + slowMs, what, atClient);
  }

  private latencyMs(): number {
    const { random, faults } = this.parts;
    return LATENCY_MS.least + random.exponential(LATENCY_MS.mean) + faults.slowByMs;
  }
}

async function run<T>(task: () => T | Promise<T>): Promise<T> {
  return task();
}
