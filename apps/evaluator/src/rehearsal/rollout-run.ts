import type { Phase, RolloutSpec } from '@app/shared';
import { CUT_INTERVAL_MS, type Judgement } from '../domain/engine.js';
import type { ModelPlan } from '../domain/plan.js';
import type { Summary } from '../domain/summary.js';
import { createModelEngine } from '../domain/verdict/model-engine.js';
import { seededRandom } from './seeded-random.js';
import { SlotPath } from './slot-path.js';
import { type Timed, Traffic, type TrafficModel } from './traffic.js';

/** One simulated rollout, from the traffic before it to its end. */
export interface RolloutRun {
  readonly spec: RolloutSpec;
  readonly traffic: TrafficModel;
  readonly seed: number;
  /** Traffic before the rollout, s. */
  readonly beforeS: number;
  /** Given up after so much of the rollout, s. */
  readonly longestS: number;
  /** Passes change nothing: the first step goes on and on. */
  readonly neverPass?: boolean;
  /** From when the canary's predictions are counted for a delay, s. */
  readonly faultAtS?: number;
  /** Hears every judgement, at so many seconds of the rollout. */
  readonly watch?: (judgement: Judgement, atS: number) => void;
  /** Hears every summary the engine folds, at so many seconds of the rollout. */
  readonly onFold?: (summary: Summary, atS: number) => void;
  /** Verdicts change nothing, not even a FAIL: the first step goes on to the end. */
  readonly deaf?: boolean;
  /** The predictions go as records, bytes and all, through the real slots; otherwise their summaries are made directly. */
  readonly throughSlots?: boolean;
}

export interface RolloutEnd {
  /** `paused`: a step's time was over. `open`: given up. */
  readonly end: 'promoted' | 'rolled-back' | 'paused' | 'open';
  readonly code: string;
  readonly step: number;
  /** Since the rollout began, s. */
  readonly atS: number;
  /** Predictions since the fault (or the rollout's beginning): of both versions, and of the canary. */
  readonly sent: number;
  readonly canarySent: number;
  /** Counted by the engine in comparisons when it ended. */
  readonly counted: number;
  /** Summaries that came through slots, and those of them that differ from the generator's own. */
  readonly compared: number;
  readonly differing: number;
}

/** Begins at a whole number of strata. */
const BEGIN_MS = 1_800_000_000_000;
/** From a verdict to the routers' new weights. */
const CONTROLLER_MS = 50;

/** Runs one rollout with the real engine behind simulated routers, slots and a controller that does as it is told. */
export function runRollout(run: RolloutRun): RolloutEnd {
  const { spec, longestS, faultAtS = 0 } = run;
  const engine = createModelEngine('m');
  const due: Timed<Summary>[] = [];
  const startMs = BEGIN_MS - run.beforeS * 1000;
  const labelsWithinMs = spec.checks.accuracy?.labelsWithinMs ?? null;
  const slots = run.throughSlots ? new SlotPath(run.traffic.routers, labelsWithinMs) : null;
  const traffic = new Traffic(
    run.traffic,
    seededRandom(run.seed),
    BEGIN_MS,
    startMs,
    labelsWithinMs,
    slots ?? { bucket: (record) => due.push(record) },
  );
  const phases: Phase[] = [];
  engine.setPlan(planOf(spec, phases));
  let sentBefore = { sent: 0, canarySent: 0 };
  let counting = false;
  let cutNumber = 0;
  let nowMs = startMs;
  let enterAtMs = BEGIN_MS;
  let nextStep = trafficStepFrom(spec, 0).step;
  let last: Judgement | null = null;
  const endAt = (end: RolloutEnd['end']): RolloutEnd => ({
    end,
    code: last?.reason.code ?? 'none',
    step: last?.step ?? -1,
    atS: (nowMs - BEGIN_MS) / 1000,
    sent: traffic.sent - sentBefore.sent,
    canarySent: traffic.canarySent - sentBefore.canarySent,
    counted: engine.evidence()?.errorsFinal
      ? engine.evidence()!.errorsFinal!.n1 + engine.evidence()!.errorsFinal!.n0
      : 0,
    compared: slots?.compared ?? 0,
    differing: slots?.differing ?? 0,
  });
  while (nowMs < BEGIN_MS + longestS * 1000) {
    let stopMs = nowMs + (engine.urgent() ? CUT_INTERVAL_MS.urgent : CUT_INTERVAL_MS.open);
    const entering = nextStep < spec.steps.length && enterAtMs < stopMs && enterAtMs >= nowMs;
    if (entering) {
      traffic.until(enterAtMs);
      phases.push(phaseOf(spec, nextStep));
      traffic.route(phases.at(-1)!.generation, phases.at(-1)!.weights['v2'] ?? 0, enterAtMs);
      engine.setPlan(planOf(spec, phases));
      enterAtMs = Infinity;
    }
    const faultMs = BEGIN_MS + faultAtS * 1000;
    if (!counting && stopMs >= faultMs) {
      traffic.until(Math.max(nowMs, faultMs));
      sentBefore = { sent: traffic.sent, canarySent: traffic.canarySent };
      counting = true;
      stopMs = Math.max(stopMs, faultMs);
    }
    traffic.until(stopMs);
    nowMs = stopMs;
    engine.beginCut({
      number: ++cutNumber,
      outcomeLogTimesMs: [nowMs],
      labelLogTimesMs: [nowMs],
      asOfMs: nowMs,
    });
    const shares = traffic.labels.complete(nowMs).map(({ value }) => value);
    for (const summary of slots?.summaries(nowMs, shares) ?? [...takeDue(due, nowMs), ...shares]) {
      engine.fold(summary);
      run.onFold?.(summary, (nowMs - BEGIN_MS) / 1000);
    }
    const judgement = engine.endCut();
    if (!judgement) continue;
    last = judgement;
    run.watch?.(judgement, (nowMs - BEGIN_MS) / 1000);
    if (run.deaf) continue;
    if (judgement.result === 'fail') return endAt('rolled-back');
    if (judgement.generation !== phases.at(-1)!.generation || enterAtMs !== Infinity) continue;
    if (judgement.result === 'inconclusive') return endAt(spec.onInconclusive === 'pause' ? 'paused' : 'rolled-back');
    if (judgement.result !== 'pass' || run.neverPass) continue;
    const next = trafficStepFrom(spec, phases.at(-1)!.step + 1);
    if (next.step >= spec.steps.length) return endAt('promoted');
    nextStep = next.step;
    enterAtMs = nowMs + CONTROLLER_MS + next.pausedMs;
    if (next.pausedMs > 0) engine.setPlan(planOf(spec, phases, next.step - 1));
  }
  return endAt('open');
}

/** Summaries whose records are in the log by now, in the order (partition, time). */
function takeDue(due: Timed<Summary>[], nowMs: number): Summary[] {
  const now: Timed<Summary>[] = [];
  let kept = 0;
  for (const record of due) {
    if (record.atMs <= nowMs) now.push(record);
    else due[kept++] = record;
  }
  due.length = kept;
  return now.sort((a, b) => a.partition - b.partition || a.atMs - b.atMs).map(({ value }) => value);
}

/** The next step with traffic, and how long the pauses before it last. A person approves at once. */
function trafficStepFrom(spec: RolloutSpec, from: number): { readonly step: number; readonly pausedMs: number } {
  let pausedMs = 0;
  let step = from;
  for (let before = spec.steps[step]; before && before.kind !== 'traffic'; before = spec.steps[++step])
    pausedMs += before.kind === 'pause' ? (before.durationMs ?? 0) : 0;
  return { step, pausedMs };
}

function phaseOf(spec: RolloutSpec, step: number): Phase {
  const { weights } = spec.steps[step] as { readonly weights: Record<string, number> };
  return { sequence: step + 2, generation: step + 2, step, weights, bake: weights['v1'] === 0, startedAt: 0 };
}

function planOf(spec: RolloutSpec, phases: readonly Phase[], step = phases.at(-1)?.step): ModelPlan {
  const generation = phases.at(-1)?.generation ?? 1;
  if (step === undefined) return { model: 'm', stable: 'v1', generation: 0, rollout: null };
  const rollout = {
    model: 'm',
    rollout: 'm-1',
    spec,
    stable: 'v1',
    canary: 'v2',
    phases: [...phases],
    step,
    ended: false,
  };
  return { model: 'm', stable: 'v1', generation, rollout };
}
