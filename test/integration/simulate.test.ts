import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseRolloutSpec, type RehearsalReport, renderRolloutSpec } from '@app/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApps } from '../fixtures/build-apps.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CANARYCTL = here('../../dist/apps/cli/src/main.js');

/** Limits that a few thousand predictions can show: a rehearsal takes tens of milliseconds. */
const QUICK = {
  model: 'digits',
  stable: { version: 'v1', url: 'http://127.0.0.1:9001' },
  canary: { version: 'v2', url: 'http://127.0.0.1:9002' },
  prediction: { pointer: '/class' },
  warmup: { predictions: 50, duration: '5s' },
  steps: [
    { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 300, duration: '10s' } },
    { traffic_split: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 300, duration: '10s' } },
    { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: '10s' } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.05 },
    accuracy: { maxDrop: 0.1, labelsWithin: '10s' },
    latency: { p50: { maxRatio: 2 }, p99: { maxRatio: 3 } },
  },
};

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** canaryctl as it is installed: a program that starts another, which starts threads. */
async function canaryctl(
  args: string,
  file: object = QUICK,
  onProgress?: (child: ChildProcess) => void,
): Promise<Ended> {
  const parsed = parseRolloutSpec(file);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const child = spawn(process.execPath, [CANARYCTL, ...args.split(' '), '-f', '-']);
  child.stdin.end(renderRolloutSpec(parsed.value));
  if (onProgress) child.stderr.once('data', () => onProgress(child));
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

async function rehearsed(args: string, file: object = QUICK): Promise<RehearsalReport> {
  const { code, out, err } = await canaryctl(`simulate --rate 200 ${args} -o json`, file);
  expect(code, err).toBe(0);
  return JSON.parse(out) as RehearsalReport;
}

describe('canaryctl simulate, as built', () => {
  beforeAll(() => {
    buildApps(['evaluator', 'cli']);
  });

  it('promotes a good canary in more than 95 % of the rollouts, and has nothing to advise', async () => {
    const { runs, ends, weakestCheck, advice } = await rehearsed('--runs 40');
    expect(runs).toBe(40);
    expect(ends.promoted.share).toBeGreaterThan(0.95);
    expect(ends.promoted.time!.median).toBeGreaterThan(30_000);
    expect(weakestCheck).not.toBeNull();
    expect(advice).toEqual([]);
  });

  it('rolls a dead one back in all of them, within a second or two', async () => {
    const { ends, sinceFault } = await rehearsed('--runs 40 --degrade dead-after=15s');
    expect(ends['rolled-back'].share).toBe(1);
    expect(sinceFault!.time.p90).toBeLessThan(3_000);
    expect(sinceFault!.canaryPredictions.p90).toBeLessThan(60);
  });

  it('tells of an atMost that is too short', async () => {
    const [first, ...rest] = QUICK.steps;
    const file = { ...QUICK, steps: [{ ...first, atMost: { duration: '20s' } }, ...rest] };
    const { ends, advice } = await rehearsed('--runs 20', file);
    expect(ends.paused.share).toBeGreaterThan(0.5);
    expect(advice).toMatchObject([{ field: 'steps.0.atMost', code: 'at-most-too-short' }]);
  });

  it('gives the same report for the same seed, however many threads there are', async () => {
    const withoutTime = ({ elapsedMs: _, ...report }: RehearsalReport) => report;
    const one = withoutTime(await rehearsed('--runs 6 --seed 4 --jobs 1'));
    expect(withoutTime(await rehearsed('--runs 6 --seed 4 --jobs 3'))).toEqual(one);
    expect(withoutTime(await rehearsed('--runs 6 --seed 5'))).not.toEqual(one);
  });

  it('prints what is known when it is interrupted', async () => {
    const { code, out } = await canaryctl('simulate --rate 200 --for 10m', QUICK, (child) => child.kill('SIGINT'));
    expect(code).toBe(0);
    expect(out).toMatch(/^digits: \d+ rollouts? rehearsed in \d+s/);
    expect(out).toMatch(/stopped: \d+ rollouts? under way left out/);
  });

  it('keeps to its time', async () => {
    const { out, err } = await canaryctl('simulate --rate 200 --for 3s');
    expect(out).toMatch(/rehearsed in \d+s/);
    expect(err).toMatch(/rollouts?: \d+ promoted/);
  });
});
