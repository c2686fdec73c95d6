import { currentHost, type Host } from './host.js';

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  dateNow: Date.now,
  performanceNow: performance.now.bind(performance),
  random: Math.random,
};

/** After everything that can be settled is: the next turn of the real event loop. */
export const nextTurn = (task: () => void): void => void real.setImmediate(task);

type Callback = (...args: unknown[]) => void;

/** A timer of a simulated process; what Node's has and the services use. */
class VirtualTimer {
  private cancelStep: (() => void) | null = null;

  constructor(
    private readonly host: Host,
    private readonly fire: () => void,
    private readonly timing: { readonly afterMs: number; readonly repeats: boolean },
  ) {
    this.arm();
  }

  clear(): void {
    this.cancelStep?.();
    this.cancelStep = null;
  }

  refresh(): this {
    this.clear();
    this.arm();
    return this;
  }

  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
  close = (): this => {
    this.clear();
    return this;
  };
  [Symbol.dispose] = (): void => this.clear();

  private arm(): void {
    const { host, timing } = this;
    // A timer never fires early, and seldom on the dot.
    const afterMs = timing.afterMs + host.random.unit() + host.timers.lateByMs;
    this.cancelStep = host.after(afterMs, timing.repeats ? 'interval' : 'timer', () => {
      this.cancelStep = null;
      if (timing.repeats) {
        this.arm();
        if (host.timers.doubled) this.fire();
      }
      this.fire();
    });
  }
}

let simulating = false;

/** While it is on, a timer outside of every simulated process is an error: it would run in real time. */
export function forbidRealTimers(on: boolean): void {
  simulating = on;
}

function hostOfTimer(): Host | undefined {
  const host = currentHost();
  if (!host && simulating) throw new Error('a timer outside of every process');
  return host;
}

const timerOf = (host: Host, callback: Callback, timing: { ms: unknown; repeats: boolean }, args: unknown[]) => {
  const ms = Number(timing.ms);
  const afterMs = ms >= 1 && ms <= 0x7fff_ffff ? Math.floor(ms) : 1;
  return new VirtualTimer(host, () => callback(...args), { afterMs, repeats: timing.repeats });
};

function clear(timer: unknown, orElse: (timer: never) => void): void {
  if (timer instanceof VirtualTimer) timer.clear();
  else orElse(timer as never);
}

/** What the services see in place of Node's globals. Outside of simulated processes they are Node's own. */
const virtual = {
  setTimeout(callback: Callback, ms?: unknown, ...args: unknown[]) {
    const host = hostOfTimer();
    return host
      ? timerOf(host, callback, { ms, repeats: false }, args)
      : real.setTimeout(callback, ms as number, ...args);
  },
  setInterval(callback: Callback, ms?: unknown, ...args: unknown[]) {
    const host = hostOfTimer();
    return host
      ? timerOf(host, callback, { ms, repeats: true }, args)
      : real.setInterval(callback, ms as number, ...args);
  },
  setImmediate(callback: Callback, ...args: unknown[]) {
    const host = hostOfTimer();
    if (!host) return real.setImmediate(callback, ...args);
    const cancel = host.after(0, 'immediate', () => callback(...args));
    return { cancel, ref: () => undefined, unref: () => undefined, hasRef: () => true };
  },
  clearTimeout: (timer: unknown): void => clear(timer, real.clearTimeout),
  clearInterval: (timer: unknown): void => clear(timer, real.clearInterval),
  clearImmediate(immediate: unknown): void {
    if (immediate && typeof immediate === 'object' && 'cancel' in immediate) (immediate.cancel as () => void)();
    else real.clearImmediate(immediate as NodeJS.Immediate);
  },
};

/** Puts them in place, for the whole thread and for good. */
export function installGlobals(): void {
  Object.assign(globalThis, virtual);
  Date.now = () => currentHost()?.clock.nowMs() ?? real.dateNow();
  performance.now = () => currentHost()?.clock.monotonicMs() ?? real.performanceNow();
  Math.random = () => currentHost()?.random.unit() ?? real.random();
}
