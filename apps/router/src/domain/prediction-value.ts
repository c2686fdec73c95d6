import { classHash } from '@app/shared/core';
import { pointerTokens, valueAt } from './json-pointer.js';

/** What a prediction said, as an outcome shows it and as its id seals it. */
export interface PredictionValue {
  readonly kind: 'none' | 'class' | 'number';
  /** The number, or the hash of the class; 0 for none. */
  readonly sealed: number;
  /** As it goes into the outcome; absent for none, or if it is too long to show. */
  readonly shown?: string | number;
}

export const NO_VALUE: PredictionValue = { kind: 'none', sealed: 0 };
/** The outcome's schema allows no more. */
const SHOWN_LENGTH_MAX = 500;

/** Reads predictions of one kind from where a JSON pointer says. */
export class PredictionReader {
  private readonly tokens: readonly string[];

  constructor(
    pointer: string,
    private readonly kind: 'class' | 'number',
  ) {
    this.tokens = pointerTokens(pointer);
  }

  /** Reads a JSON value. Anything unexpected there is no value: a label of it cannot be judged. */
  readFrom(document: unknown): PredictionValue {
    const value = valueAt(document, this.tokens);
    return this.kind === 'class' ? classValue(value) : numberValue(value);
  }
}

function classValue(value: unknown): PredictionValue {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return NO_VALUE;
  const shown = typeof value === 'boolean' ? String(value) : value;
  const tooLong = typeof shown === 'string' && shown.length > SHOWN_LENGTH_MAX;
  return { kind: 'class', sealed: classHash(value), shown: tooLong ? undefined : shown };
}

function numberValue(value: unknown): PredictionValue {
  const number = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN;
  return Number.isFinite(number) ? { kind: 'number', sealed: number, shown: number } : NO_VALUE;
}
