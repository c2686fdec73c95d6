import type { OutcomeStatus } from '@app/shared';
import { Counter, Gauge, Histogram, type Registry, collectDefaultMetrics } from 'prom-client';
import type { OutcomePublisher } from './publishing/outcome-publisher.js';
import type { RoutingTable } from './routing/routing-table.js';
import type { StateFollower } from './routing/state-follower.js';

const PREFIX = 'model_canary_router_';
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Of one version: found once, so that a prediction costs no search. */
export interface VersionMetrics {
  readonly predictions: Readonly<Record<OutcomeStatus, { inc(): void }>>;
  readonly seconds: { observe(value: number): void };
  readonly fallbacks: { inc(): void };
}

/** What is shown besides the counters of the data path. */
export interface MeasuredParts {
  readonly table: RoutingTable;
  readonly publisher: OutcomePublisher;
  readonly follower: StateFollower;
  readonly liveBuckets: () => number;
}

/** Every metric of the router. */
export class RouterMetrics {
  private readonly predictions: Counter<'model' | 'version' | 'status'>;
  private readonly seconds: Histogram<'model' | 'version'>;
  private readonly fallbacks: Counter<'model' | 'version'>;
  private readonly refused: Counter<'code'>;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    collectDefaultMetrics({ register: registry, prefix: PREFIX });
    this.predictions = new Counter({
      name: `${PREFIX}predictions_total`,
      help: 'Predictions by the version they were routed to and what became of them there',
      labelNames: ['model', 'version', 'status'],
      registers,
    });
    this.seconds = new Histogram({
      name: `${PREFIX}prediction_seconds`,
      help: 'From routing to the last byte of the answer, or to when it was given up',
      labelNames: ['model', 'version'],
      buckets: SECONDS,
      registers,
    });
    this.fallbacks = new Counter({
      name: `${PREFIX}fallbacks_total`,
      help: 'Predictions that a version failed and stable was asked for instead',
      labelNames: ['model', 'version'],
      registers,
    });
    this.refused = new Counter({
      name: `${PREFIX}refused_requests_total`,
      help: 'Requests answered with an error before any version was chosen, by status code',
      labelNames: ['code'],
      registers,
    });
  }

  version(model: string, version: string): VersionMetrics {
    const of = (status: OutcomeStatus): { inc(): void } => this.predictions.labels({ model, version, status });
    return {
      predictions: {
        ok: of('ok'),
        error: of('error'),
        timeout: of('timeout'),
        overloaded: of('overloaded'),
        cancelled: of('cancelled'),
      },
      seconds: this.seconds.labels({ model, version }),
      fallbacks: this.fallbacks.labels({ model, version }),
    };
  }

  countRefused(code: number): void {
    this.refused.labels({ code: String(code) }).inc();
  }

  /** Shows the state of the parts whenever someone looks. */
  measure(parts: MeasuredParts): void {
    this.measureRouting(parts);
    this.measurePublishing(parts);
  }

  private measureRouting({ table, follower, liveBuckets }: MeasuredParts): void {
    const registers = [this.registry];
    const perVersion = ['model', 'version'] as const;
    new Gauge({
      name: `${PREFIX}weight_ratio`,
      help: 'Share of the traffic that a version is to get',
      labelNames: perVersion,
      registers,
      collect() {
        this.reset();
        for (const { plan } of table.all()) {
          let start = 0;
          for (const { version } of plan.versions) this.set({ model: plan.model, version }, 0);
          for (const { version, endPoint } of plan.arms) {
            this.set({ model: plan.model, version }, (endPoint - start) / 10_000);
            start = endPoint;
          }
        }
      },
    });
    new Gauge({
      name: `${PREFIX}generation`,
      help: 'Number of the routing in use; only rises',
      labelNames: ['model'],
      registers,
      collect() {
        this.reset();
        for (const { plan } of table.all()) this.set({ model: plan.model }, plan.generation);
      },
    });
    new Gauge({
      name: `${PREFIX}in_flight`,
      help: 'Requests a version works on for this router',
      labelNames: perVersion,
      registers,
      collect() {
        this.reset();
        for (const { plan, versions } of table.all())
          for (const [version, { upstream }] of versions) this.set({ model: plan.model, version }, upstream.inFlight);
      },
    });
    new Gauge({
      name: `${PREFIX}weights_current`,
      help: '1 while the weights are being followed in Kafka, 0 while the last known ones are served',
      registers,
      collect() {
        this.set(follower.isCurrent() ? 1 : 0);
      },
    });
    new Gauge({
      name: `${PREFIX}rejected_states`,
      help: 'Records of topic rollout-state that could not be read, since the start',
      registers,
      collect() {
        this.set(follower.rejected);
      },
    });
    new Gauge({
      name: `${PREFIX}live_buckets`,
      help: 'Buckets that are open or wait for outcomes',
      registers,
      collect() {
        this.set(liveBuckets());
      },
    });
  }

  private measurePublishing({ publisher }: MeasuredParts): void {
    const registers = [this.registry];
    new Counter({
      name: `${PREFIX}outcomes_total`,
      help: 'Outcome records made (sent), acknowledged by Kafka, and dropped',
      labelNames: ['model', 'version', 'state'],
      registers,
      collect() {
        this.reset();
        for (const { model, version, sent, acknowledged, dropped } of publisher.tallies) {
          this.inc({ model, version, state: 'sent' }, sent);
          this.inc({ model, version, state: 'acknowledged' }, acknowledged);
          this.inc({ model, version, state: 'dropped' }, dropped);
        }
      },
    });
    new Gauge({
      name: `${PREFIX}outcomes_held`,
      help: 'Outcome records spooled on disk, or on the way; sent = acknowledged + dropped + both of these',
      labelNames: ['model', 'version', 'state'],
      registers,
      collect() {
        this.reset();
        for (const { model, version, spooled, onTheWay } of publisher.tallies) {
          this.set({ model, version, state: 'spooled' }, spooled);
          this.set({ model, version, state: 'on-the-way' }, onTheWay);
        }
      },
    });
    new Counter({
      name: `${PREFIX}restored_outcomes_total`,
      help: 'Outcome records of earlier processes found in the spool, acknowledged by Kafka, and dropped',
      labelNames: ['state'],
      registers,
      collect() {
        this.reset();
        const { found, acknowledged, dropped } = publisher.restored;
        this.inc({ state: 'found' }, found);
        this.inc({ state: 'acknowledged' }, acknowledged);
        this.inc({ state: 'dropped' }, dropped);
      },
    });
    new Gauge({
      name: `${PREFIX}spool_bytes`,
      help: 'Size of the spool on disk',
      registers,
      collect() {
        this.set(publisher.spooledBytes);
      },
    });
  }
}
