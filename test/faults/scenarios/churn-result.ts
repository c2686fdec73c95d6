import type { ChurnCount, ChurnTally } from '../../../apps/router/src/testing/connection-churn.js';
import type { RouterFigures } from '../oracle/client-rules.js';
import type { Judgement } from '../oracle/oracle.js';
import type { ChurnPlan, ChurnSample, Stillness } from './churn-stage.js';
import { type Held, heldOver, MEMORY } from './held.js';
import type { ScenarioResult } from './scenario.js';
import { leftBehind } from './standing.js';

/** What came of a churn. */
export interface ChurnFindings {
  readonly tally: ChurnTally;
  readonly samples: readonly ChurnSample[];
  readonly seconds: number;
  /** At rest after some connections, and after all. */
  readonly before: Stillness;
  readonly after: Stillness;
  /** Predictions that came to the model server. */
  readonly askedOfModel: number;
  readonly router: RouterFigures;
  readonly judgement: Judgement;
}

/** With fewer, V8 has not yet come to the heap that it works with, and growth says nothing. */
const MEMORY_CONNECTIONS_MIN = 20_000;

/** The result of a churn: what it was, and all that was not as it should be. */
export function churnResult(plan: ChurnPlan, findings: ChurnFindings): ScenarioResult {
  const { tally, samples, seconds, judgement, router } = findings;
  const [before, after] = [findings.before.standing, findings.after.standing];
  const memory = memoryOver(plan, samples);
  const problems = [
    ...connectionProblems(tally.all),
    ...restProblems(findings),
    ...(memory?.grows
      ? [
          `resident memory grows: ${memory.middle.toFixed(0)} MiB in the second third, ${memory.last.toFixed(0)} in the last, ${kibText(memory)}`,
        ]
      : []),
    ...outcomeProblems(findings),
    ...judgement.differences.all().map(({ rule, where, text }) => `${rule}: ${where}: ${text}`),
  ];
  const most = (of: 'files' | 'inFlight'): number => Math.max(...samples.map((sample) => sample[of]));
  const count = (n: number): string => n.toLocaleString('en');
  const memoryText = memory
    ? `resident ${memory.middle.toFixed(0)} MiB in the second third, ${memory.last.toFixed(0)} in the last (${kibText(memory)})`
    : `resident ${after.residentMib.toFixed(0)} MiB`;
  const heapText = `heap ${before.heapMib.toFixed(1)} MiB before, ${after.heapMib.toFixed(1)} after`;
  const row = (name: string, { connections, asked, answered, unanswered }: ChurnCount): string[] => [
    name,
    ...[connections, asked, answered, unanswered].map(count),
  ];
  return {
    passed: problems.length === 0,
    head: ['client', 'connections', 'predictions', 'answered', 'unanswered'],
    rows: [...[...tally.kinds].map(([kind, counted]) => row(kind, counted)), row('all', tally.all)],
    problems,
    summary: `${count(plan.connections)} connections, ${count(Math.round(plan.connections / seconds))}/s, ${tally.all.unanswered} unanswered: descriptors ${before.files} before, ${most('files')} at most, ${after.files} after; in flight ${most('inFlight')} at most, ${after.inFlight} after; ${heapText}; ${memoryText}; ${count(judgement.figures.outcomes)} outcomes of ${count(router.sent)}, ${judgement.differences.count} differences`,
    figures: {
      ...judgement.figures,
      kinds: Object.fromEntries(tally.kinds),
      ...{ seconds, before, after, memory, router, samples },
    },
  };
}

/** Null: too few connections to tell. */
function memoryOver({ connections }: ChurnPlan, samples: readonly ChurnSample[]): Held | null {
  if (connections < MEMORY_CONNECTIONS_MIN) return null;
  const along = (sample: ChurnSample): number => sample.connections;
  return heldOver('router: resident MiB', samples, { along, of: (sample) => sample.residentMib, rule: MEMORY });
}

const kibText = ({ slope }: Held): string => `${(slope * 1024).toFixed(2)} KiB a connection`;

function connectionProblems({ unanswered, notConnected, stuck }: ChurnCount): string[] {
  return [
    ...(unanswered > 0 ? [`${unanswered} predictions were waited for and got no whole answer with 200`] : []),
    ...(notConnected > 0 ? [`${notConnected} connections could not be made`] : []),
    ...(stuck > 0 ? [`${stuck} connections were not ended by the router`] : []),
  ];
}

function restProblems({ before, after }: ChurnFindings): readonly string[] {
  const unrest = [
    ...before.unrest.map((text) => `not at rest after the first connections: ${text}`),
    ...after.unrest.map((text) => `not at rest in the end: ${text}`),
  ];
  return [...unrest, ...leftBehind(before.standing, after.standing).map((text) => `left behind: ${text}`)];
}

function outcomeProblems({ router, judgement, askedOfModel }: ChurnFindings): string[] {
  const { outcomes, leftOut, buckets } = judgement.figures;
  return [
    ...(outcomes === router.sent && router.acknowledged === router.sent
      ? []
      : [`${router.sent} outcomes sent, ${router.acknowledged} acknowledged, ${outcomes} in the topic`]),
    ...(askedOfModel > outcomes ? [`${askedOfModel} predictions came to the model server, ${outcomes} outcomes`] : []),
    ...(leftOut > 0 || buckets === 0 ? [`${leftOut} of ${buckets} buckets are not complete`] : []),
  ];
}
