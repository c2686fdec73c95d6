import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { KafkaBus, silentLogger } from '@app/shared';
import { type BenchContext, say } from '../framework/context.js';
import { MEASURED_CORE, pin } from '../framework/cores.js';
import { ratioSpread, spreadOf } from '../framework/figures.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import type { Suite } from '../framework/suite.js';
import { cpuUs } from '../process-usage.js';
import type { PacedRun, ProducerSetup, SenderKind } from './producer-worker.js';

const PARTITIONS = 12;
const GOAL_RATIO = 0.5;
const FLOOR: SenderKind = 'floor';
const NAMES: Readonly<Record<SenderKind, string>> = {
  floor: 'only made',
  kafkajs: 'kafkajs as it is',
  bus: 'the bus',
  publisher: "the router's publisher",
  'journal-always': 'the same, each outcome on disk first',
};
/** The higher one first: what V8 compiles in it is not measured in the lower one. */
const RATES = [10_000, 2_000];
const SHORT_RATES = [2_000];
const KINDS: readonly SenderKind[] = [FLOOR, 'kafkajs', 'bus', 'publisher', 'journal-always'];

/**
 * kafkajs as it is, the bus (its own record batches on kafkajs's connections), and the router's whole publisher with its
 * spool, each in a process of its own, in turns, at the same rates on the same Kafka. A process that only makes the
 * records is the floor, which is taken off.
 */
export const producerSuite: Suite = {
  name: 'producer',
  about: 'CPU per outcome sent, beside kafkajs as it is',
  open: (context) => Promise.resolve([{ name: 'senders', run: () => senders(context) }]),
};

/** A process that sends in one way; it is quiet unless it is told to run. */
class Worker {
  private constructor(
    readonly name: SenderKind,
    private readonly child: ChildProcess,
  ) {}

  static async start(setup: ProducerSetup, { guard }: BenchContext): Promise<Worker> {
    const child = fork(new URL('./producer-worker.js', import.meta.url), [JSON.stringify(setup)], {
      // kafkajs as it is sets timers that are due already.
      execArgv: [...process.execArgv, '--disable-warning=TimeoutNegativeWarning'],
    });
    guard.watch('pid', child.pid!);
    pin(child.pid!, MEASURED_CORE);
    await once(child, 'message');
    return new Worker(setup.kind, child);
  }

  /** CPU per outcome, us. */
  async run(run: PacedRun): Promise<number> {
    const pid = this.child.pid!;
    const before = cpuUs(pid);
    const answered = once(this.child, 'message');
    this.child.send(run);
    const [{ sent }] = (await answered) as [{ sent: number }];
    return (cpuUs(pid) - before) / sent;
  }

  async stop({ guard }: BenchContext): Promise<void> {
    if (this.child.exitCode === null) {
      const gone = once(this.child, 'exit');
      this.child.disconnect();
      await gone;
    }
    guard.forget('pid', this.child.pid!);
  }
}

async function senders(context: BenchContext): Promise<Section> {
  const brokers = (await context.stack()).kafkaBrokers;
  const topic = `bench-producer-${process.pid}`;
  const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'bench', logger: silentLogger });
  await bus.createTopics([{ topic, partitions: PARTITIONS, config: { 'message.timestamp.type': 'LogAppendTime' } }]);
  await bus.close();
  const workers: Worker[] = [];
  try {
    for (const kind of KINDS)
      workers.push(await Worker.start({ kind, brokers, topic, partitions: PARTITIONS }, context));
    const rows = [];
    for (const rate of context.options.short ? SHORT_RATES : RATES)
      rows.push(...(await atRate(workers, rate, context.options)));
    return { title: 'Producer: CPU per outcome sent, what only makes them taken off', rows };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop(context)));
  }
}

async function atRate(workers: readonly Worker[], perSecond: number, { rounds, warmUps, seconds }: BenchmarkOptions) {
  const at = `${perSecond.toLocaleString('en-US')}/s`;
  say(`  ${at} ...`);
  const run = { perSecond, ms: seconds * 1000 };
  const samples = await inTurns(workers, { rounds, warmUps }, (worker) => worker.run(run));
  // The least: whatever else the machine did comes on top of what making them costs.
  const floorUs = spreadOf(samples.get(FLOOR)!).min;
  const us = (kind: SenderKind): readonly number[] => samples.get(kind)!.map((total) => total - floorUs);
  const senderKinds = KINDS.filter((kind) => kind !== FLOOR);
  return [
    ...senderKinds.map((kind) => row(`${at}: ${NAMES[kind]}`, us(kind), 'us')),
    ...senderKinds
      .filter((kind) => kind !== 'kafkajs')
      .map((kind) => {
        const goal = kind === 'bus' ? { atMost: GOAL_RATIO } : undefined;
        return row(`${at}: ${NAMES[kind]} / kafkajs`, ratioSpread(us(kind), us('kafkajs')), '', goal);
      }),
  ];
}
