import type { Decision, RolloutState, Verdict } from '@app/shared';
import { type LogPlace, LogPositions } from './log-positions.js';

/** What happened, as the event stream tells it. */
export type ControllerEvent =
  | { readonly kind: 'decision'; readonly model: string; readonly data: Decision }
  | { readonly kind: 'verdict'; readonly model: string; readonly data: Verdict }
  /** How a model stands from now on; null: it is no more. Without its decisions and commands. */
  | { readonly kind: 'state'; readonly model: string; readonly data: RolloutState | null };

/** An event and where it stood. */
export interface LoggedEvent {
  readonly place: LogPlace;
  readonly offset: number;
  readonly event: ControllerEvent;
}

/** What came after an id; `missed`: that cannot be told, because it is too long ago or the id is from elsewhere. */
export type Since = { readonly kind: 'known'; readonly events: readonly LoggedEvent[] } | { readonly kind: 'missed' };

const EVENTS_KEPT = 2_000;

/** The newest events, how far the log has been read, and who wants to hear of further ones. */
export class EventLog {
  private events: LoggedEvent[] = [];
  /** From here on every event is known. */
  private readonly floor = LogPositions.none();
  private readonly read = LogPositions.none();
  private readText: string | null = null;
  private readonly listeners = new Set<(event: LoggedEvent) => void>();

  constructor(private readonly eventsKept = EVENTS_KEPT) {}

  /** Reading of a partition begins there: what stood before it is not known. */
  begin(place: LogPlace, offset: number): void {
    this.floor.pass(place, offset);
    this.passed(place, offset);
  }

  /** What was read before already is left out. */
  add(logged: LoggedEvent): void {
    if (logged.offset < this.read.at(logged.place)) return;
    this.passed(logged.place, logged.offset + 1);
    this.events.push(logged);
    // In slices, so that keeping the newest costs nothing per event.
    if (this.events.length >= 2 * this.eventsKept) this.forget(this.events.length - this.eventsKept);
    for (const listener of this.listeners) listener(logged);
  }

  /** Everything of a partition below an offset has been read, whether it was an event or not. */
  passed(place: LogPlace, nextOffset: number): void {
    this.read.pass(place, nextOffset);
    this.readText = null;
  }

  /** Of somebody who has been told everything so far. */
  id(): string {
    return (this.readText ??= this.read.toString());
  }

  since(positions: LogPositions): Since {
    for (const place of new Set([...this.read.places(), ...positions.places()])) {
      const at = positions.at(place);
      // Beyond the end: of another log, or told by a controller that is ahead of this one.
      if (at < this.floor.at(place) || at > this.read.at(place)) return { kind: 'missed' };
    }
    return { kind: 'known', events: this.events.filter(({ place, offset }) => offset >= positions.at(place)) };
  }

  /** Returns how to stop listening. */
  listen(listener: (event: LoggedEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private forget(count: number): void {
    for (const { place, offset } of this.events.slice(0, count)) this.floor.pass(place, offset + 1);
    this.events = this.events.slice(count);
  }
}
