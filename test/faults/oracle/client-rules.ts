import type { Outcome } from '@app/shared';
import type { SentPrediction } from '../world/clients.js';
import type { Incarnation } from '../world/service-slot.js';
import { versionOf } from './assignment.js';
import type { Differences } from './differences.js';
import type { History } from './history.js';
import type { LaneGap } from './outcome-recount.js';

/** Outcomes by prediction id, each once. */
export class OutcomeIndex {
  readonly byId = new Map<string, Outcome>();
  readonly twice: string[] = [];

  add(outcome: Outcome): void {
    if (this.byId.has(outcome.predictionId)) this.twice.push(outcome.predictionId);
    else this.byId.set(outcome.predictionId, outcome);
  }
}

/** What routers said of the outcomes they made, when all was quiet. */
export interface RouterFigures {
  readonly incarnation: string;
  readonly sent: number;
  readonly acknowledged: number;
  readonly dropped: number;
  readonly held: number;
  /** Of earlier processes in the same place. */
  readonly restored: { readonly found: number; readonly acknowledged: number; readonly dropped: number };
}

export interface ClientSide {
  readonly sent: readonly SentPrediction[];
  readonly incarnations: readonly Incarnation[];
  readonly routers: readonly RouterFigures[];
  /** Slots whose disk was full at some time: their routers may drop. */
  readonly fullDisks: ReadonlySet<string>;
}

export interface ClientFigures {
  readonly predictions: number;
  /** Not answered because their router was killed or suspended. */
  readonly failedWithRouter: number;
  /** Not answered because their clients did not wait. */
  readonly leftEarly: number;
  /** Answered, and their outcome was in the memory of a router that was killed. */
  readonly lostWithRouter: number;
  readonly dropped: number;
}

/** A crash is a difference of its own; its predictions are not to hide it. */
const CRASH_TOLD_MS_MAX = 1_000;
/** A load balancer has noticed by then that a router is not ready; it drains for longer. */
const NOTICED_MS_MAX = 2_000;
/** What a router may hold in memory when it is killed: what a producer admits before it refuses, and what is collected. */
const IN_MEMORY_MS = 5_000;
const IN_MEMORY_LEAST = 200;

/** Holds what clients saw against the outcomes: each prediction has exactly one, and it says the same. */
export function checkClients(
  side: ClientSide,
  index: OutcomeIndex,
  history: History,
  differences: Differences,
): ClientFigures {
  const byIncarnation = new Map(side.incarnations.map((one) => [one.id, new AskedRouter(one)]));
  for (const id of index.twice) differences.add('outcome-twice', id, 'two outcome records, not one written twice');
  let failedWithRouter = 0;
  let leftEarly = 0;
  const known = new Set<string>();
  for (const prediction of side.sent) {
    const router = byIncarnation.get(prediction.incarnation)!;
    if (prediction.predictionId !== null) known.add(prediction.predictionId);
    router.asked++;
    if (isFailure(prediction)) {
      router.unanswered++;
      if (prediction.leftEarly) leftEarly++;
      else if (router.wasAway(prediction)) failedWithRouter++;
      else differences.add('failed-prediction', prediction.incarnation, failureText(prediction));
    }
    if (prediction.predictionId === null) continue;
    const outcome = index.byId.get(prediction.predictionId);
    if (!outcome) router.missing.push(prediction);
    else {
      router.routerIds.add(outcome.router);
      checkAnswer(prediction, outcome, history, differences);
    }
  }
  checkUnknown(index, known, [...byIncarnation.values()], history, differences);
  const { lost, dropped } = checkMissing(side, [...byIncarnation.values()], differences);
  checkSticky(side.sent, index, history, differences);
  checkAccounts(side, differences);
  return { predictions: side.sent.length, failedWithRouter, leftEarly, lostWithRouter: lost, dropped };
}

/** One router process as its clients knew it. */
class AskedRouter {
  asked = 0;
  unanswered = 0;
  readonly missing: SentPrediction[] = [];
  readonly routerIds = new Set<string>();

  constructor(readonly incarnation: Incarnation) {}

  /** It could not answer, or the client went on sending to it long after it had said that it is not ready. */
  wasAway({ sentMs, doneMs }: SentPrediction): boolean {
    const { endedMs, end, suspended, stopAskedMs, killedMs } = this.incarnation;
    if (killedMs !== null && doneMs >= killedMs) return true;
    if (stopAskedMs !== null && sentMs >= stopAskedMs + NOTICED_MS_MAX) return true;
    if (end === 'crashed' && endedMs !== null && doneMs >= endedMs - CRASH_TOLD_MS_MAX) return true;
    return suspended.some(({ fromMs, toMs }) => sentMs <= (toMs ?? Infinity) && doneMs >= fromMs);
  }

  get endedAtOnce(): boolean {
    return this.incarnation.end === 'killed' || this.incarnation.end === 'crashed';
  }
}

/** 500 is what a model server says itself. */
const isFailure = ({ status }: SentPrediction): boolean => status === 0 || (status !== 200 && status !== 500);
const failureText = ({ status, error, model, sentMs, doneMs }: SentPrediction): string =>
  `${model}: ${status === 0 ? error : `status ${status}`} after ${doneMs - sentMs} ms, sent at ${sentMs}`;

function checkAnswer(prediction: SentPrediction, outcome: Outcome, history: History, differences: Differences): void {
  const { predictionId, version, status, model, user } = prediction;
  const where = `${model} ${predictionId}`;
  const told = history.find(model);
  differences.unless(outcome.model === model, 'outcome-of-another-model', where, outcome.model);
  const decided = told?.decisions.find(({ generation }) => generation === outcome.generation);
  if (!told || !decided) return differences.add('undecided-generation', where, `generation ${outcome.generation}`);
  const rollout = told.openAt(decided.sequence);
  const stable = rollout?.stable ?? told.stableAt(decided.sequence);
  const canary = rollout?.canary ?? null;
  const answeredBy = outcome.fallback === true ? stable : outcome.version;
  differences.unless(
    version === answeredBy,
    'version-header',
    where,
    `the client saw ${version}, the outcome says ${answeredBy}`,
  );
  const salt = told.saltAt(outcome.generation);
  const assigned = versionOf(user, { salt, weights: decided.to, stable, canary });
  differences.unless(
    assigned === outcome.version,
    'assignment',
    where,
    `${user} belongs to ${assigned}, not ${outcome.version}`,
  );
  if (outcome.fallback === true) return;
  if (status === 200)
    differences.unless(
      outcome.status === 'ok',
      'outcome-status',
      where,
      `200 for the client, ${outcome.status} in the outcome`,
    );
  if (status === 500)
    differences.unless(
      outcome.httpStatus === 500,
      'outcome-status',
      where,
      `500 for the client, ${outcome.httpStatus} in the outcome`,
    );
}

/** Outcomes of predictions whose client got no answer. */
function checkUnknown(
  index: OutcomeIndex,
  known: ReadonlySet<string>,
  routers: readonly AskedRouter[],
  history: History,
  differences: Differences,
): void {
  const byRouter = new Map<string, number>();
  for (const [id, { router, model }] of index.byId)
    if (!known.has(id) && history.find(model)) byRouter.set(router, (byRouter.get(router) ?? 0) + 1);
  for (const [id, count] of byRouter) {
    const router = routers.find(({ routerIds }) => routerIds.has(id));
    const unanswered =
      router?.unanswered ?? routers.reduce((sum, one) => sum + (one.routerIds.size === 0 ? one.unanswered : 0), 0);
    differences.unless(
      count <= unanswered,
      'outcome-of-nobody',
      id,
      `${count} outcomes nobody asked for, ${unanswered} unanswered`,
    );
  }
}

/** Predictions that were answered and have no outcome. */
function checkMissing(
  { routers, fullDisks, sent }: ClientSide,
  asked: readonly AskedRouter[],
  differences: Differences,
): { lost: number; dropped: number } {
  const seconds = (sent.reduce((last, { sentMs }) => Math.max(last, sentMs), 0) - (sent[0]?.sentMs ?? 0)) / 1000;
  const perMs = sent.length / Math.max(1, seconds * 1000);
  let lost = 0;
  let dropped = 0;
  for (const { incarnation, missing, endedAtOnce } of asked) {
    if (missing.length === 0) continue;
    const figures = routers.find((one) => one.incarnation === incarnation.id);
    if (endedAtOnce) {
      lost += missing.length;
      const bound = Math.max(IN_MEMORY_LEAST, perMs * IN_MEMORY_MS);
      if (missing.length > bound && !fullDisks.has(incarnation.slot))
        differences.add(
          'lost-with-router',
          incarnation.id,
          `${missing.length} outcomes, more than memory holds (${Math.round(bound)})`,
        );
    } else if (figures && missing.length <= figures.dropped) dropped += missing.length;
    else if (fullDisks.has(incarnation.slot) && !figures) dropped += missing.length;
    else
      differences.add(
        'missing-outcome',
        incarnation.id,
        `${missing.length} predictions, ${figures?.dropped ?? 0} told as dropped; first: ${missing[0]!.predictionId}`,
      );
  }
  return { lost, dropped };
}

/** Within a rollout a user who was on the canary is never sent back while its weight rises. */
function checkSticky(
  sent: readonly SentPrediction[],
  index: OutcomeIndex,
  history: History,
  differences: Differences,
): void {
  const onCanary = new Map<string, number>();
  const onStable = new Map<string, number>();
  for (const { predictionId, model, user } of sent) {
    const outcome = predictionId === null ? undefined : index.byId.get(predictionId);
    const rollout = outcome && history.find(model)?.rolloutOf(outcome.generation);
    if (!outcome || !rollout) continue;
    const key = `${rollout.id} ${user}`;
    const { generation } = outcome;
    if (outcome.version === rollout.canary) onCanary.set(key, Math.min(generation, onCanary.get(key) ?? Infinity));
    else onStable.set(key, Math.max(generation, onStable.get(key) ?? -1));
  }
  for (const [key, generation] of onCanary) {
    const later = onStable.get(key) ?? -1;
    differences.unless(
      later < generation,
      'stickiness',
      key,
      `on the canary at generation ${generation}, on stable at ${later}`,
    );
  }
}

/** Sent = acknowledged + spooled + dropped, in every router that is there. */
function checkAccounts({ routers }: ClientSide, differences: Differences): void {
  for (const { incarnation, sent, acknowledged, dropped, held, restored } of routers) {
    differences.unless(
      sent === acknowledged + dropped + held,
      'account',
      incarnation,
      `${sent} sent, ${acknowledged} acknowledged, ${dropped} dropped, ${held} held`,
    );
    differences.unless(
      restored.found === restored.acknowledged + restored.dropped,
      'account',
      incarnation,
      `${restored.found} found in the spool, ${restored.acknowledged} acknowledged, ${restored.dropped} dropped`,
    );
  }
}

/** Whether records of a router may be missing: it died, or dropped what its disk did not take. */
export function mayLose(router: string, { incarnations, routers, fullDisks }: ClientSide): boolean {
  const slot = router.slice(0, router.lastIndexOf('-'));
  const died = incarnations.some((one) => one.slot === slot && one.end !== 'stopped' && one.end !== null);
  const dropped = routers.some(
    (one) => one.incarnation.startsWith(`${slot}/`) && one.dropped + one.restored.dropped > 0,
  );
  return died || dropped || fullDisks.has(slot);
}

/** The lanes of all other routers have no gaps. */
export function checkGaps(gaps: readonly LaneGap[], side: ClientSide, differences: Differences): void {
  for (const { router, partition, records } of gaps)
    if (!mayLose(router, side))
      differences.add('lane-gap', `${router} in partition ${partition}`, `${records} records never came`);
}
