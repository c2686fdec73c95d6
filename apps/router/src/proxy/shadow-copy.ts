import type { OutcomeStatus, Pair, PairStatus } from '@app/shared/core';
import { agreement } from '../domain/agreement.js';
import type { AnswerHead } from '../domain/answer-head.js';
import { NO_VALUE, type PredictionValue } from '../domain/prediction-value.js';
import type { ServedShadow } from '../routing/served-model.js';
import { Attempt, type AttemptFault, type AttemptOwner } from './attempt.js';
import type { DataPlaneParts } from './data-plane.js';
import { mayHoldPrediction } from './held-answer.js';
import type { Prediction, PredictionWitness } from './prediction.js';

interface Side {
  readonly value: PredictionValue;
  readonly status: PairStatus;
}

/**
 * One copy of a prediction at the canary: its answer is read, recorded and thrown away. Once both versions have answered
 * or failed, what they made of the prediction becomes a pair.
 */
export class ShadowCopy implements AttemptOwner, PredictionWitness {
  private held: Buffer[] | null = null;
  private httpStatus = 0;
  private firstByteMs: number | undefined;
  private canary: Side | null = null;
  private stable: (Side & { readonly predictionId: string }) | null = null;
  /** The user's prediction came to no end that can be compared. */
  private incomparable = false;

  constructor(
    private readonly parts: DataPlaneParts,
    private readonly shadow: ServedShadow,
    private readonly prediction: Prediction,
    private readonly then: { readonly onAnswered: () => void; readonly publish: (pair: Pair) => void },
  ) {}

  begin(): Attempt {
    return new Attempt(this, this.shadow.version, this.parts.clock.monotonicMs(), this.parts);
  }

  onHead(attempt: Attempt, head: AnswerHead): void {
    this.httpStatus = head.httpStatus;
    this.firstByteMs = attempt.elapsedMs(this.parts.clock.monotonicMs());
    const { config } = this.parts;
    if (this.shadow.reader && mayHoldPrediction(head, config.ROUTER_ANSWER_BYTES_MAX)) this.held = [];
  }

  onData(_attempt: Attempt, bytes: Buffer): void {
    this.held?.push(Buffer.from(bytes));
  }

  onEnd(attempt: Attempt, last: Buffer | null): void {
    if (last !== null) this.onData(attempt, last);
    const value =
      this.held && this.shadow.reader ? this.shadow.reader.read(Buffer.concat(this.held)).prediction : NO_VALUE;
    this.answered(attempt, { value, status: this.httpStatus < 400 ? 'ok' : 'error' });
  }

  onFailure(attempt: Attempt, fault: AttemptFault): void {
    this.answered(attempt, { value: NO_VALUE, status: fault === 'timeout' ? 'timeout' : 'error' });
  }

  /** There is no client here that could stall. */
  onStalledClient(): void {}

  recorded(predictionId: string, value: PredictionValue, status: OutcomeStatus): void {
    // Who went away, or was turned away, says nothing of either version.
    if (status === 'cancelled' || status === 'overloaded') this.incomparable = true;
    else this.stable = { predictionId, value, status };
    this.publish();
  }

  private answered(attempt: Attempt, side: Side): void {
    const { evidence, clock } = this.parts;
    const { version, metrics } = this.shadow;
    this.held = null;
    this.canary = side;
    this.then.onAnswered();
    metrics[side.status].inc();
    evidence.recordCopy(version, this.prediction.partition, {
      predictionId: this.prediction.copyId(version, side.value),
      bucket: null,
      unit: this.prediction.unit,
      routedAtMs: this.prediction.routedAtWallMs(),
      latencyMs: attempt.elapsedMs(clock.monotonicMs()),
      firstByteMs: this.firstByteMs,
      status: side.status,
      httpStatus: this.httpStatus,
      prediction: side.value.shown,
      shadow: true,
    });
    this.publish();
  }

  private publish(): void {
    const { stable, canary } = this;
    if (!stable || !canary || this.incomparable) return;
    this.then.publish({
      kind: 'pair',
      schemaVersion: 1,
      predictionId: stable.predictionId,
      stable: stable.value.shown ?? null,
      canary: canary.value.shown ?? null,
      agree: agreement(stable.value, canary.value, this.shadow.tolerance),
      status: { stable: stable.status, canary: canary.status },
    });
  }
}
