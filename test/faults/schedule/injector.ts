import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BusProducer } from '@app/shared';
import type { FaultWorld } from '../world/fault-world.js';
import { type LinkMode, OPEN } from '../world/link.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { putPoison } from './poison.js';
import { faultText, type ScheduledFault } from './schedule.js';

/** What faults did that an oracle has to know. */
export interface FaultRecord {
  /** When Redis lost what it had. */
  readonly redisLosses: number[];
  /** By how much a router's clock was wrong at most. */
  clockErrorMs: number;
  /** Slots of routers whose disk took nothing for a while. */
  readonly fullDisks: Set<string>;
  poisoned: number;
  done: number;
}

const FILLER = 'filler';
/** What a service or a server needs to be there again, on a busy machine. */
const TELL_AFTER_MS = 20_000;
const FILL_BLOCK = Buffer.alloc(64 * 1024);

/** Takes all that is left of the disk that a path is on. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, FILL_BLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

/** Carries a schedule out. Whatever it broke is mended again by heal(). */
export class Injector {
  readonly record: FaultRecord = { redisLosses: [], clockErrorMs: 0, fullDisks: new Set(), poisoned: 0, done: 0 };
  private readonly producer: BusProducer;
  private readonly running = new Set<Promise<void>>();
  private rounds = 0;

  constructor(
    private readonly world: FaultWorld,
    private readonly say: (line: string) => void,
  ) {
    this.producer = world.bus.producer();
  }

  /** Resolves when the last fault has been injected and all are over. */
  async run(faults: readonly ScheduledFault[]): Promise<void> {
    const startMs = performance.now();
    for (const fault of faults) {
      await delay(Math.max(0, startMs + fault.atMs - performance.now()));
      this.say(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${faultText(fault)}`);
      const done = this.inject(fault).finally(() => this.running.delete(done));
      this.running.add(done);
    }
    await Promise.all(this.running);
  }

  /** Everything runs and every way is open. */
  async heal(): Promise<void> {
    const { slots, kafka, redis } = this.world;
    for (const slot of slots) {
      for (const link of [...slot.kafkaLinks, ...(slot.redisLink ? [slot.redisLink] : [])]) link.set(OPEN);
      slot.shiftClock(0);
      slot.resume();
      rmSync(join(slot.dataFolder, FILLER), { force: true });
    }
    for (const server of [...kafka, redis.server]) {
      await server.signal('SIGCONT');
      await server.start();
    }
    await Promise.all(this.running);
  }

  async close(): Promise<void> {
    await this.producer.close();
  }

  private async inject(fault: ScheduledFault): Promise<void> {
    const sinceMs = performance.now();
    const telling = setInterval(() => {
      const seconds = Math.round((performance.now() - sinceMs) / 1000);
      this.say(`          not over after ${seconds} s: ${faultText(fault)}`);
    }, fault.durationMs + TELL_AFTER_MS);
    try {
      await this.carryOut(fault);
    } finally {
      clearInterval(telling);
    }
    this.record.done++;
  }

  private async carryOut(fault: ScheduledFault): Promise<void> {
    const { world } = this;
    const { kind, target, durationMs } = fault;
    switch (kind) {
      case 'kill-router':
      case 'kill-evaluator':
      case 'kill-controller':
        await world.slot(target).kill();
        await delay(durationMs);
        return world.slot(target).start();
      case 'stop-router':
      case 'stop-evaluator':
      case 'stop-controller':
        world.slot(target).suspend();
        await delay(durationMs);
        return world.slot(target).resume();
      case 'restart':
        await world.slot(target).stop();
        return world.slot(target).start();
      case 'kill-kafka':
      case 'stop-kafka':
        return this.hitServer(world.kafka[Number(target.split('-')[1]) - 1]!, kind === 'kill-kafka', durationMs);
      case 'kill-redis':
        this.record.redisLosses.push(Date.now());
        return this.hitServer(world.redis.server, true, durationMs);
      case 'stop-redis':
        return this.hitServer(world.redis.server, false, durationMs);
      case 'flush':
        this.record.redisLosses.push(Date.now());
        return world.redis.flush();
      case 'rollback':
        this.record.redisLosses.push(Date.now());
        return void (await world.redis.restoreSnapshot());
      case 'cut':
      case 'delay':
      case 'stall':
      case 'half-open':
      case 'reset':
        return this.hitLinks(fault);
      case 'poison':
        return this.poison();
      case 'disk-full':
        return this.fillDisk(world.slot(target), durationMs);
      case 'rebalance':
        await world.slot(target).start();
        await delay(durationMs);
        return void (await world.slot(target).stop());
      case 'clock':
        return this.shiftClock(world.slot(target), fault);
    }
  }

  private async hitServer(server: FaultWorld['kafka'][number], kill: boolean, durationMs: number): Promise<void> {
    await server.signal(kill ? 'SIGKILL' : 'SIGSTOP');
    await delay(durationMs);
    if (kill) await server.start();
    else await server.signal('SIGCONT');
  }

  private async hitLinks({ kind, target, link, durationMs, amountMs = 0 }: ScheduledFault): Promise<void> {
    const slots = target === 'all' ? this.world.slots : [this.world.slot(target)];
    const links = slots.flatMap(({ kafkaLinks, redisLink }) =>
      link === 'kafka' ? kafkaLinks : redisLink ? [redisLink] : [],
    );
    if (kind === 'reset') {
      for (const one of links) one.reset();
      return;
    }
    const mode: LinkMode =
      kind === 'delay'
        ? { kind: 'delayed', delayMs: amountMs }
        : { kind: kind === 'stall' ? 'stalled' : kind === 'cut' ? 'cut' : 'half-open' };
    for (const one of links) one.set(mode);
    await delay(durationMs);
    for (const one of links) one.set(OPEN);
  }

  private async poison(): Promise<void> {
    const round = ++this.rounds;
    const partition = round % Math.min(this.world.dataPartitions, this.world.controlPartitions);
    this.record.poisoned += await putPoison(this.producer, this.world.topics, { round, partition });
  }

  /** Nothing can be written to the router's disk, and nothing can be sent either. */
  private async fillDisk(slot: ServiceSlot, durationMs: number): Promise<void> {
    this.record.fullDisks.add(slot.name);
    for (const link of slot.kafkaLinks) link.set({ kind: 'cut' });
    const path = join(slot.dataFolder, FILLER);
    if (slot.hasOwnDisk) fill(path);
    await delay(durationMs);
    rmSync(path, { force: true });
    for (const link of slot.kafkaLinks) link.set(OPEN);
  }

  private async shiftClock(slot: ServiceSlot, { durationMs, amountMs = 0 }: ScheduledFault): Promise<void> {
    if (slot.app === 'router') this.record.clockErrorMs = Math.max(this.record.clockErrorMs, Math.abs(amountMs));
    slot.shiftClock(amountMs);
    await delay(durationMs);
    slot.shiftClock(0);
  }
}
