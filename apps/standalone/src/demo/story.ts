import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Decision, RolloutStatus } from '@app/shared';
import type { Background } from './background.js';
import type { ControllerApi } from './controller-api.js';
import type { FromLoad, ToLoad } from './load/messages.js';
import { MODEL } from './models/model-server.js';
import type { ServedVersion } from './models/model-servers.background.js';
import { type PlannedRollout, registrationFile, rolloutFile } from './rollouts.js';

/** One line of the JSON summary. */
export interface RolloutSummary {
  readonly model: string;
  readonly canary: string;
  readonly outcome: RolloutStatus;
  readonly reason: string;
  readonly reasonCode: string;
  /** The canary's weights, one after the other. */
  readonly steps: readonly number[];
  readonly durationS: number;
  readonly predictions: number;
  readonly failedPredictions: number;
  readonly stickinessViolations: number;
}

export interface Story {
  readonly api: ControllerApi;
  readonly load: Background<ToLoad, FromLoad>;
  readonly signal: AbortSignal;
  /** Told of the model several times a second. */
  readonly onView: (view: Api['ModelView']) => void;
}

const POLL_MS = 250;
/** Traffic before the first rollout, so that the stable version's latency is known. */
const BASELINE_MS = 6_000;
/** Between two rollouts, so that the last users are back. */
const PAUSE_MS = 2_000;

/** Makes the model known and lets the users have it for a while. */
export async function registerModel(story: Story, stable: ServedVersion): Promise<void> {
  await story.api.apply(registrationFile(stable));
  story.onView(await story.api.model(MODEL));
  await sleep(BASELINE_MS, undefined, { signal: story.signal });
}

/** One rollout from its file to its end. Nothing but the data decides how it ends. */
export async function runRollout(
  story: Story,
  versions: { readonly stable: ServedVersion; readonly canary: ServedVersion },
): Promise<RolloutSummary> {
  const { api, load, signal } = story;
  const stable = versions.stable.version;
  const canary = versions.canary.version;
  load.send({ kind: 'rollout-begins' });
  await api.apply(rolloutFile(versions.stable, versions.canary));
  const { state } = await untilEnded(story, canary);
  const rollout = state.rollout!;
  const decisions = (await api.history(MODEL)).filter((decision) => decision.rollout === rollout.rollout);
  const last = decisions.at(-1)!;
  const counted = load.next((message) => message.kind === 'rollout-counted');
  load.send({ kind: 'rollout-ended', span: { stable, canary, until: last.at } });
  const { counts, stickinessViolations } = await counted;
  await sleep(PAUSE_MS, undefined, { signal });
  return {
    model: MODEL,
    canary,
    outcome: rollout.status,
    reason: last.reason.text,
    reasonCode: last.reason.code,
    steps: canaryWeights(decisions, canary),
    durationS: Math.round((last.at - rollout.startedAt) / 100) / 10,
    predictions: counts.predictions,
    failedPredictions: counts.failedPredictions,
    stickinessViolations,
  };
}

/** Whether the data said what it should have. */
export function asExpected(summary: RolloutSummary, planned: PlannedRollout): boolean {
  return (
    summary.outcome === planned.expected &&
    (planned.expectedReason === undefined || summary.reasonCode === planned.expectedReason) &&
    summary.failedPredictions === 0 &&
    summary.stickinessViolations === 0
  );
}

async function untilEnded({ api, signal, onView }: Story, canary: string): Promise<Api['ModelView']> {
  for (;;) {
    const view = await api.model(MODEL);
    onView(view);
    const { rollout } = view.state;
    if (rollout?.canary === canary && rollout.endedAt !== undefined) return view;
    await sleep(POLL_MS, undefined, { signal });
  }
}

function canaryWeights(decisions: readonly Decision[], canary: string): number[] {
  const weights: number[] = [];
  for (const { to } of decisions) {
    const weight = to[canary] ?? 0;
    if (weight > 0 && weight !== weights.at(-1)) weights.push(weight);
  }
  return weights;
}
