import type { Logger } from '@app/shared';
import { Disk } from '../machine/disk.js';
import { Host } from '../machine/host.js';
import { Random } from '../machine/random.js';
import type { Scheduler } from '../machine/scheduler.js';
import { soundWire, type Wire, type WireFaults } from '../machine/wire.js';

/** A service as it runs in a process. */
export interface Service {
  /** Ends it in good order. */
  close(): Promise<void>;
}

export interface MachineParts<S extends Service> {
  readonly scheduler: Scheduler;
  readonly seed: number;
  readonly name: string;
  /** Starts the service; its code runs as that of the host. */
  readonly start: (machine: Machine, host: Host) => Promise<S>;
  readonly onLog: (machine: string, level: LogLevel, text: string) => void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type ServerName = 'bus' | 'redis';

/** From a failed start, or a crash of its own, to the next start: what a supervisor does. */
const RESTART_MS = { least: 200, most: 1_500 };

/** Where one service runs, process after process: what outlives them is the disk, the clock and the network's state. */
export class Machine<S extends Service = Service> {
  readonly disk = new Disk();
  readonly wall = { offsetMs: 0 };
  readonly faults: Readonly<Record<ServerName, WireFaults>> = { bus: soundWire(), redis: soundWire() };
  /** Those of the present process. */
  wires: Wire[] = [];
  host: Host | null = null;
  /** Null until the start is through. */
  service: S | null = null;
  private readonly random: Random;
  private lives = 0;

  constructor(private readonly parts: MachineParts<S>) {
    this.random = new Random(parts.seed, `machine ${parts.name}`);
  }

  get name(): string {
    return this.parts.name;
  }

  /** A new process. */
  boot(): void {
    if (this.host) return;
    const { scheduler, name, start, seed } = this.parts;
    this.lives += 1;
    const random = new Random(seed, `${name}#${this.lives}`);
    const host = new Host({ scheduler, name: `${name}#${this.lives}`, random, disk: this.disk, wall: this.wall });
    this.host = host;
    this.wires = [];
    host.after(0, 'boot', () => {
      start(this, host).then(
        (service) => (this.service = service),
        (error: unknown) => this.diedOf(host, `start: ${(error as Error).message}`),
      );
    });
  }

  /** kill -9. */
  kill(): void {
    this.host?.kill();
    this.host = null;
    this.service = null;
  }

  /** SIGTERM: the service closes in good order, and then there is no process any more. */
  stop(): void {
    const { host, service } = this;
    if (!host || !service) return this.kill();
    this.service = null;
    host.after(0, 'stop', () => {
      const end = (): void => {
        if (this.host === host) this.kill();
      };
      service.close().then(end, (error: unknown) => {
        this.parts.onLog(host.name, 'error', `close: ${(error as Error).message}`);
        end();
      });
    });
  }

  /** The process ends by itself, and its supervisor starts another one. */
  diedOf(host: Host, why: string): void {
    if (this.host !== host) return;
    this.parts.onLog(host.name, 'warn', `the process ends: ${why}`);
    this.kill();
    const inMs = this.random.between(RESTART_MS.least, RESTART_MS.most);
    this.parts.scheduler.schedule(inMs, this.supervisor, `restart ${this.name}`, () => this.boot());
  }

  /** To be called when the network faults have changed. */
  networkChanged(): void {
    const wires = [...this.wires];
    for (const wire of wires) wire.changed();
  }

  logger(host: Host): Logger {
    const { onLog } = this.parts;
    const at =
      (level: LogLevel) =>
      (first: unknown, second?: unknown): void =>
        onLog(host.name, level, typeof first === 'string' ? first : describe(first, second));
    const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), level: 'debug' };
    return logger as unknown as Logger;
  }

  /** Lives as long as the simulation does. */
  private get supervisor(): Host {
    this.supervising ??= new Host({
      scheduler: this.parts.scheduler,
      name: `supervisor of ${this.name}`,
      random: this.random,
      disk: null,
      wall: { offsetMs: 0 },
    });
    return this.supervising;
  }
  private supervising: Host | null = null;
}

function describe(context: unknown, text: unknown): string {
  const { err, ...rest } = context as { err?: unknown };
  const details = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
  return `${String(text)}${details}${err ? ` (${(err as Error).message})` : ''}`;
}
