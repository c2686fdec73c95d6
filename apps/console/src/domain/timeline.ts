import { checkRow, type CheckRow } from './check-rows.js';
import { percentText } from './figures.js';
import type { Decision } from './records.js';
import type { Tone } from './status.js';

/** A decision as the timeline tells it. */
export interface TimelineItem {
  readonly key: string;
  readonly at: number;
  readonly tone: Tone;
  /** `Rolled back`. */
  readonly word: string;
  /** Who or what it comes from: `ann`, `the data`, `the clock`. */
  readonly by: string;
  readonly text: string;
  readonly code: string;
  /** `v2 10 % → 50 %`; empty where no weight changed. */
  readonly move: string;
  readonly checks: readonly CheckRow[];
}

const WORDS: Readonly<Record<Decision['action'], readonly [word: string, tone: Tone]>> = {
  registered: ['Registered', 'calm'],
  started: ['Started', 'active'],
  'weight-changed': ['Traffic changed', 'active'],
  paused: ['Paused', 'wait'],
  resumed: ['Resumed', 'active'],
  promoted: ['Promoted', 'good'],
  'rolled-back': ['Rolled back', 'bad'],
  aborted: ['Aborted', 'bad'],
  undone: ['Undone', 'bad'],
  held: ['Held', 'wait'],
  released: ['Goes on', 'active'],
};

export const actionWord = (action: Decision['action']): string => WORDS[action][0];
export const actionTone = (action: Decision['action']): Tone => WORDS[action][1];

export function timelineItem(decision: Decision): TimelineItem {
  const { decisionId, at, action, reason } = decision;
  return {
    key: decisionId,
    at,
    tone: actionTone(action),
    word: actionWord(action),
    by: byWhom(decision),
    text: reason.text,
    code: reason.code,
    move: moveText(decision),
    checks: (reason.checks ?? []).map((check) => checkRow(check)),
  };
}

export function byWhom({ actor, onBehalfOf, cause }: Pick<Decision, 'actor' | 'onBehalfOf' | 'cause'>): string {
  switch (cause.kind) {
    case 'command':
      return onBehalfOf === undefined ? actor : `${actor} on behalf of ${onBehalfOf}`;
    case 'verdict':
      return 'the data';
    case 'timer':
      return 'the clock';
  }
}

function moveText({ from, to }: Decision): string {
  const moves = Object.keys({ ...from, ...to }).flatMap((version) => {
    const [before, after] = [from[version] ?? 0, to[version] ?? 0];
    return before === after ? [] : [`${version} ${percentText(before)} → ${percentText(after)}`];
  });
  return moves.join(', ');
}

/** Newer decisions put to those that are known, each once, oldest first. */
export function mergeDecisions(known: readonly Decision[], more: readonly Decision[]): readonly Decision[] {
  const bySequence = new Map<number, Decision>();
  for (const decision of known) bySequence.set(decision.sequence, decision);
  let changed = false;
  for (const decision of more) {
    if (bySequence.has(decision.sequence)) continue;
    bySequence.set(decision.sequence, decision);
    changed = true;
  }
  return changed ? [...bySequence.values()].sort((a, b) => a.sequence - b.sequence) : known;
}
