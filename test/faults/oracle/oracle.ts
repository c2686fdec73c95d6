import type { PredictionIdSealer, TopicRole, Verdict } from '@app/shared';
import { checkClients, checkGaps, type ClientFigures, type ClientSide, mayLose, OutcomeIndex } from './client-rules.js';
import { checkDeadLetters } from './dead-letter-rules.js';
import { checkDecisions, checkStates } from './decision-rules.js';
import { Differences } from './differences.js';
import { type History, placeOf, readHistory } from './history.js';
import { LabelRecount } from './label-recount.js';
import type { LogRecord, LogSource } from './log-source.js';
import { OutcomeRecount } from './outcome-recount.js';
import { checkVerdicts, readVerdicts, type Recounts, type VerdictFigures } from './verdict-rules.js';
import { type RedisSide, WindowRecount } from './window-recount.js';

/** All that an oracle looks at. What is null is not looked at. */
export interface Evidence {
  readonly source: LogSource;
  readonly sealer: PredictionIdSealer;
  readonly dataPartitions: { readonly outcome: number; readonly label: number };
  readonly clients: ClientSide | null;
  readonly redis: RedisSide | null;
  /** Ids of predictions whose label Kafka has acknowledged. */
  readonly labelled: ReadonlySet<string>;
  /** Ids of commands that a controller has confirmed. */
  readonly confirmed: readonly { readonly model: string; readonly commandId: string; readonly action: string }[];
}

export interface Judgement {
  readonly differences: Differences;
  readonly history: History;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly figures: OracleFigures;
}

export interface OracleFigures {
  readonly outcomes: number;
  readonly duplicates: number;
  readonly buckets: number;
  readonly leftOut: number;
  readonly labels: number;
  readonly lateLabels: number;
  readonly decisions: number;
  readonly verdicts: VerdictFigures;
  readonly deadLetters: number;
  readonly clients: ClientFigures | null;
}

/** Keys of records that were put into topics to do harm. */
export const POISON_KEY = 'poison/';
const isPoison = ({ key }: LogRecord): boolean => key !== null && key.startsWith(POISON_KEY);

/**
 * Reads everything from the beginning, counts it again, replays every decision, and compares with what the services
 * said and clients saw. It shares no code with the services but the contracts of the topics and the opening of
 * prediction ids.
 */
export async function judge(evidence: Evidence): Promise<Judgement> {
  const { source, clients, redis } = evidence;
  const differences = new Differences();
  const history = await readHistory(source, isPoison, differences);
  const refused = new Map<TopicRole, Map<string, string>>();
  const windows = new WindowRecount();
  const index = clients ? new OutcomeIndex() : null;
  const counted = await recount(evidence, { history, refused, windows, index, differences });
  const verdicts = await readVerdicts(source, isPoison, differences);
  const figures = checkVerdicts(verdicts, counted, history, differences);
  checkDecisions(history, verdicts.byId, differences);
  await checkStates(source, isPoison, history, differences);
  checkConfirmed(evidence, history, differences);
  for (const role of ['verdict', 'command', 'state'] as const) await notePoison(source, role, refused);
  const deadLetters = await checkDeadLetters(source, isPoison, refused, differences);
  if (redis) checkRedis(redis, counted, windows, differences);
  checkFinal(counted, clients, differences);
  const seen = clients && index ? checkClients(clients, index, history, differences) : null;
  if (clients) for (const { gaps } of counted.outcomes) checkGaps(gaps, clients, differences);
  const sum = (of: (recounted: OutcomeRecount) => number): number =>
    counted.outcomes.reduce((n, one) => n + of(one), 0);
  return {
    differences,
    history,
    verdicts: verdicts.byId,
    figures: {
      outcomes: counted.outcomeCount,
      duplicates: sum(({ duplicates }) => duplicates),
      buckets: sum(({ findings }) => findings.filter((one) => one.kind === 'look' && one.final).length),
      leftOut: sum(({ findings }) => findings.filter(({ kind }) => kind === 'left-out').length),
      labels: counted.labels.reduce((n, { counted: labels }) => n + labels, 0),
      lateLabels: counted.labels.reduce((n, { late }) => n + late, 0),
      decisions: [...history.models.values()].reduce((n, { decisions }) => n + decisions.length, 0),
      verdicts: figures,
      deadLetters,
      clients: seen,
    },
  };
}

interface Counting {
  readonly history: History;
  readonly refused: Map<TopicRole, Map<string, string>>;
  readonly windows: WindowRecount;
  readonly index: OutcomeIndex | null;
  readonly differences: Differences;
}

interface Counted extends Recounts {
  readonly outcomeCount: number;
}

async function recount(evidence: Evidence, counting: Counting): Promise<Counted> {
  const { source, sealer, dataPartitions, labelled } = evidence;
  const { history, refused, windows, index, differences } = counting;
  let outcomeCount = 0;
  let current: LogRecord | null = null;
  const ofUnknown = new Map<string, string>();
  const outcomes = Array.from(
    { length: dataPartitions.outcome },
    (_, partition) =>
      new OutcomeRecount(partition, (outcome, logTimeMs) => {
        outcomeCount++;
        windows.addOutcome(outcome, logTimeMs);
        index?.add(outcome);
        const told = history.find(outcome.model);
        const known = told !== undefined && [...told.versions.values()].includes(outcome.version);
        if (!known && current) ofUnknown.set(placeOf(current), 'of an unknown model or version');
      }),
  );
  await source.read('outcome', (record) => {
    current = record;
    outcomes[record.partition]?.take(record);
  });
  const labels = Array.from(
    { length: dataPartitions.label },
    () => new LabelRecount(sealer, history, (label, logTimeMs) => windows.addLabel(label, logTimeMs)),
  );
  const labelsFound = new Set<string>();
  await source.read('label', (record) => {
    if (record.key !== null) labelsFound.add(record.key);
    labels[record.partition]?.take(record);
  });
  for (const id of labelled) differences.unless(labelsFound.has(id), 'label-lost', id, 'acknowledged, and not there');
  refused.set('outcome', new Map([...placesOf(outcomes), ...ofUnknown]));
  refused.set('label', placesOf(labels));
  return { outcomes, labels, outcomeCount };
}

function placesOf(recounts: readonly { readonly refused: ReadonlyMap<number, string> }[]): Map<string, string> {
  return new Map(
    recounts.flatMap(({ refused }, partition) =>
      [...refused].map(([offset, why]) => [`${partition}/${offset}`, why] as const),
    ),
  );
}

async function notePoison(
  source: LogSource,
  role: TopicRole,
  refused: Map<TopicRole, Map<string, string>>,
): Promise<void> {
  const places = new Map<string, string>();
  await source.read(role, (record) => {
    // In rollout-state a record without a value takes its model away, which is nothing to report.
    if (isPoison(record) && !(role === 'state' && record.value === null)) places.set(placeOf(record), 'poison');
  });
  refused.set(role, places);
}

/** Whatever a controller has confirmed was decided. */
function checkConfirmed({ confirmed }: Evidence, history: History, differences: Differences): void {
  for (const { model, commandId, action } of confirmed) {
    const found = history
      .find(model)
      ?.decisions.some(({ cause }) => cause.kind === 'command' && cause.commandId === commandId);
    // A canary that an apply names is decided about when it is ready; the rollout it began says so.
    if (!found && action !== 'apply')
      differences.add('confirmed-and-not-decided', model, `${action}, command ${commandId}`);
  }
}

function checkRedis(
  redis: RedisSide,
  { outcomes, labels }: Recounts,
  windows: WindowRecount,
  differences: Differences,
): void {
  windows.check(redis, differences);
  const slots = [
    ...outcomes.map((one, i) => ['outcome', i, one] as const),
    ...labels.map((one, i) => ['label', i, one] as const),
  ];
  for (const [kind, partition, { lastMeaningful }] of slots) {
    const name = `${kind}-${partition}`;
    const position = redis.positions.get(name);
    if (position === undefined) {
      differences.unless(lastMeaningful < 0, 'slot-position', name, 'there is no such slot');
      continue;
    }
    differences.unless(
      position > lastMeaningful,
      'slot-position',
      name,
      `stands at ${position}, a record at ${lastMeaningful} waits`,
    );
  }
}

/** Every bucket ends, but for those whose records may be lost. */
function checkFinal({ outcomes }: Recounts, clients: ClientSide | null, differences: Differences): void {
  for (const recounted of outcomes)
    for (const { router, bucket, model } of recounted.unfinished())
      if (clients && !mayLose(router, clients)) differences.add('bucket-never-final', `${router} ${bucket}`, model);
}
