import type { RolloutState } from '@app/shared/core';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { WorkerPlace } from '../domain/worker-share.js';
import type { WeightsStatus } from '../routing/weights.js';

/** All metrics of a process, as prom-client gives them. */
export type MetricsJson = readonly MetricObjectWithValues<MetricValue<string>>[];

/** What the supervisor tells its workers, in this order: assignment, states and statuses as they come, close. */
export type ToWorker =
  | {
      readonly kind: 'assignment';
      readonly place: WorkerPlace;
      /** Of the outcome topic. */
      readonly partitions: number;
      readonly port: number;
    }
  | { readonly kind: 'state'; readonly state: RolloutState }
  | { readonly kind: 'removed'; readonly model: string }
  | { readonly kind: 'status'; readonly status: WeightsStatus }
  /** Everything known so far was told. */
  | { readonly kind: 'told' }
  /** Somebody asked another worker for the metrics of all. */
  | { readonly kind: 'give-metrics'; readonly request: number }
  | { readonly kind: 'metrics-of-all'; readonly request: number; readonly text: string }
  | { readonly kind: 'close' };

/** What a worker tells its supervisor. */
export type ToSupervisor =
  | { readonly kind: 'serving'; readonly url: string }
  | { readonly kind: 'metrics'; readonly request: number; readonly metrics: MetricsJson }
  | { readonly kind: 'ask-metrics'; readonly request: number };
