import {
  addProcessMetrics,
  type BusBatch,
  type Decision,
  type RolloutState,
  type TopicPartition,
  type Verdict,
} from '@app/shared';
import { Counter, Gauge, Registry } from 'prom-client';
import { addRolloutMetrics } from './rollout-metrics.js';

const NOTIFICATION_RESULTS = ['delivered', 'failed', 'dead', 'too-old'] as const;

/** Where the metrics of rollouts come from. */
export interface RolloutSource {
  states(): readonly RolloutState[];
  verdictOf(state: RolloutState): Verdict | null;
  nowMs(): number;
}

/** Every metric of the controller; those of rollouts are in rollout-metrics.ts. */
export class ControllerMetrics {
  readonly registry = new Registry();
  /** Topics of partitions that are owned here and show a lag. */
  private readonly lagging = new Map<number, Set<string>>();

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
  private readonly missed = new Counter({
    name: 'model_canary_controller_records_missed_total',
    help: 'Verdicts and commands that retention took before they were read.',
    registers: [this.registry],
  });
  readonly commitSeconds = new Gauge({
    name: 'model_canary_controller_last_commit_duration_seconds',
    help: 'How long the last transaction took.',
    registers: [this.registry],
  });
  private readonly lag = new Gauge({
    name: 'model_canary_controller_lag_records',
    help: 'Verdicts or commands that are still to be read, by partition owned here.',
    labelNames: ['topic', 'partition'],
    registers: [this.registry],
  });
  readonly eventStreams = new Gauge({
    name: 'model_canary_controller_event_streams',
    help: 'Open server-sent event streams.',
    registers: [this.registry],
  });

  private readonly notifications = new Counter({
    name: 'model_canary_notifications_total',
    help: 'Notifications of decisions by target and what became of them: delivered, failed (tried again), dead (given up), too-old.',
    labelNames: ['target', 'result'],
    registers: [this.registry],
  });
  private readonly waitingNotifications = new Gauge({
    name: 'model_canary_notifications_waiting',
    help: 'Notifications that a target has not taken yet, and that are tried again.',
    labelNames: ['target'],
    registers: [this.registry],
  });

  constructor() {
    addProcessMetrics(this.registry, 'controller');
  }

  /** Shows what is known of models whenever someone looks. */
  measure(source: RolloutSource): void {
    addRolloutMetrics(this.registry, source);
  }

  /** Of a topic of verdicts or commands, as far as its owner has come. */
  readUpTo({ topic, partition, nextOffset, endOffset }: BusBatch): void {
    this.lag.set({ topic, partition }, Math.max(0, endOffset - nextOffset));
    const topics = this.lagging.get(partition) ?? new Set<string>();
    this.lagging.set(partition, topics.add(topic));
  }

  /** Those from offset `from` on and below `to` of a topic of verdicts or commands are gone, and were not read. */
  recordsMissed(_tp: TopicPartition, from: number, to: number): void {
    this.missed.inc(to - from);
  }

  partitionLeft(partition: number): void {
    for (const topic of this.lagging.get(partition) ?? []) this.lag.remove({ topic, partition });
    this.lagging.delete(partition);
  }

  /** Counters of a target begin at 0, so that the first failure is seen to be an increase. */
  expectNotifications(target: string): void {
    for (const result of NOTIFICATION_RESULTS) this.notifications.inc({ target, result }, 0);
    this.waitingNotifications.set({ target }, 0);
  }

  notified(target: string, result: (typeof NOTIFICATION_RESULTS)[number]): void {
    this.notifications.inc({ target, result });
  }

  notificationsWaiting(target: string, count: number): void {
    this.waitingNotifications.set({ target }, count);
  }

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
