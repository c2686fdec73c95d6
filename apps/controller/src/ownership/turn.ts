import type { Decision, OutRecord, RolloutState, TopicNames } from '@app/shared';
import type { RolloutInput, Transition } from '../domain/rollout/inputs.js';
import { transition } from '../domain/rollout/transition.js';
import { decisionRecord, stateRecord } from './records.js';

/** What one batch, tick or answer leads to. Nothing of it counts before it is committed. */
export class Turn {
  readonly states = new Map<string, RolloutState>();
  readonly decisions: Decision[] = [];
  readonly deadLetters: OutRecord[] = [];
  private readonly durable = new Set<string>();

  constructor(
    private readonly committed: ReadonlyMap<string, RolloutState>,
    private readonly nowMs: number,
  ) {}

  stateOf(model: string): RolloutState | null {
    return this.states.get(model) ?? this.committed.get(model) ?? null;
  }

  move(model: string, input: RolloutInput): Transition {
    const before = this.stateOf(model);
    const moved = transition(before, input, { nowMs: this.nowMs });
    if (moved.state && moved.state !== before) {
      this.states.set(model, moved.state);
      this.decisions.push(...moved.decisions);
      // What was only heard need not outlive this owner: the next one hears it anew.
      if (moved.decisions.length > 0 || moved.commandResult) this.durable.add(model);
    }
    return moved;
  }

  /** In the order in which a reader of one partition should meet them. */
  records(topics: TopicNames): OutRecord[] {
    const states = [...this.durable].flatMap((model) => this.states.get(model) ?? []);
    return [
      ...this.decisions.map((decision) => decisionRecord(topics, decision)),
      ...states.map((state) => stateRecord(topics, state)),
      ...this.deadLetters,
    ];
  }
}
