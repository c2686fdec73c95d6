import type { Pair } from '@app/shared/core';
import { SHADOW_HEADER } from '../domain/headers.js';
import type { ServedShadow } from '../routing/served-model.js';
import type { Attempt } from './attempt.js';
import type { DataPlaneParts } from './data-plane.js';
import type { Prediction } from './prediction.js';
import type { Body } from './request-body.js';
import { ShadowCopy } from './shadow-copy.js';

/** A longer body is not copied. */
const BODY_BYTES_MAX = 1024 * 1024;
const SHADOW_LINE = `${SHADOW_HEADER}: 1\r\n`;

/** A request as it was sent to stable. */
export interface CopiedRequest {
  readonly target: string;
  readonly lines: string;
  readonly body: Body | null;
}

/** Why a prediction that was to be copied was not. */
export type CopyRefusal = 'too-long' | 'too-many' | 'overloaded' | 'no-memory';

/**
 * Sends copies of predictions to a canary that no user sees, and puts together what both versions made of them. A copy
 * takes only what is free: a place among the copies under way, one of the canary's, and memory; otherwise it is dropped
 * and counted. Nothing here holds up, or touches, the user's answer.
 */
export class ShadowCopies {
  private readonly underWay = new Map<ShadowCopy, Attempt>();
  private closed = false;

  constructor(
    private readonly options: {
      readonly inFlightMax: number;
      readonly publish: (pair: Pair) => void;
    },
  ) {}

  get inFlight(): number {
    return this.underWay.size;
  }

  /** Sends a copy of a prediction that stable works on already, if it is one of those to be copied. */
  offer(parts: DataPlaneParts, shadow: ServedShadow, prediction: Prediction, request: CopiedRequest): void {
    if (this.closed || parts.random() >= shadow.fraction || prediction.isRecorded) return;
    const bytes = request.body?.length ?? 0;
    const refusal = this.refusal(parts, shadow, bytes);
    if (refusal) return shadow.metrics[refusal].inc();
    const copy = new ShadowCopy(parts, shadow, prediction, {
      onAnswered: () => {
        this.underWay.delete(copy);
        parts.bodyMemory.give(bytes);
      },
      publish: this.options.publish,
    });
    prediction.compareWith(copy);
    const { target, lines, body } = request;
    const attempt = copy.begin();
    this.underWay.set(copy, attempt);
    attempt.send({ method: 'POST', target, lines: lines + SHADOW_LINE, body });
  }

  /** Gives up all copies; what they would have said is not known. */
  close(): void {
    this.closed = true;
    for (const attempt of this.underWay.values()) attempt.abort();
    this.underWay.clear();
  }

  /** Takes the copy's memory if there is no refusal. */
  private refusal(parts: DataPlaneParts, { version }: ServedShadow, bytes: number): CopyRefusal | null {
    if (bytes > BODY_BYTES_MAX) return 'too-long';
    if (this.underWay.size >= this.options.inFlightMax) return 'too-many';
    if (version.upstream.inFlight >= version.planned.maxConcurrency) return 'overloaded';
    return parts.bodyMemory.take(bytes) ? null : 'no-memory';
  }
}
