import type { Decision, Verdict } from '@app/shared';

/** What happened, as the event stream tells it. */
export type ControllerEvent =
  | { readonly id: string; readonly kind: 'decision'; readonly model: string; readonly data: Decision }
  | { readonly id: string; readonly kind: 'verdict'; readonly model: string; readonly data: Verdict };

export const decisionEvent = (data: Decision): ControllerEvent => ({
  id: `decision:${data.decisionId}`,
  kind: 'decision',
  model: data.model,
  data,
});

export const verdictEvent = (data: Verdict): ControllerEvent => ({
  id: `verdict:${data.verdictId}`,
  kind: 'verdict',
  model: data.model,
  data,
});

const EVENTS_KEPT = 1_000;

/** The newest events, and who wants to hear of further ones. Ids mean the same on every controller. */
export class EventLog {
  private events: ControllerEvent[] = [];
  private readonly listeners = new Set<(event: ControllerEvent) => void>();

  add(event: ControllerEvent): void {
    this.events.push(event);
    // In slices, so that keeping the newest costs nothing per event.
    if (this.events.length >= 2 * EVENTS_KEPT) this.events = this.events.slice(-EVENTS_KEPT);
    for (const listener of this.listeners) listener(event);
  }

  /** Events after one that is still known; none when it is not: best effort, as promised. */
  after(id: string): readonly ControllerEvent[] {
    const index = this.events.findLastIndex((event) => event.id === id);
    return index < 0 ? [] : this.events.slice(index + 1);
  }

  /** Returns how to stop listening. */
  listen(listener: (event: ControllerEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
