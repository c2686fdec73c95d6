import type { Decision, DecisionAction } from '@app/shared';

/** Whoever wants to hear of decisions. */
export interface NotificationTarget {
  /** In metrics, logs, dead letters, and in the consumer group that remembers what it has been told. */
  readonly name: string;
  readonly url: string;
  /** `json`: the decision as it stands in the topic. `slack`: what an incoming webhook of Slack takes. */
  readonly format: 'json' | 'slack';
  /** With one, every message is signed. */
  readonly secret?: Buffer;
  /** Only these; all unless given. */
  readonly actions?: readonly DecisionAction[];
  /** Only these; a name that ends in * stands for all that begin so. */
  readonly models?: readonly string[];
  /** A decision that was not taken for so long is given up. */
  readonly retryForMs: number;
  /** Decisions that are older than that when they are read are not told: who joins late does not want the past. */
  readonly maxAgeMs: number;
}

export function wants({ actions, models }: NotificationTarget, { action, model }: Decision): boolean {
  if (actions && !actions.includes(action)) return false;
  return !models || models.some((name) => (name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : name === model));
}
