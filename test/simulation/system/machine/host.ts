import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@app/shared';
import type { Disk } from './disk.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** Whose code is running now. */
const running = new AsyncLocalStorage<Host>();

/** The host whose code is running, if it is that of any. */
export const currentHost = (): Host | undefined => running.getStore();

/** How a host's timers behave. */
export interface TimerFaults {
  /** Every timer fires so much later. */
  lateByMs: number;
  /** Every tick of an interval comes twice. */
  doubled: boolean;
}

export interface HostParts {
  readonly scheduler: Scheduler;
  readonly name: string;
  readonly random: Random;
  readonly disk: Disk | null;
  /** What its wall clock is off by; shared by the lives of one machine. */
  readonly wall: { offsetMs: number };
}

/**
 * One life of a process: what it has in memory. Its code runs only in steps of the scheduler, and once it is dead or
 * paused its timers do not fire and no answer reaches it: so it ends, or stands still, at any await of something outside.
 */
export class Host {
  readonly name: string;
  readonly random: Random;
  readonly disk: Disk | null;
  readonly timers: TimerFaults = { lateByMs: 0, doubled: false };
  readonly clock: Clock;
  /** Enters this host's context, made once. */
  private readonly enter: ReturnType<typeof AsyncLocalStorage.snapshot>;
  private state: 'running' | 'paused' | 'dead' = 'running';
  private deferred: (() => void)[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: HostParts) {
    this.name = parts.name;
    this.random = parts.random;
    this.enter = running.run(this, () => AsyncLocalStorage.snapshot());
    this.disk = parts.disk;
    const { scheduler, wall } = parts;
    const bornMs = scheduler.nowMs;
    this.clock = {
      nowMs: () => Math.floor(scheduler.wallMs + wall.offsetMs),
      monotonicMs: () => scheduler.nowMs - bornMs + 1000,
    };
  }

  get isAlive(): boolean {
    return this.state !== 'dead';
  }

  /** Neither dead nor paused. */
  get isRunning(): boolean {
    return this.state === 'running';
  }

  /** Runs code as this host's. */
  run<T>(code: () => T): T {
    return this.enter(code);
  }

  /** Runs code in a step of its own after a while, if the host lives then, and once it runs. Returns how to cancel it. */
  after(delayMs: number, what: string, code: () => void): () => void {
    return this.parts.scheduler.schedule(delayMs, this, what, code);
  }

  /** A step that came while the host was paused. */
  defer(again: () => void): void {
    this.deferred.push(again);
  }

  pause(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.tell();
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const deferred = this.deferred;
    this.deferred = [];
    for (const again of deferred) again();
    this.tell();
  }

  kill(): void {
    this.state = 'dead';
    this.deferred = [];
    this.tell();
    this.listeners.clear();
  }

  /** Tells when it is paused, goes on, or dies. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
