import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs } from '../../benchmark/process-usage.js';
import { KafkaLogSource } from '../oracle/log-source.js';
import { OutcomeRecount } from '../oracle/outcome-recount.js';
import { Child } from '../processes/child.js';
import type { LoadFigures, LoadQuestion } from '../processes/load.js';
import type { ModelQuestion } from '../processes/model.js';
import { ControllerApi } from '../world/controller-api.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { comesTrue, routerFigures, routersAreDone } from '../world/settle.js';
import { median, quantile } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';

export interface KafkaStopOptions {
  readonly runs: number;
  /** Of each half: Kafka there, Kafka stopped. */
  readonly seconds: number;
  readonly predictionsPerSecond: number;
}

const MODEL = 'served';
/** Compiled, connected, and the last half's spool sent on. */
const WARM_UP_MS = 10_000;
const DRAINED_MS_MAX = 120_000;
const GOALS = { cpu: 1.05, p50: 1.05, p99: 1.25 } as const;

/** One half of a run. */
interface Half {
  readonly predictions: number;
  readonly failed: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Before and during, each half as long, again and again: predictions do not notice that Kafka has stopped. */
export async function stopKafka(options: KafkaStopOptions, { say }: ScenarioContext): Promise<ScenarioResult> {
  await using opened = new AsyncDisposableStack();
  const world = await startFaultWorld({
    brokers: 1,
    counts: { router: 1, evaluator: 0, controller: 1 },
    direct: true,
    optimised: true,
    say,
  });
  opened.defer(() => world.close());
  await world.startAll();
  const stage = await Stage.open(world, options);
  opened.defer(() => stage.close());
  await delay(WARM_UP_MS);
  const runs: { readonly before: Half; readonly during: Half }[] = [];
  for (let run = 1; run <= options.runs; run++) {
    const before = await stage.half();
    const kafka = world.kafka[0]!;
    await kafka.signal('SIGSTOP');
    const during = await stage.half();
    await kafka.signal('SIGCONT');
    if (!(await routersAreDone(world, DRAINED_MS_MAX))) throw new Error('the spool is not sent on');
    runs.push({ before, during });
    say(`run ${run}: ${textOf(before)}; stopped: ${textOf(during)}`);
  }
  const { failed } = await stage.end();
  if (!(await routersAreDone(world, DRAINED_MS_MAX))) throw new Error('the spool is not sent on');
  const [figures] = await routerFigures(world.running('router'));
  await world.slot('router-1').stop();
  const counted = await countOutcomes(world);
  return resultOf(options, runs, { failedAtEnd: failed, figures: figures!, counted });
}

class Stage {
  private constructor(
    private readonly world: FaultWorld,
    private readonly options: KafkaStopOptions,
    private readonly model: Child<ModelQuestion, number>,
    private readonly load: Child<LoadQuestion, LoadFigures>,
  ) {}

  static async open(world: FaultWorld, options: KafkaStopOptions): Promise<Stage> {
    const model = new Child<ModelQuestion, number>('model');
    const port = await model.ask({ kind: 'listen', port: 0 });
    const api = new ControllerApi(() => world.running('controller').map(({ url }) => url));
    const version = (name: string) => ({ version: name, url: `http://127.0.0.1:${port}` });
    const prediction = { pointer: '/outputs/0/data/0', kind: 'class' };
    await api.order('rollouts', { model: MODEL, stable: version('v1'), prediction }, { commandId: 'register' });
    const load = new Child<LoadQuestion, LoadFigures>('load');
    const stage = new Stage(world, options, model, load);
    const { url } = world.running('router')[0]!;
    const serves = async (): Promise<boolean> => (await fetch(`${url}/v2/models/${MODEL}/ready`)).ok;
    if (!(await comesTrue(serves, DRAINED_MS_MAX))) throw new Error('the router does not serve the model');
    await load.ask({ kind: 'begin', urls: [url], model: MODEL, perSecond: options.predictionsPerSecond });
    return stage;
  }

  /** One half: what it cost, and what clients saw. */
  async half(): Promise<Half> {
    const { pid } = this.world.running('router')[0]!;
    await this.load.ask({ kind: 'figures' });
    const cpuBefore = cpuMs(pid);
    await delay(this.options.seconds * 1000);
    const { answered, failed, latenciesMs } = await this.load.ask({ kind: 'figures' });
    const latencies = [...latenciesMs];
    return {
      predictions: answered,
      failed,
      cpuUs: ((cpuMs(pid) - cpuBefore) * 1000) / answered,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  }

  end(): Promise<LoadFigures> {
    return this.load.ask({ kind: 'end' });
  }

  async close(): Promise<void> {
    await Promise.all([this.model.kill(), this.load.kill()]);
  }
}

/** What a plain consumer finds: each outcome once, and whether any lane has a gap. */
async function countOutcomes(world: FaultWorld): Promise<{ outcomes: number; twice: number; gaps: number }> {
  const ids = new Set<string>();
  let twice = 0;
  const partitions = Array.from(
    { length: world.dataPartitions },
    (_, i) =>
      new OutcomeRecount(i, ({ predictionId }) => {
        if (ids.has(predictionId)) twice++;
        ids.add(predictionId);
      }),
  );
  const source = new KafkaLogSource(world.brokers, world.topics);
  await source.read('outcome', (record) => partitions[record.partition]!.take(record));
  return { outcomes: ids.size, twice, gaps: partitions.reduce((n, { gaps }) => n + gaps.length, 0) };
}

const textOf = ({ predictions, failed, cpuUs, p50Ms, p99Ms }: Half): string =>
  `${predictions.toLocaleString('en')} predictions, ${failed} failed, ${cpuUs.toFixed(0)} us CPU each, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;

function resultOf(
  { runs: count, seconds, predictionsPerSecond }: KafkaStopOptions,
  runs: readonly { readonly before: Half; readonly during: Half }[],
  end: {
    readonly failedAtEnd: number;
    readonly figures: Awaited<ReturnType<typeof routerFigures>>[number];
    readonly counted: Awaited<ReturnType<typeof countOutcomes>>;
  },
): ScenarioResult {
  const { figures, counted, failedAtEnd } = end;
  const ratio = (of: (half: Half) => number): number =>
    median(runs.map(({ before, during }) => of(during) / of(before)));
  const ratios = {
    cpu: ratio(({ cpuUs }) => cpuUs),
    p50: ratio(({ p50Ms }) => p50Ms),
    p99: ratio(({ p99Ms }) => p99Ms),
  };
  const failed = runs.reduce((sum, { before, during }) => sum + before.failed + during.failed, failedAtEnd);
  const exact =
    counted.outcomes === figures.sent && figures.acknowledged === figures.sent && counted.twice + counted.gaps === 0;
  const met = ratios.cpu <= GOALS.cpu && ratios.p50 <= GOALS.p50 && ratios.p99 <= GOALS.p99;
  const problems = [
    ...(exact
      ? []
      : [
          `${figures.sent} sent, ${figures.acknowledged} acknowledged, ${counted.outcomes} in the topic, ${counted.twice} twice, ${counted.gaps} gaps`,
        ]),
    ...(failed > 0 ? [`${failed} predictions failed`] : []),
    ...(met ? [] : [`a ratio is above its goal (CPU ${GOALS.cpu}, p50 ${GOALS.p50}, p99 ${GOALS.p99})`]),
  ];
  const row = ({ predictions, failed: notAnswered, cpuUs, p50Ms, p99Ms }: Half): string[] => [predictions.toLocaleString('en'), String(notAnswered), cpuUs.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2)]; // prettier-ignore
  return {
    passed: problems.length === 0,
    head: ['run', 'kafka', 'predictions', 'failed', 'us CPU each', 'p50 ms', 'p99 ms'],
    rows: [
      ...runs.flatMap(({ before, during }, i) => [
        [String(i + 1), 'there', ...row(before)],
        [String(i + 1), 'stopped', ...row(during)],
      ]),
      ['median', 'ratio', '', '', ratios.cpu.toFixed(3), ratios.p50.toFixed(3), ratios.p99.toFixed(3)],
    ],
    problems,
    summary: `Kafka stopped for ${seconds} s under ${predictionsPerSecond} predictions/s, ${count} times: ${failed} failed, ${counted.outcomes.toLocaleString('en')} of ${figures.sent.toLocaleString('en')} outcomes in the topic, CPU x${ratios.cpu.toFixed(3)}, p50 x${ratios.p50.toFixed(3)}, p99 x${ratios.p99.toFixed(3)}`,
    figures: { runs, ratios, failed, counted, router: figures },
  };
}
