import { hash } from 'node:crypto';
import { type Cut, cloudEventHeaders, cutCodec, type OutRecord, type Verdict, verdictCodec } from '@app/shared';
import type { Judgement } from '../engine.js';

const SOURCE = '/model-canary/evaluator';

/** What a judgement rests on. */
export interface JudgedBy {
  readonly model: string;
  readonly engineVersion: string;
  readonly cut: Cut;
}

/** A judgement with what makes it a verdict: its id, and the cut it rests on. The same data gives the same bytes. */
export function verdictOf(judgement: Judgement, { model, engineVersion, cut }: JudgedBy): Verdict {
  return {
    kind: 'verdict',
    schemaVersion: 1,
    verdictId: verdictId(model, judgement, cut),
    engineVersion,
    model,
    rollout: judgement.rollout,
    step: judgement.step,
    generation: judgement.generation,
    result: judgement.result,
    reason: judgement.reason,
    checks: [...judgement.checks],
    evidence: judgement.evidence,
    asOf: cut.asOf,
    counted: judgement.counted,
    forecast: judgement.forecast,
    cut: { owner: cut.owner, number: cut.number, positions: cut.positions },
    ...(judgement.baseline === undefined ? {} : { baseline: judgement.baseline }),
  };
}

/** 32 hex digits from model, rollout, step and the cut. */
export function verdictId(
  model: string,
  judgement: Pick<Judgement, 'rollout' | 'step'>,
  cut: Pick<Cut, 'owner' | 'number'>,
): string {
  const identity = JSON.stringify([model, judgement.rollout, judgement.step, cut.owner, cut.number]);
  return hash('sha256', identity, 'hex').slice(0, 32);
}

/** The record of a verdict: CloudEvent, keyed by its model, whose partition is its owner's. Its time is log time. */
export function verdictRecord(verdict: Verdict, topic: string, partition: number): OutRecord {
  const headers = cloudEventHeaders({
    id: verdict.verdictId,
    source: SOURCE,
    type: 'io.modelcanary.rollout.verdict',
    subject: verdict.model,
    timeMs: Math.max(0, verdict.asOf),
  });
  return { topic, partition, key: verdict.model, value: verdictCodec.encode(verdict), headers };
}

/** The record of a cut, keyed by its owner's partition. */
export function cutRecord(cut: Cut, topic: string): OutRecord {
  const headers = cloudEventHeaders({
    id: `cut-${cut.owner}-${cut.number}`,
    source: SOURCE,
    type: 'io.modelcanary.evaluator.cut',
    subject: String(cut.owner),
    timeMs: Math.max(0, cut.asOf),
  });
  return { topic, partition: cut.owner, key: String(cut.owner), value: cutCodec.encode(cut), headers };
}
