/**
 * What it costs a router to send an outcome: kafkajs as it is, the bus (its own record batches on kafkajs's
 * connections), and the router's whole publisher with its spool, each in a process of its own, in turn, at the same
 * rates on the same Kafka. A process that only makes the records is the floor, which is taken off. With journal-always
 * every outcome is also written to disk before anybody knows whether Kafka takes it.
 *
 *   npm run bench:producer [-- --json] [-- --short]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { KafkaBus, silentLogger } from '@app/shared';
import { startLocalStack } from '../../deploy/local/local-stack.js';
import { cpuUs } from './process-usage.js';
import type { PacedRun, ProducerSetup, SenderKind } from './producer-worker.js';

const PARTITIONS = 12;
const GOAL_RATIO = 0.5;
const FLOOR: SenderKind = 'floor';

interface Plan {
  readonly rates: readonly number[];
  readonly kinds: readonly SenderKind[];
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly runMs: number;
}

const FULL: Plan = {
  rates: [500, 2000, 10_000],
  kinds: [FLOOR, 'kafkajs', 'bus', 'publisher', 'journal-always'],
  rounds: 3,
  warmUpMs: 3000,
  runMs: 4000,
};
const SHORT: Plan = { rates: [2000], kinds: [FLOOR, 'kafkajs', 'bus'], rounds: 1, warmUpMs: 500, runMs: 1000 };

interface Result {
  readonly rate: number;
  readonly kind: SenderKind;
  /** CPU of the whole process per outcome, the floor's taken off, by round. */
  readonly usPerOutcome: readonly number[];
  readonly flushesPerSecond: number;
}

/** A process that sends in one way; it is quiet unless it is told to run. */
class Worker {
  private constructor(
    readonly kind: SenderKind,
    private readonly child: ChildProcess,
  ) {}

  static async start(setup: ProducerSetup): Promise<Worker> {
    const child = fork(new URL('./producer-worker.js', import.meta.url), [JSON.stringify(setup)]);
    process.once('exit', () => child.kill('SIGKILL'));
    await once(child, 'message');
    return new Worker(setup.kind, child);
  }

  /** CPU per outcome, us, and how often it flushed. */
  async run(run: PacedRun): Promise<{ us: number; flushesPerSecond: number }> {
    const pid = this.child.pid!;
    const before = cpuUs(pid);
    const answered = once(this.child, 'message');
    this.child.send(run);
    const [{ sent, flushes }] = (await answered) as [{ sent: number; flushes: number }];
    return { us: (cpuUs(pid) - before) / sent, flushesPerSecond: flushes / (run.ms / 1000) };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}

async function measure(brokers: string, plan: Plan): Promise<Result[]> {
  const topic = `bench-producer-${process.pid}`;
  const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'bench', logger: silentLogger });
  await bus.createTopics([{ topic, partitions: PARTITIONS, config: { 'message.timestamp.type': 'LogAppendTime' } }]);
  await bus.close();
  const workers: Worker[] = [];
  try {
    for (const kind of plan.kinds) workers.push(await Worker.start({ kind, brokers, topic, partitions: PARTITIONS }));
    const results: Result[] = [];
    for (const rate of plan.rates) results.push(...(await atRate(workers, rate, plan)));
    return results;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

async function atRate(workers: readonly Worker[], perSecond: number, plan: Plan): Promise<Result[]> {
  const us = new Map<SenderKind, number[]>(workers.map(({ kind }) => [kind, []]));
  const flushes = new Map<SenderKind, number>();
  for (const worker of workers) await worker.run({ perSecond, ms: plan.warmUpMs });
  for (let round = 0; round < plan.rounds; round++) {
    for (const worker of workers) {
      const done = await worker.run({ perSecond, ms: plan.runMs });
      us.get(worker.kind)!.push(done.us);
      flushes.set(worker.kind, done.flushesPerSecond);
    }
  }
  const floor = median(us.get(FLOOR)!);
  return workers
    .filter(({ kind }) => kind !== FLOOR)
    .map(({ kind }) => ({
      rate: perSecond,
      kind,
      usPerOutcome: us.get(kind)!.map((total) => total - floor),
      flushesPerSecond: flushes.get(kind)!,
    }));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

function report(results: readonly Result[]): string {
  const lines = ['outcomes/s   sender           CPU us/outcome (min..max)   ratio to kafkajs   flushes/s'];
  for (const { rate, kind, usPerOutcome, flushesPerSecond } of results) {
    const mid = median(usPerOutcome);
    const range = `${mid.toFixed(1)} (${Math.min(...usPerOutcome).toFixed(1)}..${Math.max(...usPerOutcome).toFixed(1)})`;
    const ratio = (mid / kafkajsAt(results, rate)).toFixed(2);
    lines.push(
      [String(rate).padEnd(12), kind.padEnd(16), range.padEnd(27), ratio.padEnd(18), flushesPerSecond.toFixed(0)].join(
        ' ',
      ),
    );
  }
  return lines.join('\n');
}

const kafkajsAt = (results: readonly Result[], rate: number): number =>
  median(results.find((r) => r.rate === rate && r.kind === 'kafkajs')!.usPerOutcome);

async function main(args: readonly string[]): Promise<boolean> {
  const [short, json] = [args.includes('--short'), args.includes('--json')];
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const stack = await startLocalStack({ redis: false, optimised: !short, log: say });
  try {
    const results = await measure(stack.kafkaBrokers, short ? SHORT : FULL);
    process.stdout.write(`${json ? JSON.stringify(results) : report(results)}\n`);
    const ratio = (rate: number): number =>
      median(results.find((r) => r.rate === rate && r.kind === 'bus')!.usPerOutcome) / kafkajsAt(results, rate);
    const met = (short ? SHORT : FULL).rates.every((rate) => ratio(rate) <= GOAL_RATIO);
    say(`goal: the bus at most ${GOAL_RATIO} of kafkajs at every rate: ${met ? 'met' : 'not met'}`);
    return short || met;
  } finally {
    await stack.stop();
  }
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
