import type { Host } from '../machine/host.js';
import { poisonRecord } from './poison.js';
import type { Fault } from './faults.js';
import type { ServerName } from './machine.js';
import type { World } from './world.js';

const SERVERS: readonly ServerName[] = ['bus', 'redis'];

/** Makes a plan's faults happen to a world, each at its time. */
export class FaultInjector {
  private readonly active = new Set<Fault>();
  /** Processes to which something is to happen after so many more steps of theirs. */
  private readonly awaited = new Map<Host, { steps: number; readonly strike: () => void }[]>();

  constructor(private readonly world: World) {}

  plan(faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (fault.kind === 'roll-back') this.at(fault.copyAtMs, 'copy of Redis', () => this.world.redis.keepCopy());
      this.at(fault.atMs, `fault ${fault.kind}`, () => this.begin(fault));
    }
  }

  /** Counts the steps of processes to which something is to happen. */
  afterStep(host: Host): void {
    const awaited = this.awaited.get(host);
    if (!awaited) return;
    for (const one of awaited) if (--one.steps === 0) one.strike();
    const left = awaited.filter(({ steps }) => steps > 0);
    if (left.length > 0) this.awaited.set(host, left);
    else this.awaited.delete(host);
  }

  private after(host: Host, steps: number, strike: () => void): void {
    if (steps === 0) return strike();
    this.awaited.set(host, [...(this.awaited.get(host) ?? []), { steps, strike }]);
  }

  private at(ms: number, what: string, code: () => void): void {
    this.world.fate.after(ms - this.world.scheduler.nowMs, what, code);
  }

  private begin(fault: Fault): void {
    const { world } = this;
    world.tell(`FAULT ${JSON.stringify(fault)}`);
    if ('forMs' in fault) {
      this.active.add(fault);
      this.at(fault.atMs + fault.forMs, `end of ${fault.kind}`, () => {
        this.active.delete(fault);
        this.bring(fault, 'end');
      });
    }
    this.bring(fault, 'begin');
  }

  private bring(fault: Fault, phase: 'begin' | 'end'): void {
    const { world } = this;
    const machine = 'machine' in fault && fault.machine !== null ? world.machines.get(fault.machine) : undefined;
    switch (fault.kind) {
      case 'crash':
        return this.doom(fault);
      case 'pause':
        return this.pause(fault, phase);
      case 'stop':
        machine?.stop();
        return this.bootLater(fault.machine, fault.downMs);
      case 'upgrade':
        world.engineVersions.set(fault.machine, fault.engine);
        machine?.stop();
        return this.bootLater(fault.machine, fault.downMs);
      case 'network':
      case 'slow-partition':
        return this.setNetwork();
      case 'flush':
        return world.redis.flush(world.slotOf(fault.slot));
      case 'roll-back':
        return world.redis.rollBack(world.slotOf(fault.slot));
      case 'refuse-writes':
        world.redis.refusesWrites = this.some('refuse-writes');
        return;
      case 'clock':
        world.wallOf(fault.machine).offsetMs = this.sum('clock', fault.machine, (f) => f.byMs);
        return;
      case 'timers':
        return this.setTimers(fault.machine);
      case 'compact':
        return world.logsOf(fault.topic).forEach((log) => log.compact());
      case 'retention':
        return void world.retain(fault.topic, fault.keepMs);
      case 'poison':
        return world.poison.send(poisonRecord(world, fault));
      case 'checkpoint-loss':
        return world.loseCheckpoints(fault.of);
      case 'disk-full':
        if (machine) machine.disk.full = this.of('disk-full').some((f) => f.machine === fault.machine);
        return;
    }
  }

  private doom(fault: Fault & { kind: 'crash' }): void {
    const machine = this.world.machines.get(fault.machine);
    const host = machine?.host;
    if (!machine || !host) return;
    const kill = (): void => {
      if (machine.host !== host) return;
      this.world.tell(`KILLED ${host.name}`);
      machine.kill();
      this.bootLater(fault.machine, fault.downMs);
    };
    this.after(host, fault.afterSteps, kill);
  }

  private pause(fault: Fault & { kind: 'pause' }, phase: 'begin' | 'end'): void {
    const host = this.world.machines.get(fault.machine)?.host;
    if (!host) return;
    if (phase === 'end') host.resume();
    else
      this.after(host, fault.afterSteps, () => {
        if (!this.active.has(fault)) return;
        this.world.tell(`PAUSED ${host.name}`);
        host.pause();
      });
  }

  private bootLater(name: string, downMs: number): void {
    const machine = this.world.machines.get(name);
    this.world.fate.after(downMs, `start ${name} again`, () => {
      // A service that still closes is killed, as an impatient supervisor does.
      if (machine?.host) machine.kill();
      machine?.boot();
    });
  }

  private setNetwork(): void {
    const network = this.of('network');
    const slow = this.of('slow-partition');
    for (const machine of this.world.machines.values()) {
      for (const server of SERVERS) {
        const here = network.filter((f) => f.server === server && (f.machine === null || f.machine === machine.name));
        const faults = machine.faults[server];
        const most = (of: 'slowByMs' | 'lostRequests' | 'lostAnswers' | 'lateRequests' | 'doubled'): number =>
          Math.max(0, ...here.map((f) => f[of] ?? 0));
        faults.cut = here.find((f) => f.cut)?.cut ?? 'no';
        faults.slowByMs = most('slowByMs');
        faults.lostRequests = most('lostRequests');
        faults.lostAnswers = most('lostAnswers');
        faults.lateRequests = most('lateRequests');
        faults.doubled = most('doubled');
        faults.slowDeliveries.clear();
        if (server === 'bus')
          for (const { topic, partition, byMs } of slow)
            faults.slowDeliveries.set(`fetch ${this.world.topics[topic]}/${partition}`, byMs);
      }
      machine.networkChanged();
    }
  }

  private setTimers(name: string): void {
    const timers = this.world.machines.get(name)?.host?.timers;
    if (!timers) return;
    const here = this.of('timers').filter((f) => f.machine === name);
    timers.lateByMs = Math.max(0, ...here.map((f) => f.lateByMs));
    timers.doubled = here.some((f) => f.doubled);
  }

  private of<K extends Fault['kind']>(kind: K): (Fault & { kind: K })[] {
    return [...this.active].filter((fault): fault is Fault & { kind: K } => fault.kind === kind);
  }

  private some(kind: Fault['kind']): boolean {
    return this.of(kind).length > 0;
  }

  private sum<K extends 'clock'>(kind: K, machine: string, of: (fault: Fault & { kind: K }) => number): number {
    return this.of(kind)
      .filter((f) => f.machine === machine)
      .reduce((sum, f) => sum + of(f), 0);
  }
}
