import { sinceText } from './figures.js';

/** How the page hears of news. */
export type Link =
  /** Nothing has been read yet. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The event stream is away; everything is read again every few seconds. */
  | { readonly kind: 'polling' }
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly why: string };

/** What a person should know about the age of what is shown; null: nothing, it is fresh. */
export interface Banner {
  readonly tone: 'wait' | 'bad';
  readonly text: string;
}

/** Twice the evaluator's longest silence that is normal. */
const VERDICT_OLD_MS = 30_000;

export function connectionBanner(link: Link, nowMs: number): Banner | null {
  switch (link.kind) {
    case 'connecting':
    case 'live':
    case 'polling':
      return null;
    case 'lost':
      return {
        tone: 'bad',
        text: `No connection to the controller for ${sinceText(nowMs - link.sinceMs)} (${link.why}). What you see is as it was then; trying again.`,
      };
  }
}

/** Of an open rollout that should have verdicts. */
export function verdictBanner(
  rollout: { readonly status: string; readonly stepStartedAt: number } | null,
  verdict: { readonly asOf: number } | null,
  nowMs: number,
): Banner | null {
  if (rollout?.status !== 'progressing') return null;
  const newest = Math.max(verdict?.asOf ?? 0, rollout.stepStartedAt);
  const ageMs = nowMs - newest;
  if (ageMs < VERDICT_OLD_MS) return null;
  return { tone: 'wait', text: `The evaluator has said nothing for ${sinceText(ageMs)}: the figures below are that old, and nothing is promoted meanwhile.` }; // prettier-ignore
}

export function linkWord(link: Link): string {
  switch (link.kind) {
    case 'connecting':
      return 'Connecting';
    case 'live':
      return 'Live';
    case 'polling':
      return 'Every 5 s';
    case 'lost':
      return 'No connection';
  }
}
