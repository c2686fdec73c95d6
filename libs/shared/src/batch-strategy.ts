import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { BatchResult, BusBatch, BusConsumer, ConsumerOptions, MessageBus } from './bus/message-bus.js';
import { CanaryError } from './errors.js';

/** A group's membership; who handles its batches is told by the decorators. */
export type BatchSubscription = Omit<ConsumerOptions, 'onBatch'>;

export interface BatchStrategyOptions {
  readonly bus: MessageBus;
  readonly subscriptions: readonly BatchSubscription[];
  /** The pattern in `@EventPattern` that stands for a topic, whose name is configured. Default: its name. */
  readonly patternOf?: (topic: string) => string;
}

/**
 * Brings whole batches to `@EventPattern(pattern, { batch: true })` handlers, which return a BatchResult. A handler that
 * throws gets its batch again; Nest's filter has then logged the cause and tells us only that there was one, so what can
 * be expected is better returned than thrown.
 *
 * Connect with `app.connectMicroservice({ strategy }, { inheritAppConfig: false })`. Nest closes it before
 * onApplicationShutdown: what handlers use (Redis, producers) is to be closed there and not earlier.
 */
export class BatchStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private consumers: BusConsumer[] = [];

  constructor(private readonly options: BatchStrategyOptions) {
    super();
  }

  /** Throws CanaryError `no-batch-handler` unless every topic has exactly one batch handler. */
  listen(callback: () => void): void {
    const { bus, subscriptions } = this.options;
    const handlers = new Map<string, MessageHandler>();
    for (const topic of subscriptions.flatMap((s) => s.topics)) handlers.set(topic, this.handlerOf(topic));
    this.consumers = subscriptions.map((subscription) =>
      bus.consumer({ ...subscription, onBatch: (batch) => handle(handlers.get(batch.topic)!, batch) }),
    );
    callback();
  }

  /** Leaves the groups after the batches in flight. */
  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.close()));
  }

  on(event: string): never {
    throw new CanaryError('no-events', `the batch strategy emits no event ${event}`);
  }

  /** The consumers, in the order of the subscriptions; none before listen(). */
  unwrap<T = readonly BusConsumer[]>(): T {
    return this.consumers as T;
  }

  private handlerOf(topic: string): MessageHandler {
    const pattern = this.options.patternOf?.(topic) ?? topic;
    const handler = this.getHandlerByPattern(pattern);
    const extras = handler?.extras as { readonly batch?: boolean } | undefined;
    if (!handler || !extras?.batch || handler.next) {
      throw new CanaryError(
        'no-batch-handler',
        `${topic} needs exactly one @EventPattern('${pattern}', { batch: true }) handler`,
      );
    }
    return handler;
  }
}

async function handle(handler: MessageHandler, batch: BusBatch): Promise<BatchResult> {
  const answer: unknown = await handler(batch, undefined);
  const result: unknown = isObservable(answer) ? await lastValueFrom(answer) : answer;
  if (isBatchResult(result)) return result;
  throw new CanaryError('no-batch-result', `the handler of ${batch.topic} returned no BatchResult`);
}

function isBatchResult(result: unknown): result is BatchResult {
  if (typeof result !== 'object' || result === null || !('kind' in result)) return false;
  return result.kind === 'done' || result.kind === 'seek';
}
