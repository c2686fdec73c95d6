import type { ActionView } from './actions.js';

/** What a person has filled in before an action is sent. */
export interface Order {
  readonly reason: string;
  /** Of the person, as it is to stand in the history; empty: the token's own. */
  readonly name: string;
  /** The model's name once more, where the action is dangerous. */
  readonly typed: string;
  /** Of `set-traffic`. */
  readonly weights: Readonly<Record<string, number>>;
}

/** What a header can carry, and what the API takes for a name. */
const NAME = /^[\p{L}\p{N} .@+_:/-]{0,200}$/u;
const LATIN = /^[\u0020-\u00ff]*$/;

/** Why it cannot be sent yet, or null. */
export function missingIn({ reason, name, typed }: Order, action: ActionView, model: string): string | null {
  if (reason.trim() === '') return 'Say why: the reason stands in the history.';
  if (!NAME.test(name) || !LATIN.test(name)) return 'Write the name in Latin letters, digits, spaces and . @ + _ : / -';
  if (action.dangerous && typed.trim() !== model) return `Type ${model} to confirm.`;
  return null;
}
