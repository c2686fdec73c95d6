import type { Problem } from '../result.js';
import { roughDuration } from './duration.js';
import {
  canaryShare,
  estimateStep,
  limitFor,
  type Need,
  needsOf,
  type StepSetting,
  type StepWait,
  type TrafficKind,
} from './estimate-step.js';
import type { RolloutSpec } from './rollout-spec.js';

/** Below this, and with a first share below a quarter, a larger first step is proposed. */
const LITTLE_TRAFFIC_PER_SECOND = 50;
const LARGER_FIRST_SHARE = 0.25;
/** Nobody means to wait longer for the evidence of one check. */
const EVIDENCE_LONGEST_MS = 86_400_000;
/** A limit is proposed with which the evidence would be there by then. */
const EVIDENCE_WISHED_MS = 6 * 3_600_000;

/**
 * What in a file cannot come to a good end, or not soon, at so many predictions per second of the whole model. Fields
 * as in the file; codes: `no-traffic`, `not-reachable` (a step's atMost comes first), `limit-too-tight` (a check would
 * need more than a day), `too-little-traffic` (a larger first share would help).
 */
export function estimateWarnings(spec: RolloutSpec, predictionsPerSecond: number, traffic: TrafficKind): Problem[] {
  if (!spec.canary) return [];
  const rate = `${Number(predictionsPerSecond.toPrecision(3))} predictions/s`;
  if (!(predictionsPerSecond > 0))
    return [
      {
        field: 'steps',
        code: 'no-traffic',
        message: `at ${rate} no step ends: the model needs traffic before its canary can be judged`,
      },
    ];
  const first = spec.steps.findIndex((step) => step.kind === 'traffic');
  const tight = new Set<string>();
  return spec.steps.flatMap((step, index): Problem[] => {
    if (step.kind !== 'traffic') return [];
    const setting: StepSetting = { spec, step, predictionsPerSecond, isFirst: index === first, traffic };
    const wait = estimateStep(setting);
    if (!wait) return [];
    const warnings: Problem[] = [];
    const field = `steps.${index}`;
    const takes = `at ${rate} step ${index + 1} takes about ${roughDuration(wait.durationMs)}`;
    if (step.atMostMs !== undefined && wait.durationMs > step.atMostMs)
      warnings.push({
        field: `${field}.atMost`,
        code: 'not-reachable',
        message: `${takes}, longer than its atMost of ${roughDuration(step.atMostMs)}: ${remedyText(setting, wait, step.atMostMs)}`,
      });
    // A limit that is too tight in one step is so in others too, and is told once.
    const needs = canaryShare(spec, step) < 1 ? needsOf(setting).filter((need) => isTooTight(need, setting)) : [];
    for (const need of needs) {
      if (tight.has(need.check)) continue;
      tight.add(need.check);
      warnings.push(tightLimit(need, setting, rate));
    }
    if (index === first && needs.length === 0) warnings.push(...largerFirstShare(setting, field, takes));
    return warnings;
  });
}

const evidenceMs = ({ predictions }: Need, { predictionsPerSecond }: StepSetting): number =>
  (predictions / predictionsPerSecond) * 1000;

const isTooTight = (need: Need, setting: StepSetting): boolean => evidenceMs(need, setting) > EVIDENCE_LONGEST_MS;

function tightLimit(need: Need, setting: StepSetting, rate: string): Problem {
  const { check, field, limit, predictions } = need;
  const better = limitFor(check, (EVIDENCE_WISHED_MS / 1000) * setting.predictionsPerSecond, setting);
  const remedy =
    better === null
      ? 'more traffic or a larger share is needed'
      : `${better} would take ${roughDuration(EVIDENCE_WISHED_MS)}`;
  return {
    field,
    code: 'limit-too-tight',
    message: `${field} ${limit} can be shown to hold only after some ${Math.round(predictions).toLocaleString('en-US')} predictions, ${roughDuration(evidenceMs(need, setting))} at ${rate}: ${remedy}`,
  };
}

/** What ends a step within its atMost: a limit, if it is evidence that comes too late. */
function remedyText(setting: StepSetting, { check }: StepWait, atMostMs: number): string {
  const need = needsOf(setting).find((candidate) => candidate.check === check);
  const share = `raise atMost or the canary's share`;
  if (!need) return share;
  const { spec, predictionsPerSecond, step } = setting;
  const warmupMs = Math.max(
    spec.warmup.durationMs,
    (spec.warmup.predictions * 1000) / (predictionsPerSecond * canaryShare(spec, step)),
  );
  const leftMs = atMostMs - warmupMs - need.labelsMs;
  const limit = leftMs > 0 ? limitFor(need.check, (leftMs / 1000) * predictionsPerSecond, setting) : null;
  return limit === null ? share : `${share}, or ${need.field} to ${limit}`;
}

function largerFirstShare(setting: StepSetting, field: string, takes: string): Problem[] {
  const { spec, step, predictionsPerSecond } = setting;
  if (predictionsPerSecond >= LITTLE_TRAFFIC_PER_SECOND || canaryShare(spec, step) >= LARGER_FIRST_SHARE) return [];
  const half = { ...step, weights: { [spec.stable.version]: 0.5, [spec.canary!.version]: 0.5 } };
  const quickerMs = estimateStep({ ...setting, step: half })!.durationMs;
  return [
    {
      field: `${field}.traffic_split`,
      code: 'too-little-traffic',
      message: `${takes}: begin with a share of 0.25 to 0.5 (at 0.5 about ${roughDuration(quickerMs)})`,
    },
  ];
}
