import { join } from 'node:path';
import { ChurnTally, type UsedConnection } from '../../../apps/router/src/testing/connection-churn.js';
import type { RouterFigures } from '../oracle/client-rules.js';
import { KafkaLogSource } from '../oracle/log-source.js';
import { type Judgement, judge } from '../oracle/oracle.js';
import type { SentPrediction } from '../world/clients.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { routerFigures, routersAreDone } from '../world/settle.js';
import { type ChurnFindings, churnResult } from './churn-result.js';
import { type ChurnPlan, type ChurnSample, ChurnStage, MODEL } from './churn-stage.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';
import { leftBehind, type Standing } from './standing.js';

/** Code that is used is compiled, connections to Kafka are open. */
const WARM_UP_SHARE = 0.05;
const WARM_UP_LEAST = 2_000;
/** Garbage is collected so often that what is resident is what is held: see collectGarbageIfAsked(). */
const ROUTER_ENV = {
  FAULTS_COLLECT_EVERY_MS: '500',
  // Nobody asks any more when it ends.
  ROUTER_DRAIN_DELAY_MS: '0',
};
const TOLD_SHARE = 0.1;
const DRAINED_MS_MAX = 60_000;

/**
 * Very many connections to one router, used well and badly, while it is watched: nothing of any is left, and every prediction
 * that was given a version has its one outcome.
 */
export async function churn(plan: ChurnPlan, { say, keepIn }: ScenarioContext): Promise<ScenarioResult> {
  const counts = { router: 1, evaluator: 0, controller: 1 };
  const world = await startFaultWorld({
    brokers: 1,
    counts,
    env: { router: ROUTER_ENV },
    nodeFlags: ['--expose-gc'],
    direct: true,
    say,
  });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => world.close(keepIn === null ? null : join(keepIn, 'churn')));
  await world.startAll();
  const stage = await ChurnStage.open(world);
  opened.defer(() => stage.close());
  const clients = new ChurnedClients(stage.router.id);
  const warmUp = Math.max(WARM_UP_LEAST, Math.round(plan.connections * WARM_UP_SHARE));
  await stage.churn(
    { ...plan, connections: warmUp, seed: plan.seed + 1 },
    { used: (used) => clients.note(used), sample: () => undefined },
  );
  const before = await stage.still(() => true);
  say(`warm after ${warmUp.toLocaleString('en')} connections: ${textOf(before.standing)}`);
  const { tally, samples, seconds } = await watchedChurn(stage, plan, clients, say);
  const after = await stage.still((now) => leftBehind(before.standing, now).length === 0);
  say(`at rest: ${textOf(after.standing)}`);
  const askedOfModel = await stage.asked();
  const isDrained = await routersAreDone(world, DRAINED_MS_MAX);
  const [figures] = await routerFigures(world.running('router'));
  const codes = await Promise.all(world.slots.map((slot) => slot.stop()));
  const judgement = await countAgain(world, clients.sent, figures!);
  const { differences } = judgement;
  differences.unless(isDrained, 'not-at-rest', 'router', 'holds outcomes that it does not send');
  for (const [i, code] of codes.entries())
    differences.unless(code === 0, 'exit-code', world.slots[i]!.name, `ended with ${code}`);
  const router = figures!;
  return churnResult(plan, { tally, samples, seconds, before, after, askedOfModel, router, judgement });
}

async function watchedChurn(
  stage: ChurnStage,
  plan: ChurnPlan,
  clients: ChurnedClients,
  say: (line: string) => void,
): Promise<Pick<ChurnFindings, 'tally' | 'samples' | 'seconds'>> {
  const tally = new ChurnTally();
  const samples: ChurnSample[] = [];
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  let told = 0;
  await stage.churn(plan, {
    used(used) {
      clients.note(used);
      for (const one of used) tally.add(one);
    },
    sample(sample) {
      samples.push(sample);
      const { connections, residentMib, files, inFlight } = sample;
      if (connections < told + plan.connections * TOLD_SHARE) return;
      told = connections;
      say(
        `${seconds().toFixed(0).padStart(4)} s: ${connections.toLocaleString('en')} of ${plan.connections.toLocaleString('en')} connections, ${files} descriptors, ${inFlight} in flight, resident ${residentMib.toFixed(0)} MiB`,
      );
    },
  });
  return { tally, samples, seconds: seconds() };
}

const textOf = ({ files, spoolFiles, sockets, timers, heapMib, residentMib }: Standing): string =>
  `${files} descriptors, ${spoolFiles} of them the spool's, ${sockets} sockets, ${timers} timers, heap ${heapMib.toFixed(2)} MiB, resident ${residentMib.toFixed(0)} MiB`;

/** Predictions as their clients saw them. */
class ChurnedClients {
  readonly sent: SentPrediction[] = [];

  constructor(private readonly incarnation: string) {}

  note(used: readonly UsedConnection[]): void {
    const { incarnation } = this;
    for (const { asked, beganMs, endedMs, error } of used)
      for (const { user, waits, answer } of asked)
        this.sent.push({
          model: MODEL,
          user,
          incarnation,
          sentMs: beganMs,
          doneMs: endedMs,
          status: answer?.isWhole ? answer.status : 0,
          version: answer?.version ?? null,
          predictionId: answer?.predictionId ?? null,
          error: error ?? 'no whole answer',
          ...(waits ? {} : { leftEarly: true as const }),
        });
  }
}

async function countAgain(
  world: FaultWorld,
  sent: readonly SentPrediction[],
  router: RouterFigures,
): Promise<Judgement> {
  return judge({
    source: new KafkaLogSource(world.brokers, world.topics),
    sealer: world.sealer,
    dataPartitions: { outcome: world.dataPartitions, label: world.dataPartitions },
    clients: {
      sent,
      incarnations: world.slots.flatMap(({ incarnations }) => incarnations),
      routers: [router],
      fullDisks: new Set(),
    },
    redis: null,
    labelled: new Set(),
    confirmed: [],
  });
}
