import type { Logger, MessageBus, RolloutState, RunningService, TopicNames } from '@app/shared/core';
import { CanaryError } from '@app/shared/core';
import type { RouterConfig } from '../config.js';
import { DataDirectory } from '../routing/data-directory.js';
import { type OpenedWeights, openWeights } from '../routing/open-weights.js';
import type { WeightsStatus } from '../routing/weights.js';
import { within } from '../within.js';
import type { ToWorker } from './messages.js';
import { portToShare } from './shared-port.js';
import { adoptSpools } from './spool-adoption.js';
import { SupervisedWorker } from './supervised-worker.js';
import { WorkerMetrics } from './worker-metrics.js';

export interface SupervisorDeps {
  readonly config: RouterConfig;
  readonly topics: TopicNames;
  /** Stays open: whoever made it closes it after the router. */
  readonly bus: MessageBus;
  readonly logger: Logger;
}

/** A worker that dies is replaced at once; one that dies young, and its successors, after twice as long each time. */
const YOUNG_MS = 10_000;
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 10_000;
/** Workers close within 10 s. */
const CLOSE_MS_MAX = 12_000;
const STATUS_MS = 500;

/**
 * A router of several processes: each worker listens on the same port and is a router of its own to Kafka; this one reads
 * the weights and tells them to all, replaces workers that die, and puts their metrics together. It is in no
 * prediction's way. Throws what startRouter() throws.
 */
export async function startWorkers(deps: SupervisorDeps): Promise<RunningService> {
  const { config, logger } = deps;
  await using opened = new AsyncDisposableStack();
  const dataDirectory = new DataDirectory(config.ROUTER_DATA_DIR, logger);
  opened.defer(() => dataDirectory.close());
  adoptSpools(config.ROUTER_DATA_DIR, config.ROUTER_WORKERS, logger);
  const port = await portToShare(config.HTTP_PORT, config.HTTP_HOST);
  const weights = await openWeights({ ...deps, dataDirectory });
  opened.defer(() => weights.source.close());
  const supervisor = new Supervisor({ count: config.ROUTER_WORKERS, port, weights, logger });
  opened.defer(() => supervisor.close());
  const url = await supervisor.start();
  const everything = opened.move();
  return { url, close: () => everything.disposeAsync() };
}

class Supervisor {
  private readonly workers: (SupervisedWorker | null)[];
  private readonly metrics: WorkerMetrics;
  private readonly states = new Map<string, RolloutState>();
  private readonly restarts = new Map<number, NodeJS.Timeout>();
  private readonly restartMs: number[];
  private status: WeightsStatus;
  private statusTimer: NodeJS.Timeout | null = null;
  private closing = false;
  private hasStarted = false;

  constructor(
    private readonly options: {
      readonly count: number;
      readonly port: number;
      readonly weights: OpenedWeights;
      readonly logger: Logger;
    },
  ) {
    const { count, weights } = options;
    this.workers = new Array<SupervisedWorker | null>(count).fill(null);
    this.restartMs = new Array<number>(count).fill(RESTART_MS_MIN);
    this.metrics = new WorkerMetrics(() => this.living());
    this.status = weights.source.status();
    weights.source.subscribe({
      onState: (state) => this.onState(state),
      onRemoved: (model) => this.onRemoved(model),
    });
  }

  /** Resolves with their URL when all workers serve. Throws CanaryError `worker-not-started` if one ends before. */
  async start(): Promise<string> {
    const started = Promise.withResolvers<string>();
    const onServing = (url: string): void => {
      if (this.workers.every((worker) => worker?.isServing)) started.resolve(url);
    };
    for (let index = 0; index < this.options.count; index++) {
      const worker = this.launch(index, onServing);
      void worker.exited.then((why) =>
        started.reject(new CanaryError('worker-not-started', `worker ${index} ended with ${why} before it served`)),
      );
    }
    this.statusTimer = setInterval(() => this.tellStatus(), STATUS_MS);
    const url = await started.promise;
    this.hasStarted = true;
    return url;
  }

  /** All workers drain at once. Throws if one did not end as it should. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.statusTimer) clearInterval(this.statusTimer);
    for (const timer of this.restarts.values()) clearTimeout(timer);
    const living = this.living();
    for (const worker of living) worker.tell({ kind: 'close' });
    const all = Promise.all(living.map(({ exited }) => exited));
    const ends = await within(CLOSE_MS_MAX, all);
    if (ends === null) for (const worker of living) worker.kill();
    await all;
    if (!this.hasStarted || ends?.every((why) => why === 0)) return;
    throw new CanaryError(
      'workers-not-closed',
      `workers ended with ${ends?.join(', ') ?? 'a kill: they took too long'}`,
    );
  }

  private living(): readonly SupervisedWorker[] {
    return this.workers.filter((worker) => worker !== null);
  }

  private launch(index: number, onServing: (url: string) => void = () => undefined): SupervisedWorker {
    const { count, port, weights, logger } = this.options;
    const beganAtMs = performance.now();
    const worker: SupervisedWorker = new SupervisedWorker({
      onServing,
      onMetrics: (request, metrics) => this.metrics.take(worker, request, metrics),
      onMetricsAsked: (request) =>
        void this.metrics.ofAll().then((text) => worker.tell({ kind: 'metrics-of-all', request, text })),
      onExit: (why) => this.onExit(index, why, performance.now() - beganAtMs),
    });
    this.workers[index] = worker;
    worker.tell({ kind: 'assignment', place: { index, count }, partitions: weights.partitions, port });
    for (const state of this.states.values()) worker.tell({ kind: 'state', state });
    worker.tell({ kind: 'status', status: weights.source.status() });
    worker.tell({ kind: 'told' });
    logger.info({ worker: index, pid: worker.pid }, 'worker launched');
    return worker;
  }

  private onExit(index: number, why: number | NodeJS.Signals, ageMs: number): void {
    this.workers[index] = null;
    if (this.closing) return;
    const inMs = ageMs >= YOUNG_MS ? 0 : this.restartMs[index]!;
    this.restartMs[index] = ageMs >= YOUNG_MS ? RESTART_MS_MIN : Math.min(RESTART_MS_MAX, inMs * 2);
    this.metrics.countRestart();
    this.options.logger.warn({ worker: index, why, ageMs: Math.round(ageMs), inMs }, 'a worker ended: it is replaced');
    this.restarts.set(
      index,
      setTimeout(() => this.launch(index), inMs),
    );
  }

  private onState(state: RolloutState): void {
    // Histories are of no use to a worker, and long.
    const known = { ...state, decisions: [], commands: [] };
    this.states.set(state.model, known);
    this.tellAll({ kind: 'state', state: known });
  }

  private onRemoved(model: string): void {
    this.states.delete(model);
    this.tellAll({ kind: 'removed', model });
  }

  private tellStatus(): void {
    const status = this.options.weights.source.status();
    const { caughtUp, current, rejected } = this.status;
    if (status.caughtUp === caughtUp && status.current === current && status.rejected === rejected) return;
    this.status = status;
    this.tellAll({ kind: 'status', status });
  }

  private tellAll(message: ToWorker): void {
    for (const worker of this.living()) worker.tell(message);
  }
}
