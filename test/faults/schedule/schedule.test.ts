import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, type ScheduledFault, schedule, type ScheduleOptions } from './schedule.js';

const options = (seed: number, more: Partial<ScheduleOptions> = {}): ScheduleOptions => ({
  seed,
  durationMs: 120_000,
  kinds: FAULT_KINDS,
  routers: ['router-1', 'router-2'],
  evaluators: ['evaluator-1', 'evaluator-2'],
  spareEvaluators: ['evaluator-3'],
  controllers: ['controller-1', 'controller-2'],
  brokers: 3,
  smallDisk: 'router-2',
  ...more,
});
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);
const isProcessFault = ({ kind }: ScheduledFault): boolean =>
  kind.startsWith('kill-') || kind.startsWith('stop-') || kind === 'restart' || kind === 'rebalance';

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    for (const seed of SEEDS) expect(schedule(options(seed))).toEqual(schedule(options(seed)));
    expect(new Set(SEEDS.map((seed) => JSON.stringify(schedule(options(seed))))).size).toBe(SEEDS.length);
  });

  it('has every kind of fault before any comes again, as far as there is something to hit', () => {
    const kinds = new Set(SEEDS.flatMap((seed) => schedule(options(seed)).map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual([...FAULT_KINDS].sort());
    for (const seed of SEEDS) {
      const first = schedule(options(seed)).slice(0, 10);
      expect(new Set(first.map(({ kind }) => kind)).size).toBe(first.length);
    }
  });

  it('never does two things at a time to one process, and never hits two brokers', () => {
    for (const seed of SEEDS) {
      const endsMs = new Map<string, number>();
      for (const { target, atMs, durationMs } of schedule(options(seed)).filter(isProcessFault)) {
        const hit = target.startsWith('kafka') ? 'kafka' : target;
        expect(atMs).toBeGreaterThanOrEqual(endsMs.get(hit) ?? 0);
        endsMs.set(hit, atMs + durationMs);
      }
    }
  });

  it('is over when it is said to be', () => {
    for (const seed of SEEDS)
      for (const { atMs, durationMs } of schedule(options(seed)))
        expect(atMs + durationMs).toBeLessThanOrEqual(120_000);
  });

  it('spares who is spared, and keeps a pace that is given', () => {
    for (const seed of SEEDS) {
      const spared = ['router-1', 'evaluator-1', 'controller-1'];
      const faults = schedule(options(seed, { spared, everyMs: 10_000 }));
      expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map((_, i) => i * 10_000));
      for (const { kind, target } of faults)
        if (kind.startsWith('kill-') || kind === 'restart') expect(spared).not.toContain(target);
    }
  });

  it('holds only what is wanted', () => {
    for (const { kind } of schedule(options(1, { kinds: ['flush', 'poison'] })))
      expect(['flush', 'poison']).toContain(kind);
  });
});
