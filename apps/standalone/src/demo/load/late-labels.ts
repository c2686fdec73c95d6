import type { Random } from '../seeded-random.js';

/** The truth about one prediction. */
export interface TrueLabel {
  readonly predictionId: string;
  readonly label: string;
  /** When it came to be, ms since the epoch. */
  readonly occurredAt: number;
}

/** Share of the predictions whose truth never becomes known. */
const NEVER = 0.08;
const DELAY_MS = { least: 200, spread: 1_700 };
/** More than this waiting means that nobody takes them: the oldest go. */
const WAITING_MAX = 20_000;

/** Holds labels back as life does: each for some time of its own, so they come late and out of order, some never. */
export class LateLabels {
  private readonly waiting: { readonly dueMs: number; readonly label: TrueLabel }[] = [];

  constructor(private readonly random: Random) {}

  add(predictionId: string, label: string, nowMs: number): void {
    if (this.random() < NEVER) return;
    // Squared: most come soon, a few take long.
    const delayMs = DELAY_MS.least + DELAY_MS.spread * this.random() ** 2;
    this.waiting.push({ dueMs: nowMs + delayMs, label: { predictionId, label, occurredAt: Math.round(nowMs) } });
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
  }

  /** Removes and returns what has become known by now, in the order of becoming known. */
  takeDue(nowMs: number): readonly TrueLabel[] {
    const due = this.waiting.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return [];
    const later = this.waiting.filter(({ dueMs }) => dueMs > nowMs);
    this.waiting.splice(0, this.waiting.length, ...later);
    return due.toSorted((a, b) => a.dueMs - b.dueMs).map(({ label }) => label);
  }
}
