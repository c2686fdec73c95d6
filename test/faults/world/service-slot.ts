import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceProcess, startServiceProcess } from '../../../apps/standalone/src/demo/service-process.js';
import type { Guard } from '../../../deploy/local/guard.js';
import { built } from './built.js';
import type { Link } from './link.js';

export const APPS = ['router', 'evaluator', 'controller'] as const;
export type App = (typeof APPS)[number];

/** One process of a service, from its start to its end. */
export interface Incarnation {
  /** `router-1/3`: the third process of slot router-1. */
  readonly id: string;
  readonly slot: string;
  readonly pid: number;
  readonly url: string;
  readonly startedMs: number;
  endedMs: number | null;
  /** When it was asked to end in order, or when it was killed; before `endedMs`, which is when we heard of it. */
  stopAskedMs: number | null;
  killedMs: number | null;
  /** killed: by us, with SIGKILL; stopped: SIGTERM and code 0; crashed: by itself, or with another code. */
  end: 'killed' | 'stopped' | 'crashed' | null;
  /** While it could not answer though it was there. */
  readonly suspended: { readonly fromMs: number; toMs: number | null }[];
}

export interface ServiceSlotOptions {
  readonly name: string;
  readonly app: App;
  /** Holds its data directory, its clock and its log. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  /** One a broker; none: straight to what `env` says. */
  readonly kafkaLinks: readonly Link[];
  readonly redisLink: Link | null;
  /** Its data directory is a disk of its own of so many bytes, where that can be had. */
  readonly diskBytes?: number;
  readonly guard: Guard;
}

const START_AGAIN_MS = 500;

/** False: that is for root, and we are not. */
function mountDisk(path: string, bytes: number, guard: Guard): boolean {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' });
  if (status !== 0) return false;
  guard.watch('mount', path);
  return true;
}

/** A place where a process of a service runs, and another one after its end: what a supervisor does on one machine. */
export class ServiceSlot {
  readonly incarnations: Incarnation[] = [];
  /** Processes that refused to start because what they need was not there. */
  refusals = 0;
  readonly dataFolder: string;
  /** Its data directory can be filled without harm to anybody else. */
  readonly hasOwnDisk: boolean;
  readonly logFile: string;
  private readonly clockFile: string;
  private process: ServiceProcess | null = null;
  private wanted = false;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: ServiceSlotOptions) {
    const { folder, name } = options;
    this.dataFolder = join(folder, `${name}-data`);
    this.logFile = join(folder, `${name}.log`);
    this.clockFile = join(folder, `${name}.clock`);
    mkdirSync(this.dataFolder, { recursive: true });
    this.hasOwnDisk = options.diskBytes !== undefined && mountDisk(this.dataFolder, options.diskBytes, options.guard);
    writeFileSync(this.clockFile, '0');
    writeFileSync(this.logFile, '');
  }

  get name(): string {
    return this.options.name;
  }

  get app(): App {
    return this.options.app;
  }

  get kafkaLinks(): readonly Link[] {
    return this.options.kafkaLinks;
  }

  get redisLink(): Link | null {
    return this.options.redisLink;
  }

  /** The process that runs now. */
  get current(): Incarnation | null {
    const newest = this.incarnations.at(-1);
    return newest && newest.endedMs === null ? newest : null;
  }

  /** Starts a process, and others after it while it ends by itself. Resolves when one has said that it has started. */
  start(): Promise<void> {
    if (!this.wanted) {
      this.wanted = true;
      this.running = this.run();
    }
    return this.running;
  }

  /** kill -9. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.wanted = false;
    await this.end('SIGKILL', 'killed');
    await this.running;
  }

  /** SIGTERM. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.wanted = false;
    const code = await this.end('SIGTERM', 'stopped');
    await this.running;
    return code;
  }

  suspend(): void {
    this.current?.suspended.push({ fromMs: Date.now(), toMs: null });
    this.process?.signal('SIGSTOP');
  }

  resume(): void {
    this.process?.signal('SIGCONT');
    const last = this.current?.suspended.at(-1);
    if (last) last.toMs ??= Date.now();
  }

  /** Makes its wall clock wrong by so much. */
  shiftClock(offsetMs: number): void {
    writeFileSync(this.clockFile, String(offsetMs));
  }

  private async run(): Promise<void> {
    while (this.wanted) {
      const started = await this.startOnce();
      if (started) return;
      await delay(START_AGAIN_MS);
    }
  }

  private async startOnce(): Promise<boolean> {
    const { name, app, env, nodeFlags, guard, kafkaLinks, redisLink } = this.options;
    let service: ServiceProcess;
    try {
      service = await startServiceProcess({
        name,
        main: built(`../services/${app}`),
        nodeFlags,
        env: {
          ...env,
          INSTANCE: name,
          ...(kafkaLinks.length > 0
            ? { KAFKA_BROKERS: kafkaLinks.map(({ port }) => `127.0.0.1:${port}`).join(',') }
            : {}),
          ...(redisLink ? { REDIS_URL: `redis://127.0.0.1:${redisLink.port}` } : {}),
          ROUTER_DATA_DIR: this.dataFolder,
          FAULTS_CLOCK_FILE: this.clockFile,
        },
        logFile: this.logFile,
        guard,
      });
    } catch (error) {
      if ((error as { code?: string }).code !== 'service-not-started') throw error;
      this.refusals++;
      return false;
    }
    const incarnation: Incarnation = {
      id: `${name}/${this.incarnations.length + 1}`,
      slot: name,
      pid: service.pid,
      url: service.url,
      startedMs: Date.now(),
      endedMs: null,
      stopAskedMs: null,
      killedMs: null,
      end: null,
      suspended: [],
    };
    this.incarnations.push(incarnation);
    this.process = service;
    void service.exited.then(() => {
      incarnation.endedMs ??= Date.now();
      incarnation.end ??= 'crashed';
      if (this.process === service) this.process = null;
      if (this.wanted) this.running = this.run();
    });
    if (!this.wanted) await this.end('SIGKILL', 'killed'); // wanted no more while it was starting
    return true;
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM', as: 'killed' | 'stopped'): Promise<number | null> {
    const { process: service, current } = this;
    if (!service || !current) return null;
    if (as === 'killed') {
      current.end = as;
      current.killedMs = Date.now();
    } else current.stopAskedMs = Date.now();
    service.signal(signal);
    const code = await service.exited;
    current.endedMs ??= Date.now();
    // What is asked to stop may be killed while it does.
    if (as === 'stopped' && current.end !== 'killed') current.end = code === 0 ? 'stopped' : 'crashed';
    return code;
  }
}
