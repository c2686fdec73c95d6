import { setTimeout } from 'node:timers/promises';
import {
  type BatchResult,
  type BusBatch,
  type BusConsumer,
  type BusProducer,
  type BusRecord,
  type Clock,
  cloudEventData,
  type Decision,
  decisionCodec,
  type Logger,
  type MessageBus,
  type TopicNames,
} from '@app/shared';
import { messageOf } from '../domain/notifications/message.js';
import { backoffMs } from '../domain/notifications/retry.js';
import { type NotificationTarget, wants } from '../domain/notifications/target.js';
import type { ControllerMetrics } from '../metrics.js';
import { deadLetterRecord } from '../ownership/records.js';
import { deliver } from './webhook.js';

export interface NotifierDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  /** Of the consumer groups, one a target. */
  readonly groupPrefix: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Longest rest before the records are looked at again, ms. Default 500. */
  readonly restMs?: number;
}

const REST_MS = 500;

/** Of a decision that was not taken yet. */
interface Delivery {
  readonly sinceMs: number;
  attempts: number;
  nextMs: number;
}

/** Ends the handling of a batch: it comes again after a pause, and what is due is tried then. */
class NotDeliveredYet extends Error {}

/**
 * Tells one target of decisions, each at least once and those of a model in order. It is a consumer group of its own, so
 * a receiver that is away holds up nobody else, and a position is committed once everything before it was taken or given
 * up. How often something was tried is forgotten with the process.
 */
export class TargetNotifier {
  private readonly deliveries = new Map<string, Delivery>();
  private readonly closing = new AbortController();
  private readonly producer: BusProducer;
  private readonly consumer: BusConsumer;

  constructor(
    private readonly target: NotificationTarget,
    private readonly deps: NotifierDeps,
  ) {
    const { bus, topics, logger, groupPrefix } = deps;
    const onError = (error: unknown): void => {
      if (!(error instanceof NotDeliveredYet))
        logger.warn({ err: error, target: target.name }, 'notifying goes on by itself');
    };
    this.producer = bus.producer();
    this.consumer = bus.consumer({
      groupId: `${groupPrefix}-notifications-${target.name}`,
      topics: [topics.decision],
      assignment: 'balanced',
      start: 'committed',
      readCommitted: true,
      // Another member has them now; it begins at the committed position.
      onRevoked: () => this.deliveries.clear(),
      onBatch: (batch) => this.onBatch(batch),
      onError,
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.consumer.close();
    await this.producer.close();
  }

  private async onBatch(batch: BusBatch): Promise<BatchResult> {
    for (const record of batch.records) {
      if (await this.isSettled(record, batch)) continue;
      // What stands before it is done with: committed, so that it is not told again after a restart.
      if (record !== batch.records[0]) return { kind: 'seek', offset: record.offset };
      await rest(this.deps.restMs ?? REST_MS, this.closing.signal);
      throw new NotDeliveredYet();
    }
    return { kind: 'done' };
  }

  /** Whether nothing is left to do about a record: not wanted, taken, or given up. */
  private async isSettled(record: BusRecord, batch: BusBatch): Promise<boolean> {
    const { target } = this;
    const { clock, metrics } = this.deps;
    const decoded = decisionCodec.decode(cloudEventData(record.value, record.headers ?? {}));
    if (!decoded.ok || !wants(target, decoded.value)) return true;
    const decision = decoded.value;
    const known = this.deliveries.get(decision.decisionId);
    if (!known && clock.nowMs() - decision.at > target.maxAgeMs) {
      metrics.notified(target.name, 'too-old');
      return true;
    }
    const delivery = known ?? { sinceMs: clock.monotonicMs(), attempts: 0, nextMs: -Infinity };
    this.deliveries.set(decision.decisionId, delivery);
    if (delivery.nextMs > clock.monotonicMs()) return false;
    const settled = await this.tryOnce(decision, delivery, { record, batch });
    if (settled) this.deliveries.delete(decision.decisionId);
    metrics.notificationsWaiting(target.name, this.deliveries.size);
    return settled;
  }

  private async tryOnce(
    decision: Decision,
    delivery: Delivery,
    place: { readonly record: BusRecord; readonly batch: BusBatch },
  ): Promise<boolean> {
    const { target } = this;
    const { clock, metrics, logger, random } = this.deps;
    const attempt = await deliver(target.url, messageOf(target, decision, clock.nowMs()), this.closing.signal);
    if (this.closing.signal.aborted && attempt.kind !== 'delivered') return false;
    if (attempt.kind === 'delivered') {
      metrics.notified(target.name, 'delivered');
      return true;
    }
    delivery.attempts++;
    const { decisionId } = decision;
    const fields = { target: target.name, decisionId, attempts: delivery.attempts, why: attempt.why };
    const waitMs = attempt.kind === 'failed' ? backoffMs(delivery.attempts, attempt.retryAfterMs, random()) : 0;
    const nowMs = clock.monotonicMs();
    if (attempt.kind === 'failed' && nowMs + waitMs - delivery.sinceMs <= target.retryForMs) {
      delivery.nextMs = nowMs + waitMs;
      metrics.notified(target.name, 'failed');
      logger.warn(fields, 'a notification was not taken; it is tried again');
      return false;
    }
    await this.giveUp(fields, place);
    return true;
  }

  private async giveUp(
    fields: { readonly target: string; readonly attempts: number; readonly why: string },
    { record, batch }: { readonly record: BusRecord; readonly batch: BusBatch },
  ): Promise<void> {
    const { topics, clock, logger, metrics } = this.deps;
    const text = `target ${fields.target} did not take it in ${fields.attempts} attempts, the last one: ${fields.why}`;
    const cause = { code: 'notification-failed', text };
    const { topic, partition } = batch;
    await this.producer.send([deadLetterRecord(topics, { topic, partition, record, cause }, clock.nowMs())]);
    metrics.deadLetters.inc({ cause: cause.code });
    metrics.notified(fields.target, 'dead');
    logger.error(fields, 'a notification was given up; it is in the dead letters');
  }
}

/** Ends early when the signal is aborted. */
const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined);
