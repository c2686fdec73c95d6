import type { Logger, MetricsSource, RolloutState } from '@app/shared/core';
import { Registry } from 'prom-client';
import { type WorkerPlace, shareOfState } from '../domain/worker-share.js';
import type { WeightsListener, WeightsSource, WeightsStatus } from '../routing/weights.js';
import { within } from '../within.js';
import type { ToSupervisor, ToWorker } from './messages.js';

/** A scrape that takes longer shows this worker's own metrics only. */
const METRICS_MS_MAX = 3000;

export interface Assignment {
  readonly place: WorkerPlace;
  readonly partitions: number;
  readonly port: number;
}

/** A worker's end of its channel to the supervisor: the weights come over it, and the metrics of all. */
export class SupervisorLink implements WeightsSource {
  /** Resolves when everything that a worker must know to serve has come. */
  readonly told: Promise<Assignment>;
  /** Resolves when the supervisor says that it is time to close, or is gone. */
  readonly closing: Promise<'asked' | 'alone'>;
  private readonly states = new Map<string, RolloutState>();
  private readonly listeners: WeightsListener[] = [];
  private readonly waiting = new Map<number, (text: string) => void>();
  private assignment: Assignment | null = null;
  private lastStatus: WeightsStatus = { caughtUp: false, current: false, rejected: 0 };
  private requests = 0;
  private registry: Registry | null = null;
  private readonly toldAll = Promise.withResolvers<Assignment>();
  private readonly closed = Promise.withResolvers<'asked' | 'alone'>();

  constructor(private readonly logger: Logger) {
    this.told = this.toldAll.promise;
    this.closing = this.closed.promise;
    process.on('message', (message) => this.hear(message as ToWorker));
    process.on('disconnect', () => this.closed.resolve('alone'));
  }

  subscribe(listener: WeightsListener): void {
    this.listeners.push(listener);
    for (const state of this.states.values()) listener.onState(state);
  }

  status(): WeightsStatus {
    return this.lastStatus;
  }

  tell(message: ToSupervisor): void {
    if (process.connected) process.send!(message);
  }

  /** What a scrape of this worker shows: the metrics of all workers together. */
  metricsOf(own: Registry): MetricsSource {
    this.registry = own;
    return { contentType: own.contentType, metrics: () => this.metricsOfAll(own) };
  }

  private async metricsOfAll(own: Registry): Promise<string> {
    const request = ++this.requests;
    const answer = new Promise<string>((resolve) => this.waiting.set(request, resolve));
    this.tell({ kind: 'ask-metrics', request });
    const text = await within(METRICS_MS_MAX, answer);
    this.waiting.delete(request);
    if (text !== null) return text;
    this.logger.warn('the supervisor does not answer: metrics are those of one worker');
    return own.metrics();
  }

  private hear(message: ToWorker): void {
    switch (message.kind) {
      case 'assignment':
        this.assignment = message;
        return;
      case 'state':
        return this.takeState(message.state);
      case 'removed':
        if (this.states.delete(message.model)) for (const listener of this.listeners) listener.onRemoved(message.model);
        return;
      case 'status':
        this.lastStatus = message.status;
        return;
      case 'told':
        return this.toldAll.resolve(this.assignment!);
      case 'give-metrics':
        return this.giveMetrics(message.request);
      case 'metrics-of-all':
        return this.waiting.get(message.request)?.(message.text);
      case 'close':
        return this.closed.resolve('asked');
    }
  }

  private takeState(state: RolloutState): void {
    const share = shareOfState(state, this.assignment!.place);
    this.states.set(state.model, share);
    for (const listener of this.listeners) listener.onState(share);
  }

  private giveMetrics(request: number): void {
    if (!this.registry) return;
    this.registry.getMetricsAsJSON().then(
      (metrics) => this.tell({ kind: 'metrics', request, metrics }),
      (err: unknown) => this.logger.warn({ err }, 'metrics cannot be read'),
    );
  }
}
