import type { RolloutSpan } from './stickiness.js';

/** What the load is started with. */
export interface LoadData {
  readonly seed: number;
  /** Base URL of the router. */
  readonly routerUrl: string;
  /** Base URL of the controller, which takes the labels. */
  readonly controllerUrl: string;
}

export type ToLoad =
  /** A rollout is about to begin: count from here. */
  | { readonly kind: 'rollout-begins' }
  /** It has ended: answer with what was counted. */
  | { readonly kind: 'rollout-ended'; readonly span: RolloutSpan };

export interface LoadCounts {
  readonly predictions: number;
  /** No answer, or one that is not 2xx. */
  readonly failedPredictions: number;
  /** Answers by version. */
  readonly byVersion: Readonly<Record<string, number>>;
}

export type FromLoad =
  /** Four times a second: since the rollout began. */
  | { readonly kind: 'counts'; readonly counts: LoadCounts; readonly labelsSent: number }
  | { readonly kind: 'rollout-counted'; readonly counts: LoadCounts; readonly stickinessViolations: number };
