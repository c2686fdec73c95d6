import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf } from '@app/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CUT_INTERVAL_MS } from '../domain/engine.js';
import { aBucket, aState, placed } from '../testing/builders.js';
import { CONTROL_PARTITIONS, OwnerStage, until } from '../testing/owner-stage.js';
import { ModelOwners } from './model-owners.js';
import type { OwnerDeps } from './owner-deps.js';

/** One model in each partition. */
const MODELS = [0, 1].map((owner) =>
  ['fraud', 'churn', 'digits', 'price'].find((model) => partitionOf(model, CONTROL_PARTITIONS) === owner)!,
);
let stage: OwnerStage;
let members: ModelOwners[];

beforeEach(async () => {
  stage = await OwnerStage.open();
  members = [];
  for (const model of MODELS) await stage.decide(aState(model, 0));
});
afterEach(async () => {
  await Promise.all(members.map((member) => member.close()));
  await stage.close();
});

function join(change: Partial<OwnerDeps> = {}): ModelOwners {
  const member = new ModelOwners({ ...stage.deps(), ...change }, { groupId: 'evaluator-owners' });
  members.push(member);
  return member;
}
const owned = (member: ModelOwners): number[] => member.all().map(({ partition }) => partition);
const cutting = (member: ModelOwners): boolean => member.all().every((owner) => owner.state() === 'cutting');

async function traffic(round: number): Promise<void> {
  for (const partition of [0, 1]) {
    const position = round * 10;
    const summaries = (owner: number) => [
      placed(position - 5 + owner, aBucket(MODELS[owner]!, 2, round * 10 + partition)),
    ];
    const found = await stage.slotStore.load({ kind: 'outcome', partition });
    await stage.slotStore.apply(
      { kind: 'outcome', partition },
      {
        expectedPosition: found?.position ?? null,
        position,
        logTimeMs: round * 100,
        set: new Map(),
        deleted: [],
        summaries: new Map([0, 1].map((owner) => [owner, summaries(owner)])),
      },
    );
  }
}

/** Routed predictions of stable in the newest verdict of a partition's model. */
async function folded(owner: number): Promise<number> {
  const { verdicts } = await stage.published(owner);
  const baseline = verdicts.at(-1)?.baseline as { counts: Record<string, { routed: number }> } | undefined;
  return baseline?.counts['2/v1']?.routed ?? 0;
}

// Conditions are waited for, and a busy machine may take its time.
describe('owners of models in several processes', { timeout: 30_000 }, () => {
  it('share the partitions, take over from one that leaves, and fold every bucket once', async () => {
    const first = join();
    await until(() => owned(first).length === 2 && cutting(first));
    for (let round = 1; round <= 5; round++) await traffic(round);
    await until(async () => (await folded(0)) === 5 * 18 && (await folded(1)) === 5 * 18);

    const second = join();
    await until(() => owned(first).length === 1 && owned(second).length === 1);
    expect([...owned(first), ...owned(second)].sort()).toEqual([0, 1]);
    for (let round = 6; round <= 9; round++) await traffic(round);
    await until(async () => (await folded(0)) === 9 * 18 && (await folded(1)) === 9 * 18);

    await first.close();
    await until(() => owned(second).length === 2);
    await traffic(10);
    await until(async () => (await folded(0)) === 10 * 18 && (await folded(1)) === 10 * 18);
    for (const owner of [0, 1]) {
      const { cuts } = await stage.published(owner);
      expect(cuts.map(({ number }) => number)).toEqual(cuts.map((_, i) => i + 1));
    }
    expect(stage.metrics.counts).not.toHaveProperty('diverged');
  });

  it('that is fenced by a stranger while it is assigned begins again', async () => {
    const member = join();
    await until(() => owned(member).length === 2 && cutting(member));
    await traffic(1);
    await until(async () => (await folded(0)) === 18);
    await stage.bus.transactionalProducer('evaluator-0').fence();
    await traffic(2);
    await until(async () => (await folded(0)) === 36);
    expect(stage.metrics.counts).toMatchObject({ fenced: 1 });
  });

  it('that have no rollout cut for one as soon as they read of it', async () => {
    for (const model of MODELS) await stage.decide(aState(model, 0, { ended: true }));
    // Whoever waits for its next cut as long as owners without rollouts do waits for ever.
    let idle = 0;
    const sleep: OwnerDeps['sleep'] = async (ms, signal) => {
      if (ms <= CUT_INTERVAL_MS.open) return stage.deps().sleep(ms, signal);
      idle++;
      await delay(2 ** 30, undefined, { signal }).finally(() => idle--);
    };
    const member = join({ sleep });
    await until(() => owned(member).length === 2 && cutting(member) && idle === 2);
    await stage.decide(aState(MODELS[0]!, 2));
    await until(async () => (await stage.published(0)).cuts.at(-1)?.known[MODELS[0]!] === 5);
    expect((await stage.published(1)).cuts.at(-1)?.known).toEqual({ [MODELS[1]!]: 4 });
  });

  it('survive a broker that goes away for a while', async () => {
    const member = join();
    await until(() => owned(member).length === 2 && cutting(member));
    await traffic(1);
    await until(async () => (await folded(1)) === 18);
    stage.bus.setUnavailable(true);
    await traffic(2);
    await until(() => (stage.metrics.counts['unclear'] ?? 0) > 0);
    stage.bus.setUnavailable(false);
    await until(async () => (await folded(0)) === 36 && (await folded(1)) === 36);
  });

  it('can be closed while the broker is away', async () => {
    const member = join();
    await until(() => owned(member).length === 2 && cutting(member));
    stage.bus.setUnavailable(true);
    await traffic(1);
    await until(() => member.all().some((owner) => owner.state() !== 'cutting'));
    await member.close();
    stage.bus.setUnavailable(false);
  });
});
