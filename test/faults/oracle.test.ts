import {
  type BucketRecord,
  configuredSealer,
  cutCodec,
  type Decision,
  decisionCodec,
  loadConfig,
  type Outcome,
  type RolloutState,
  SealingConfig,
  silentLogger,
  systemClock,
  topicNames,
  TOPICS,
  type TopicRole,
  type Verdict,
} from '@app/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Standalone, startStandalone } from '../../apps/standalone/src/standalone.js';
import { type LogRecord, MemoryLogSource } from './oracle/log-source.js';
import { type Evidence, judge, POISON_KEY } from './oracle/oracle.js';
import { putPoison } from './schedule/poison.js';
import { Clients, type SentPrediction } from './world/clients.js';
import { Operators } from './world/operators.js';
import type { Incarnation } from './world/service-slot.js';
import { comesTrue, routerFigures, shownWindows } from './world/settle.js';

const MODEL = 'judged';
const KEYS = `0:${Buffer.alloc(32, 3).toString('base64')}`;
const LABELS_WITHIN_MS = 2_000;
const PARTITIONS = 4;
const SLOT_KINDS = ['outcome', 'label'] as const;
const ENOUGH_MS_MAX = 120_000;

/** Of one round, those that somebody has to report. */
const REPORTED_POISON = 33;

type Records = Record<TopicRole, LogRecord[]>;

/** Everything that is in the topics from now on. */
function collect({ bus, topics }: Standalone): Records {
  const records = Object.fromEntries(TOPICS.map((role) => [role, [] as LogRecord[]])) as Records;
  for (const role of TOPICS)
    bus.follower({
      topics: [topics[role]],
      readCommitted: true,
      onBatch: (batch) => {
        for (const { offset, timestampMs, key, value, headers } of batch.records)
          records[role].push({
            partition: batch.partition,
            offset,
            timestampMs,
            key: key?.toString('utf8') ?? null,
            value,
            headers: { ...headers },
          });
      },
    });
  return records;
}

/** By role and partition: where the records end. */
function endsOf(records: readonly LogRecord[]): number[] {
  const ends = new Array<number>(PARTITIONS).fill(0);
  for (const { partition, offset } of records) ends[partition] = Math.max(ends[partition]!, offset + 1);
  return ends;
}

/** Whether the newest cut has come to where outcomes and labels ended at some time. */
function isFolded(
  records: Records,
  ends: { readonly outcome: readonly number[]; readonly label: readonly number[] },
): boolean {
  const positions = positionsOf(records);
  return SLOT_KINDS.every((kind) => ends[kind].every((end, i) => (positions.get(`${kind}-${i}`) ?? 0) >= end));
}

/** By slot: how far the newest cut has come. */
function positionsOf(records: Records): Map<string, number> {
  const newest = records.verdict.findLast(({ value }) => cutCodec.decode(value).ok);
  const cut = cutCodec.decode(newest?.value ?? null);
  if (!cut.ok) return new Map();
  const { positions } = cut.value;
  return new Map(SLOT_KINDS.flatMap((kind) => positions[kind].map((at, i) => [`${kind}-${i}`, at] as const)));
}

const startedRouter = (url: string): Incarnation => ({
  id: 'standalone/1',
  slot: 'standalone',
  pid: process.pid,
  url,
  startedMs: Date.now(),
  endedMs: null,
  stopAskedMs: null,
  killedMs: null,
  end: null,
  suspended: [],
});

interface Run {
  readonly evidence: Omit<Evidence, 'source'>;
  readonly records: Records;
}

/** A rollout of which a step passes by a verdict, and bad records, in memory: all that an oracle is given afterwards. */
async function recordRun(): Promise<Run> {
  await using opened = new AsyncDisposableStack();
  const env = { ROUTER_PORT: '0', EVALUATOR_PORT: '0', CONTROLLER_PORT: '0', PREDICTION_ID_KEYS: KEYS };
  const standalone = await startStandalone({ env, clock: systemClock, logger: silentLogger });
  opened.defer(() => standalone.close());
  const records = collect(standalone);
  const router = startedRouter(standalone.routerUrl);
  const operators = new Operators({
    seed: 3,
    models: [MODEL],
    controllerUrls: () => [standalone.controllerUrl],
    labelsWithinMs: LABELS_WITHIN_MS,
    plans: ['good'],
  });
  opened.defer(() => operators.close());
  await operators.register();
  const producer = standalone.bus.producer();
  const clients = new Clients({
    seed: 3,
    models: [{ model: MODEL, perSecond: 250 }],
    usersPerModel: 200,
    routers: () => [router],
    labels: { producer, topic: standalone.topics.label, labelsWithinMs: LABELS_WITHIN_MS },
  });
  clients.start();
  opened.defer(() => clients.stop());
  operators.goOn();
  const passed = async (): Promise<boolean> => {
    const decisions = (await operators.state(MODEL))?.decisions ?? [];
    return decisions.some(({ action, cause }) => action === 'weight-changed' && cause.kind === 'verdict');
  };
  expect(await comesTrue(passed, ENOUGH_MS_MAX), 'a step passed').toBe(true);
  await operators.command(MODEL, 'abort');
  await putPoison(producer, standalone.topics, { round: 1, partition: 2 });
  await operators.stop();
  await clients.stop();
  const sent = async (): Promise<boolean> => (await routerFigures([router]))[0]!.held === 0;
  expect(await comesTrue(sent, ENOUGH_MS_MAX), 'every outcome sent').toBe(true);
  const ends = { outcome: endsOf(records.outcome), label: endsOf(records.label) };
  const told = async (): Promise<boolean> => isFolded(records, ends) && records.deadLetter.length >= REPORTED_POISON;
  expect(await comesTrue(told, ENOUGH_MS_MAX), 'everything folded, and dead letters of all bad records').toBe(true);
  const routers = await routerFigures([router]);
  const range = { fromMs: router.startedMs - 20_000, toMs: Date.now() + 20_000 };
  const run = async (): Promise<Run> => ({
    // As they are now: ends of buckets and heartbeats come after everything else.
    records: Object.fromEntries(TOPICS.map((role) => [role, [...records[role]]])) as Records,
    evidence: {
      sealer: configuredSealer(loadConfig(SealingConfig, { KAFKA_BROKERS: 'none:1', PREDICTION_ID_KEYS: KEYS })),
      dataPartitions: { outcome: PARTITIONS, label: PARTITIONS },
      clients: { sent: clients.sent, incarnations: [router], routers, fullDisks: new Set() },
      redis: {
        windows: await shownWindows(standalone.controllerUrl, [MODEL], range),
        positions: positionsOf(records),
        losses: [],
        clockErrorMs: 0,
      },
      labelled: clients.labelled,
      confirmed: operators.confirmed,
    },
  });
  // Ends of buckets come after everything else, are folded a moment later, and a second after that the windows show it.
  // If something is missing for good, the first test says what.
  let settled = await run();
  const isSettled = async (): Promise<boolean> => {
    settled = await run();
    return (await rulesOf(settled)).length === 0;
  };
  await comesTrue(isSettled, ENOUGH_MS_MAX);
  await standalone.close();
  return settled;
}

async function rulesOf({ evidence, records }: Run): Promise<readonly string[]> {
  const { differences } = await judge({ ...evidence, source: new MemoryLogSource(records, topicNames()) });
  return [...differences.rules().keys()];
}

/** A change of what the oracle is given; everything that is not changed is shared. */
type Mutation = (run: Run) => Run;

const json = (record: LogRecord): Record<string, unknown> =>
  JSON.parse(record.value!.toString('utf8')) as Record<string, unknown>;
/** What is no poison. */
const isReal = ({ key, value }: LogRecord): boolean => value !== null && !key?.startsWith(POISON_KEY);

/** Changes the records of a topic. */
const records =
  (role: TopicRole, change: (all: LogRecord[]) => LogRecord[]): Mutation =>
  (run) => ({ ...run, records: { ...run.records, [role]: change([...run.records[role]]) } });

/** Changes the value of one of the records that are meant: that after so much of them, 0 the first. */
const value = <T>(
  role: TopicRole,
  isMeant: (value: T) => boolean,
  change: (value: T) => unknown,
  after = 0,
): Mutation =>
  records(role, (all) => {
    const meant = all.filter((record) => isReal(record) && isMeant(json(record) as T));
    const chosen = meant[Math.floor(after * meant.length)];
    if (!chosen) throw new Error(`nothing to change in ${role}`);
    const changed = { ...chosen, value: Buffer.from(JSON.stringify(change(json(chosen) as T))) };
    return all.map((record) => (record === chosen ? changed : record));
  });

const drop = (role: TopicRole, isMeant: (value: Record<string, unknown>) => boolean): Mutation =>
  records(role, (all) => {
    const at = all.findIndex((record) => isReal(record) && isMeant(json(record)));
    if (at < 0) throw new Error(`nothing to drop in ${role}`);
    return all.toSpliced(at, 1);
  });

const evidence =
  (change: (evidence: Run['evidence']) => Partial<Run['evidence']>): Mutation =>
  (run) => ({ ...run, evidence: { ...run.evidence, ...change(run.evidence) } });

const isOutcome = ({ kind }: { kind?: unknown }): boolean => kind === 'outcome';
/** Of the rollout's first step, where both versions are compared. */
const isCanaryOk = (o: Outcome): boolean =>
  o.kind === 'outcome' && o.version === 'v1' && o.status === 'ok' && o.bucket !== undefined;
const isVerdict = (v: Verdict): boolean => v.kind === 'verdict';
const isByVerdict = ({ action, cause }: Decision): boolean => action === 'weight-changed' && cause.kind === 'verdict';

describe('the oracle', () => {
  let run: Run;
  beforeAll(async () => {
    run = await recordRun();
  });

  const rulesAfter = (mutate: Mutation): Promise<readonly string[]> => rulesOf(mutate(run));

  it('finds no difference in what really happened, and has counted something of everything', async () => {
    const { differences, figures } = await judge({
      ...run.evidence,
      source: new MemoryLogSource(run.records, topicNames()),
    });
    expect(differences.all()).toEqual([]);
    expect(figures.clients!.predictions).toBe(figures.outcomes);
    expect(figures.verdicts.holds).toEqual({});
    for (const n of [
      figures.outcomes,
      figures.buckets,
      figures.labels,
      figures.lateLabels,
      figures.decisions,
      figures.verdicts.verdicts,
      figures.deadLetters,
    ])
      expect(n).toBeGreaterThan(0);
  });

  it('takes a record that was written twice for one', async () => {
    const again = records('outcome', (all) => {
      const twice = all.filter((record) => record.partition === 1).slice(0, 50);
      // At the end, as by a producer that was made anew; nothing is counted there any more.
      const end = endsOf(all)[1]!;
      return [
        ...all,
        ...twice.map((record, i) => ({ ...record, offset: end + i, timestampMs: all.at(-1)!.timestampMs })),
      ];
    });
    expect(await rulesAfter(again)).toEqual(['slot-position']);
  });

  it('takes a prediction that its client gave up for none that failed: with an outcome, and without', async () => {
    const left = { status: 0, version: null, predictionId: null, leftEarly: true } as const;
    const sent = (change: (all: readonly SentPrediction[]) => readonly SentPrediction[]): Mutation =>
      evidence(({ clients }) => ({ clients: { ...clients!, sent: change(clients!.sent) } }));
    expect(await rulesAfter(sent((all) => all.map((p, i) => (i === 5 ? { ...p, ...left } : p))))).toEqual([]);
    expect(await rulesAfter(sent((all) => [...all, { ...all[5]!, ...left }]))).toEqual([]);
  });

  it.each<[string, Mutation, readonly string[]]>([
    ['an outcome is dropped', drop('outcome', isOutcome), ['missing-outcome', 'lane-gap']],
    ['a bucket record is dropped', drop('outcome', (v) => v['kind'] === 'bucket' && v['final'] === true), ['lane-gap', 'bucket-never-final']],
    ['a bucket counts one prediction twice', value<BucketRecord>('outcome', (b) => b.kind === 'bucket' && b.final && b.versions['v1'] !== undefined, (b) => ({ ...b, versions: { ...b.versions, v1: { ...b.versions['v1']!, routed: b.versions['v1']!.routed + 1 } } }), 0.6), ['verdict-figures']],
    ['a good answer of the canary is told as a failure', value('outcome', isCanaryOk, (o) => ({ ...o, status: 'error', httpStatus: 500 }), 0.6), ['outcome-status', 'verdict-figures']],
    ['an outcome is given to the other version', value('outcome', isCanaryOk, (o) => ({ ...o, version: 'v0' })), ['version-header', 'assignment']],
    ['an outcome has another id', value<Outcome>('outcome', isOutcome, (o) => ({ ...o, predictionId: 'x'.repeat(60) })), ['missing-outcome', 'outcome-of-nobody']],
    ['a prediction has two outcomes', records('outcome', (all) => {
      const record = all.findLast((one) => one.value !== null && isOutcome(json(one) as { kind: string }))!;
      const twin = { ...json(record), sequence: (json(record)['sequence'] as number) + 1_000_000 };
      return [...all, { ...record, offset: record.offset + 1_000_000, value: Buffer.from(JSON.stringify(twin)) }];
    }), ['outcome-twice']],
    ['labels are not there', records('label', (all) => all.filter(({ partition, key }) => partition !== 0 || key?.startsWith('poison/') === true)), ['label-lost', 'verdict-figures']],
    ['a verdict has counted one more', value<Verdict>('verdict', (v) => isVerdict(v) && v.checks.some(({ check }) => check === 'errorRate'), (v) => ({ ...v, checks: v.checks.map((c) => (c.check === 'errorRate' ? { ...c, canary: { ...c.canary, n: c.canary.n + 1 } } : c)) })), ['verdict-figures']],
    ['a verdict has one bad label less', value<Verdict>('verdict', (v) => isVerdict(v) && v.checks.some(({ check, canary }) => check === 'accuracy' && canary.bad > 0), (v) => ({ ...v, checks: v.checks.map((c) => (c.check === 'accuracy' ? { ...c, canary: { ...c.canary, bad: c.canary.bad - 1 } } : c)) })), ['verdict-figures']],
    ['a step counts other predictions', value<Verdict>('verdict', isVerdict, (v) => ({ ...v, counted: { ...v.counted, stable: v.counted.stable + 1 } })), ['verdict-figures']],
    ['a verdict says that it lost its evidence', value<Verdict>('verdict', isVerdict, (v) => ({ ...v, reason: { code: 'evaluator-diverged', text: 'x' } })), ['evaluator-lost-its-evidence']],
    ['a cut is dropped', drop('verdict', (v) => v['kind'] === 'cut' && v['number'] === 5), ['cut-numbers']],
    ['a verdict is of another cut', value<Verdict>('verdict', isVerdict, (v) => ({ ...v, cut: { ...v.cut, number: v.cut.number + 1 } })), ['verdict-without-cut']],
    ['a decision is dropped', drop('decision', (d) => d['action'] === 'weight-changed'), ['decision-sequence', 'weights']],
    ['a decision came twice', records('decision', (all) => {
      const at = all.findIndex((record) => decisionCodec.decode(record.value).ok && isByVerdict(json(record) as unknown as Decision));
      return all.toSpliced(at, 0, all[at]!);
    }), ['decision-sequence']],
    ['a decision goes to other weights', value<Decision>('decision', isByVerdict, (d) => ({ ...d, to: { v0: 0.5, v1: 0.5 } })), ['weights', 'state-and-decision']],
    ['a generation is left out', value<Decision>('decision', isByVerdict, (d) => ({ ...d, generation: d.generation + 1 })), ['generation', 'undecided-generation']],
    ['a decision rests on a verdict nobody gave', value<Decision>('decision', isByVerdict, (d) => ({ ...d, cause: { kind: 'verdict', verdictId: 'x' } })), ['verdict-of-nobody']],
    ['a decision rests on a verdict that said something else', (given) => {
      const other = given.records.verdict.filter(isReal).map(json).find((v) => v['result'] === 'continue')!;
      return value<Decision>('decision', isByVerdict, (d) => ({ ...d, cause: { kind: 'verdict', verdictId: other['verdictId'] as string } }))(given);
    }, ['verdict-and-action']],
    ['a decision rests on a verdict of another generation', (given) => {
      const decision = given.records.decision.filter(isReal).map(json).find((d) => isByVerdict(d as unknown as Decision)) as unknown as Decision;
      const { cause } = decision;
      const isIt = (v: Verdict): boolean => isVerdict(v) && cause.kind === 'verdict' && v.verdictId === cause.verdictId;
      return value<Verdict>('verdict', isIt, (v) => ({ ...v, generation: v.generation - 1 }))(given);
    }, ['verdict-of-another-generation']],
    ['something is decided after the end', records('decision', (all) => {
      const last = all.findLast(({ key }) => key === MODEL)!;
      const decision = json(last) as unknown as Decision;
      const more = { ...decision, sequence: decision.sequence + 1, decisionId: `${MODEL}/${decision.sequence + 1}`, from: decision.to, action: 'held' };
      return [...all, { ...last, offset: last.offset + 10, value: Buffer.from(JSON.stringify(more)) }];
    }), ['end-is-final']],
    ['a state has other weights', value<RolloutState>('state', ({ generation }) => generation > 1, (s) => ({ ...s, weights: { v0: 0, v1: 1 } })), ['state-and-decision']],
    ['a confirmed command was not decided', evidence(({ confirmed }) => ({ confirmed: [...confirmed, { model: MODEL, commandId: 'x', action: 'pause' }] })), ['confirmed-and-not-decided']],
    ['a window shows too much', evidence(({ redis }) => ({ redis: { ...redis!, windows: changeWindow(redis!.windows, 1) } })), ['window-too-much']],
    ['a window shows too little', evidence(({ redis }) => ({ redis: { ...redis!, windows: changeWindow(redis!.windows, -1) } })), ['window']],
    ['a slot is behind', evidence(({ redis }) => ({ redis: { ...redis!, positions: new Map([...redis!.positions, ['outcome-1', 3]]) } })), ['slot-position']],
    ['a slot is not there', evidence(({ redis }) => ({ redis: { ...redis!, positions: new Map([...redis!.positions].slice(1)) } })), ['slot-position']],
    ["a router's account does not add up", evidence(({ clients }) => ({ clients: { ...clients!, routers: clients!.routers.map((r) => ({ ...r, acknowledged: r.acknowledged - 1 })) } })), ['account']],
    ['a prediction failed', evidence(({ clients }) => ({ clients: { ...clients!, sent: clients!.sent.map((p, i) => (i === 5 ? { ...p, status: 503 } : p)) } })), ['failed-prediction']],
    ['a dead letter is missing', drop('deadLetter', ({ topic }) => topic === 'prediction-label'), ['no-dead-letter']],
    ['a good record has a dead letter', value('deadLetter', ({ topic }: { topic: string }) => topic.endsWith('outcome'), (letter) => ({ ...letter, offset: 0 })), ['no-dead-letter', 'dead-letter-of-a-good-record']],
  ])('names it: %s', async (_, mutation, expected) => {
    expect(await rulesAfter(mutation)).toEqual(expect.arrayContaining([...expected]));
  }); // prettier-ignore
});

function changeWindow(windows: NonNullable<Evidence['redis']>['windows'], by: number): typeof windows {
  return new Map(
    [...windows].map(([model, list]) => [
      model,
      list.map((window, i) =>
        i > 0
          ? window
          : {
              ...window,
              versions: {
                ...window.versions,
                v0: { ...window.versions['v0']!, routed: window.versions['v0']!.routed + by },
              },
            },
      ),
    ]),
  );
}
