import { cutCodec, type Cut, verdictCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import type { Judgement } from '../engine.js';
import { cutRecord, verdictOf, verdictRecord } from './verdict-envelope.js';

const judgement: Judgement = {
  rollout: 'fraud-1',
  step: 0,
  generation: 2,
  result: 'continue',
  reason: { code: 'more-data', text: 'not yet' },
  checks: [],
  evidence: { lnE: 0.5, lnLimit: 4.605 },
  counted: { stable: 90, canary: 10 },
  forecast: { predictionsToGo: 100, minutesToGo: null },
};
const cut: Cut = {
  kind: 'cut',
  schemaVersion: 1,
  owner: 3,
  number: 17,
  positions: { outcome: [5, 6], label: [0] },
  logTimes: { outcome: [1_000, 2_000], label: [-1] },
  asOf: 2_000,
  known: { fraud: 4 },
};

const by = (model: string, of: Cut) => ({ model, engineVersion: '1', cut: of });

describe('a verdict', () => {
  it('has an id made of model, rollout, step and cut, and of nothing else', () => {
    const id = verdictOf(judgement, by('fraud', cut)).verdictId;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(verdictOf({ ...judgement, result: 'fail' }, by('fraud', cut)).verdictId).toBe(id);
    const others = [
      verdictOf(judgement, by('churn', cut)),
      verdictOf({ ...judgement, rollout: 'fraud-2' }, by('fraud', cut)),
      verdictOf({ ...judgement, step: 1 }, by('fraud', cut)),
      verdictOf(judgement, by('fraud', { ...cut, number: 18 })),
      verdictOf(judgement, by('fraud', { ...cut, owner: 4 })),
    ];
    expect(new Set([id, ...others.map((verdict) => verdict.verdictId)]).size).toBe(6);
  });

  it('is a CloudEvent keyed by its model in the partition of its owner, and passes the contract', () => {
    const verdict = verdictOf(judgement, by('fraud', cut));
    const record = verdictRecord(verdict, 'rollout-verdict', 3);
    expect(record).toMatchObject({ topic: 'rollout-verdict', partition: 3, key: 'fraud' });
    expect(record.headers).toMatchObject({
      ce_id: verdict.verdictId,
      ce_subject: 'fraud',
      ce_time: '1970-01-01T00:00:02.000Z',
    });
    expect(verdictCodec.decode(record.value as Buffer)).toEqual({ ok: true, value: verdict });
  });

  it('carries the baseline only when the judgement has one', () => {
    expect('baseline' in verdictOf(judgement, by('fraud', cut))).toBe(false);
    expect(verdictOf({ ...judgement, baseline: { p: 0.1 } }, by('fraud', cut)).baseline).toEqual({ p: 0.1 });
  });
});

it('a cut is a CloudEvent in the partition of its owner, and passes the contract', () => {
  const record = cutRecord(cut, 'rollout-verdict');
  expect(record).toMatchObject({ partition: 3, key: '3' });
  expect(cutCodec.decode(record.value as Buffer)).toEqual({ ok: true, value: cut });
});
