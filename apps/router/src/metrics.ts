import { addProcessMetrics } from '@app/shared/core';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type PredictionFigures, PredictionMetrics } from './prediction-metrics.js';
import type { AttemptFault } from './proxy/attempt.js';
import type { ShadowCopies } from './proxy/shadow-copies.js';
import type { OutcomePublisher } from './publishing/outcome-publisher.js';
import type { PairPublisher } from './publishing/pair-publisher.js';
import { measurePublishing, ROUTER_METRICS_PREFIX } from './publishing/publishing-metrics.js';
import type { RoutingTable } from './routing/routing-table.js';
import type { WeightsSource } from './routing/weights.js';

/** Of one version: found once, so that a prediction costs no search. */
export interface VersionMetrics {
  readonly predictions: PredictionFigures;
  readonly fallbacks: { inc(): void };
  countFault(fault: AttemptFault): void;
}

/** What became of copies to one version, and of predictions that were not copied. */
export type ShadowMetrics = Readonly<Record<(typeof COPY_RESULTS)[number], { inc(): void }>>;
const COPY_RESULTS = ['ok', 'error', 'timeout', 'too-long', 'too-many', 'overloaded', 'no-memory'] as const;

/** What is shown besides the counters of the data path. */
export interface MeasuredParts {
  readonly table: RoutingTable;
  readonly publisher: OutcomePublisher;
  readonly weights: WeightsSource;
  readonly liveBuckets: () => number;
  readonly shadows: ShadowCopies;
  readonly pairs: PairPublisher;
  readonly spoolBytesMax: number;
}

/** Every metric of the router. `aggregator`: how those of several workers become one; without it they are added up. */
export class RouterMetrics {
  private readonly predictions: PredictionMetrics;
  private readonly fallbacks: Counter<'model' | 'version'>;
  private readonly faults: Counter<'model' | 'version' | 'fault'>;
  private readonly refused: Counter<'code'>;
  private readonly copies: Counter<'model' | 'version' | 'result'>;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    addProcessMetrics(registry, 'router');
    this.predictions = new PredictionMetrics(registry, ROUTER_METRICS_PREFIX);
    this.fallbacks = new Counter({
      name: `${ROUTER_METRICS_PREFIX}fallbacks_total`,
      help: 'Predictions that a version failed and stable was asked for instead',
      labelNames: ['model', 'version'],
      registers,
    });
    this.faults = new Counter({
      name: `${ROUTER_METRICS_PREFIX}upstream_faults_total`,
      help: 'Requests that a model server did not answer, or not with HTTP that can be passed on, by why',
      labelNames: ['model', 'version', 'fault'],
      registers,
    });
    this.refused = new Counter({
      name: `${ROUTER_METRICS_PREFIX}refused_requests_total`,
      help: 'Requests answered with an error before any version was chosen, by status code',
      labelNames: ['code'],
      registers,
    });
    this.copies = new Counter({
      name: `${ROUTER_METRICS_PREFIX}shadow_copies_total`,
      help: 'Copies sent in a shadow step by what became of them, and those dropped by why',
      labelNames: ['model', 'version', 'result'],
      registers,
    });
  }

  version(model: string, version: string): VersionMetrics {
    return {
      predictions: this.predictions.of(model, version),
      fallbacks: this.fallbacks.labels({ model, version }),
      countFault: (fault) => this.faults.labels({ model, version, fault }).inc(),
    };
  }

  shadow(model: string, version: string): ShadowMetrics {
    const results = COPY_RESULTS.map((result) => [result, this.copies.labels({ model, version, result })] as const);
    return Object.fromEntries(results) as ShadowMetrics;
  }

  countRefused(code: number): void {
    this.refused.labels({ code: String(code) }).inc();
  }

  /** Shows the state of the parts whenever someone looks. */
  measure(parts: MeasuredParts): void {
    this.measureRouting(parts);
    measurePublishing(this.registry, parts);
    this.measureShadow(parts);
  }

  private measureRouting({ table, weights, liveBuckets }: MeasuredParts): void {
    const registers = [this.registry];
    const perVersion = ['model', 'version'] as const;
    new Gauge({
      name: `${ROUTER_METRICS_PREFIX}weight_ratio`,
      help: 'Share of the traffic that a version is to get',
      labelNames: perVersion,
      aggregator: 'min',
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
      name: `${ROUTER_METRICS_PREFIX}generation`,
      help: 'Number of the routing in use; only rises',
      labelNames: ['model'],
      aggregator: 'min',
      registers,
      collect() {
        this.reset();
        for (const { plan } of table.all()) this.set({ model: plan.model }, plan.generation);
      },
    });
    new Gauge({
      name: `${ROUTER_METRICS_PREFIX}in_flight`,
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
      name: `${ROUTER_METRICS_PREFIX}weights_current`,
      help: '1 while the weights are being followed in Kafka, 0 while the last known ones are served',
      aggregator: 'min',
      registers,
      collect() {
        this.set(weights.status().current ? 1 : 0);
      },
    });
    new Counter({
      name: `${ROUTER_METRICS_PREFIX}rejected_states_total`,
      help: 'Records of topic rollout-state that could not be read',
      aggregator: 'max',
      registers,
      collect() {
        this.reset();
        this.inc(weights.status().rejected);
      },
    });
    new Gauge({
      name: `${ROUTER_METRICS_PREFIX}live_buckets`,
      help: 'Buckets that are open or wait for outcomes',
      registers,
      collect() {
        this.set(liveBuckets());
      },
    });
  }

  private measureShadow({ shadows, pairs }: MeasuredParts): void {
    const registers = [this.registry];
    new Gauge({
      name: `${ROUTER_METRICS_PREFIX}shadow_copies_in_flight`,
      help: 'Copies that canaries work on for this router',
      registers,
      collect() {
        this.set(shadows.inFlight);
      },
    });
    new Counter({
      name: `${ROUTER_METRICS_PREFIX}shadow_pairs_total`,
      help: 'Pairs of answers made (sent), acknowledged by Kafka, and dropped',
      labelNames: ['state'],
      registers,
      collect() {
        this.reset();
        this.inc({ state: 'sent' }, pairs.sent);
        this.inc({ state: 'acknowledged' }, pairs.acknowledged);
        this.inc({ state: 'dropped' }, pairs.dropped);
      },
    });
  }
}
