import type { Decision, RolloutState } from '@app/shared';
import { Counter, Gauge, Registry } from 'prom-client';

/** Every metric of the controller. */
export class ControllerMetrics {
  readonly registry = new Registry();

  private readonly decisions = new Counter({
    name: 'model_canary_decisions_total',
    help: 'Decisions written by this controller, by action and reason code.',
    labelNames: ['action', 'reason'],
    registers: [this.registry],
  });
  private readonly weights = new Gauge({
    name: 'model_canary_version_weight_ratio',
    help: 'Share of the traffic a version is meant to get, as read from rollout-state.',
    labelNames: ['model', 'version'],
    registers: [this.registry],
  });
  readonly commands = new Counter({
    name: 'model_canary_commands_total',
    help: 'Commands handled by this controller, by action and result (applied, refused, repeated).',
    labelNames: ['action', 'result'],
    registers: [this.registry],
  });
  readonly verdicts = new Counter({
    name: 'model_canary_verdicts_received_total',
    help: 'Verdicts handled by this controller, by what became of them (heard, or why they were ignored).',
    labelNames: ['effect'],
    registers: [this.registry],
  });
  readonly deadLetters = new Counter({
    name: 'model_canary_dead_letters_total',
    help: 'Records that could not be used, by cause.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly ownedPartitions = new Gauge({
    name: 'model_canary_controller_owned_partitions',
    help: 'Control partitions whose models this controller decides about now.',
    registers: [this.registry],
  });
  readonly ownershipsLost = new Counter({
    name: 'model_canary_controller_ownerships_lost_total',
    help: 'Partitions given up because another owner fenced this one, or a transaction stayed unclear.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly commitSeconds = new Gauge({
    name: 'model_canary_controller_last_commit_duration_seconds',
    help: 'How long the last transaction took.',
    registers: [this.registry],
  });
  readonly eventStreams = new Gauge({
    name: 'model_canary_controller_event_streams',
    help: 'Open server-sent event streams.',
    registers: [this.registry],
  });

  decided(decisions: readonly Decision[]): void {
    for (const { action, reason } of decisions) this.decisions.inc({ action, reason: reason.code });
  }

  weightsRead(before: RolloutState | undefined, after: RolloutState | undefined): void {
    for (const version of Object.keys(before?.weights ?? {})) {
      if (before && after?.weights[version] === undefined) this.weights.remove({ model: before.model, version });
    }
    if (!after) return;
    for (const [version, weight] of Object.entries(after.weights))
      this.weights.set({ model: after.model, version }, weight);
  }
}
