import { type CheckResult, ROLLOUT_STATUSES, type RolloutState, type Verdict } from '@app/shared';
import { Gauge, type Registry } from 'prom-client';
import { isOpen } from './domain/rollout/draft.js';
import type { RolloutSource } from './metrics.js';

/** Base units: Prometheus knows no milliseconds. */
const UNITS = { fraction: ['ratio', 1], ms: ['seconds', 1 / 1000], number: ['number', 1] } as const;
const PER_CHECK = ['model', 'check', 'unit'] as const;

/** Gauges about rollouts, from what every controller reads. Those of checks are there while a rollout is open. */
export function addRolloutMetrics(registry: Registry, source: RolloutSource): void {
  addStatusMetrics(registry, source);
  addVerdictMetrics(registry, source);
  addCheckMetrics(registry, source);
}

function addStatusMetrics(registry: Registry, source: RolloutSource): void {
  const registers = [registry];
  new Gauge({
    name: 'model_canary_rollout_status_info',
    help: 'One sample of 1 for each model that has had a rollout; its status says how the newest one stands.',
    labelNames: ['model', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { model, rollout } of source.states()) if (rollout) this.set({ model, status: rollout.status }, 1);
    },
  });
  new Gauge({
    name: 'model_canary_rollouts',
    help: "Models by the status of their newest rollout; 'none': they have had none.",
    labelNames: ['status'],
    registers,
    collect() {
      for (const status of [...ROLLOUT_STATUSES, 'none']) this.set({ status }, 0);
      for (const { rollout } of source.states()) this.inc({ status: rollout?.status ?? 'none' });
    },
  });
  new Gauge({
    name: 'model_canary_rollout_held_seconds',
    help: 'How long an open rollout has been held, by the reason code; no sample while it is not held.',
    labelNames: ['model', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { model, rollout } of source.states())
        if (isOpen(rollout) && rollout.held)
          this.set({ model, reason: rollout.held.code }, Math.max(0, source.nowMs() - rollout.held.since) / 1000);
    },
  });
  new Gauge({
    name: 'model_canary_rollout_paused_seconds',
    help: 'How long an open rollout has waited for a person, by the reason code.',
    labelNames: ['model', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { model, rollout } of source.states())
        if (rollout?.status === 'paused' && rollout.pause && rollout.pause.until === undefined)
          this.set({ model, reason: rollout.pause.code }, Math.max(0, source.nowMs() - rollout.pause.since) / 1000);
    },
  });
  new Gauge({
    name: 'model_canary_rollout_step',
    help: 'Step of an open rollout, from 1.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { model, rollout } of source.states()) if (isOpen(rollout)) this.set({ model }, rollout.step + 1);
    },
  });
}

function addVerdictMetrics(registry: Registry, source: RolloutSource): void {
  const registers = [registry];
  new Gauge({
    name: 'model_canary_verdict_age_seconds',
    help: 'Age of the data that the newest verdict of an open rollout rests on.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { state, verdict } of judged(source))
        this.set({ model: state.model }, Math.max(0, source.nowMs() - verdict.asOf) / 1000);
    },
  });
  new Gauge({
    name: 'model_canary_version_actual_weight_ratio',
    help: 'Share of the predictions counted in the present step that a version of an open rollout got.',
    labelNames: ['model', 'version'],
    registers,
    collect() {
      this.reset();
      for (const { state, verdict } of judged(source)) {
        const { stable, canary } = verdict.counted;
        if (stable + canary === 0) continue;
        this.set({ model: state.model, version: state.rollout!.stable }, stable / (stable + canary));
        this.set({ model: state.model, version: state.rollout!.canary }, canary / (stable + canary));
      }
    },
  });
  new Gauge({
    name: 'model_canary_rollout_log_evidence',
    help: 'ln of the evidence against the canary over all checks of an open rollout; it is rolled back at the limit.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { state, verdict } of judged(source)) this.set({ model: state.model }, verdict.evidence.lnE);
    },
  });
  new Gauge({
    name: 'model_canary_rollout_log_evidence_limit',
    help: 'ln of the evidence at which the canary of an open rollout is rolled back.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { state, verdict } of judged(source)) this.set({ model: state.model }, verdict.evidence.lnLimit);
    },
  });
}

function addCheckMetrics(registry: Registry, source: RolloutSource): void {
  const registers = [registry];
  new Gauge({
    name: 'model_canary_check_value',
    help: 'Figure of a check by arm (stable, canary), in its unit: ratio, seconds, or a number of the user.',
    labelNames: [...PER_CHECK, 'arm'],
    registers,
    collect() {
      this.reset();
      for (const [labels, scale, check] of checks(source))
        for (const arm of ['stable', 'canary'] as const) {
          const value = check[arm]?.value;
          if (typeof value === 'number') this.set({ ...labels, arm }, value * scale);
        }
    },
  });
  new Gauge({
    name: 'model_canary_check_difference',
    help: "canary - stable, in the check's unit; bound=low, high: its 95 % interval, which holds at every look.",
    labelNames: [...PER_CHECK, 'bound'],
    registers,
    collect() {
      this.reset();
      for (const [labels, scale, { difference, interval }] of checks(source)) {
        if (difference !== null) this.set({ ...labels, bound: 'value' }, difference * scale);
        if (interval === null) continue;
        this.set({ ...labels, bound: 'low' }, interval[0] * scale);
        this.set({ ...labels, bound: 'high' }, interval[1] * scale);
      }
    },
  });
  new Gauge({
    name: 'model_canary_check_limit',
    help: 'Limit of a check: of the difference, or of the canary itself where the check is a ceiling.',
    labelNames: PER_CHECK,
    registers,
    collect() {
      this.reset();
      for (const [labels, scale, { limit }] of checks(source)) this.set(labels, limit * scale);
    },
  });
  new Gauge({
    name: 'model_canary_check_log_evidence',
    help: 'ln of the evidence of a check that the canary is beyond its limit (side=fail), or within it (side=pass).',
    labelNames: ['model', 'check', 'side'],
    registers,
    collect() {
      this.reset();
      for (const [{ model, check }, , { evidence }] of checks(source))
        for (const side of ['fail', 'pass'] as const) {
          const value = evidence[side];
          if (value !== null) this.set({ model, check, side }, value);
        }
    },
  });
}

/** Open rollouts with a verdict about them. */
function judged(source: RolloutSource): { readonly state: RolloutState; readonly verdict: Verdict }[] {
  return source.states().flatMap((state) => {
    const verdict = isOpen(state.rollout) ? source.verdictOf(state) : null;
    return verdict ? [{ state, verdict }] : [];
  });
}

type CheckLabels = Record<(typeof PER_CHECK)[number], string>;

/** Over all the traffic: inside segments there would be a series for each value of a header. */
function* checks(source: RolloutSource): Generator<[CheckLabels, scale: number, CheckResult]> {
  for (const { state, verdict } of judged(source))
    for (const check of verdict.checks) {
      if (check.segment !== undefined) continue;
      const [unit, scale] = UNITS[check.unit];
      yield [{ model: state.model, check: check.check, unit }, scale, check];
    }
}
