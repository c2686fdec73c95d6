import { binOfClass, binOfNumber } from '@app/shared/core';
import { pointerTokens, valueAt } from './json-pointer.js';
import { NO_VALUE, type PredictionReader, type PredictionValue } from './prediction-value.js';
import type { Watched } from './watched.js';

/** What an answer says: the prediction, and what the rollout watches beside it. */
export interface Answer {
  readonly prediction: PredictionValue;
  /** Absent: none is watched, or none of them is a number there. */
  readonly values?: Readonly<Record<string, number>>;
  readonly predictionBin?: number;
}

export const NO_ANSWER: Answer = { prediction: NO_VALUE };

/** Reads answers of one model, each parsed once. */
export class AnswerReader {
  private readonly values: readonly { readonly name: string; readonly tokens: readonly string[] }[];

  constructor(
    private readonly predictions: PredictionReader | null,
    private readonly watched: Watched,
  ) {
    this.values = watched.values.map(({ name, pointer }) => ({ name, tokens: pointerTokens(pointer) }));
  }

  /** Reads an answer's body. What is not JSON, or not what is expected there, says nothing. */
  read(body: Buffer): Answer {
    let document: unknown;
    try {
      document = JSON.parse(body.toString('utf8'));
    } catch {
      return NO_ANSWER;
    }
    const prediction = this.predictions?.readFrom(document) ?? NO_VALUE;
    if (this.values.length === 0 && !this.watched.predictionBins) return { prediction };
    return { prediction, values: this.readValues(document), predictionBin: this.binOf(prediction) };
  }

  private readValues(document: unknown): Answer['values'] {
    let read: Record<string, number> | undefined;
    for (const { name, tokens } of this.values) {
      const value = valueAt(document, tokens);
      if (typeof value === 'number' && Number.isFinite(value)) (read ??= {})[name] = value;
    }
    return read;
  }

  private binOf({ kind, sealed }: PredictionValue): number | undefined {
    if (!this.watched.predictionBins || kind === 'none') return undefined;
    return kind === 'class' ? binOfClass(sealed) : binOfNumber(sealed);
  }
}
