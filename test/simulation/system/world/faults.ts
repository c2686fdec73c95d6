import type { TopicRole } from '@app/shared';
import type { ServerName } from './machine.js';

/** Something that goes wrong. `machine` is one of the world's, or `broker`, whose clock is the log's. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'crash'; readonly machine: string; readonly afterSteps: number; readonly downMs: number }
  /** As a crash: at the await that its code comes to after so many steps. */
  | { readonly kind: 'pause'; readonly machine: string; readonly afterSteps: number; readonly forMs: number }
  | { readonly kind: 'stop'; readonly machine: string; readonly downMs: number }
  | WireFault
  | {
      readonly kind: 'slow-partition';
      readonly topic: TopicRole;
      readonly partition: number;
      readonly forMs: number;
      readonly byMs: number;
    }
  /** `slot`: the number of one; null: all of Redis. */
  | { readonly kind: 'flush'; readonly slot: number | null }
  | { readonly kind: 'roll-back'; readonly copyAtMs: number; readonly slot: number | null }
  | { readonly kind: 'refuse-writes'; readonly forMs: number }
  | { readonly kind: 'clock'; readonly machine: string; readonly forMs: number; readonly byMs: number }
  | {
      readonly kind: 'timers';
      readonly machine: string;
      readonly forMs: number;
      readonly lateByMs: number;
      readonly doubled: boolean;
    }
  | { readonly kind: 'compact'; readonly topic: TopicRole }
  | { readonly kind: 'retention'; readonly topic: TopicRole; readonly keepMs: number }
  | { readonly kind: 'poison'; readonly topic: TopicRole; readonly what: number }
  | { readonly kind: 'checkpoint-loss'; readonly of: 'slots' | 'owners' }
  /** An evaluator is stopped, and comes back with another version of the engine. */
  | { readonly kind: 'upgrade'; readonly machine: string; readonly downMs: number; readonly engine: string }
  | { readonly kind: 'disk-full'; readonly machine: string; readonly forMs: number }
);

/** What is wrong with the network between one machine, or all (null), and a server. */
export interface WireFault {
  readonly kind: 'network';
  readonly machine: string | null;
  readonly server: ServerName;
  readonly forMs: number;
  readonly cut?: 'refused' | 'silent';
  readonly slowByMs?: number;
  readonly lostRequests?: number;
  readonly lostAnswers?: number;
  readonly lateRequests?: number;
  readonly doubled?: number;
}

export type FaultKind = Fault['kind'];

/** When a fault is over, as far as it is one that ends by itself. */
export function endOf(fault: Fault): number {
  if ('forMs' in fault) return fault.atMs + fault.forMs;
  if ('downMs' in fault) return fault.atMs + fault.downMs;
  return fault.atMs;
}

export function faultText(fault: Fault): string {
  const { atMs, kind, ...rest } = fault;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value === null ? 'all' : String(value)}`);
  return `${(atMs / 1000).toFixed(3).padStart(8)} s  ${kind}${details.length > 0 ? ': ' : ''}${details.join(', ')}`;
}
