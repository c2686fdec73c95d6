import { setTimeout as delay } from 'node:timers/promises';
import { type BusFollower, cloudEventData, type Cut, cutCodec, verdictCodec } from '@app/shared';
import type { RouterFigures } from '../oracle/client-rules.js';
import type { ShownWindow } from '../oracle/window-recount.js';
import type { FaultWorld } from './fault-world.js';
import { Metrics } from './metrics.js';
import type { Incarnation } from './service-slot.js';

const POLL_MS = 50;
const ANSWER_MS_MAX = 10_000;

/** Waits for a condition; false when it does not come true in time. A question that fails is asked again. */
export async function comesTrue(condition: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    if (await condition().catch(() => false)) return true;
    if (performance.now() > untilMs) return false;
    await delay(POLL_MS);
  }
}

/** What the routers that are there say of their outcomes. */
export function routerFigures(routers: readonly Pick<Incarnation, 'id' | 'url'>[]): Promise<readonly RouterFigures[]> {
  return Promise.all(
    routers.map(async ({ id, url }) => {
      const metrics = await Metrics.of(url);
      const outcomes = (state: string): number => metrics.sum('model_canary_router_outcomes_total', `state="${state}"`);
      const restored = (state: string): number =>
        metrics.sum('model_canary_router_restored_outcomes_total', `state="${state}"`);
      return {
        incarnation: id,
        sent: outcomes('sent'),
        acknowledged: outcomes('acknowledged'),
        dropped: outcomes('dropped'),
        held: metrics.sum('model_canary_router_outcomes_held'),
        restored: { found: restored('found'), acknowledged: restored('acknowledged'), dropped: restored('dropped') },
      };
    }),
  );
}

/** Everything that routers have made is with Kafka, or counted as dropped. */
export function routersAreDone(world: FaultWorld, withinMs: number): Promise<boolean> {
  return comesTrue(async () => {
    const all = await routerFigures(world.running('router'));
    return all.every(({ held, restored }) => held === 0 && restored.found === restored.acknowledged + restored.dropped);
  }, withinMs);
}

/** Follows how far the owners of models have come. */
export class CutWatch {
  private readonly newest = new Map<number, Cut>();
  private readonly follower: BusFollower;
  private verdictsSeen = 0;

  constructor(private readonly world: FaultWorld) {
    this.follower = world.bus.follower({
      topics: [world.topics.verdict],
      readCommitted: true,
      onBatch: ({ records }) => {
        for (const { value, headers } of records) {
          const cut = cutCodec.decode(cloudEventData(value, headers ?? {}));
          if (cut.ok) this.newest.set(cut.value.owner, cut.value);
          else if (verdictCodec.decode(cloudEventData(value, headers ?? {})).ok) this.verdictsSeen++;
        }
      },
    });
  }

  get verdicts(): number {
    return this.verdictsSeen;
  }

  /** Whether every owner that has ever cut has a cut of records that came after a time. */
  haveAll(afterMs: number): boolean {
    return this.newest.size > 0 && [...this.newest.values()].every(({ asOf }) => asOf > afterMs);
  }

  /** Waits for haveAll(). Throws when that takes too long. */
  async everyOwnerCuts(afterMs: number, withinMs: number): Promise<void> {
    if (!(await comesTrue(async () => this.haveAll(afterMs), withinMs)))
      throw new Error(`not within ${withinMs / 1000} s: a cut of every owner as of ${afterMs} or later`);
  }

  /**
   * Slots and cuts are where the partitions of outcomes and labels end now, and windows show what slots hold. Owners without
   * a model do not cut.
   */
  async evaluatorsAreDone(withinMs: number): Promise<boolean> {
    const { bus, topics } = this.world;
    const ends = {
      outcome: (await bus.offsets(topics.outcome)).map(({ end }) => end),
      label: (await bus.offsets(topics.label)).map(({ end }) => end),
    };
    return comesTrue(async () => {
      const positions = await slotPositions(this.world);
      const slotsAreThere = (['outcome', 'label'] as const).every((kind) =>
        ends[kind].every((end, i) => (positions.get(`${kind}-${i}`) ?? 0) >= end),
      );
      const cutsAreThere = [...this.newest.values()].every(({ positions: cut }) =>
        (['outcome', 'label'] as const).every((kind) => ends[kind].every((end, i) => (cut[kind][i] ?? 0) >= end)),
      );
      return slotsAreThere && cutsAreThere && (await windowsAreWritten(this.world));
    }, withinMs);
  }

  close(): Promise<void> {
    return this.follower.close();
  }
}

const slotNames = ({ dataPartitions }: FaultWorld): readonly string[] =>
  ['outcome', 'label'].flatMap((kind) => Array.from({ length: dataPartitions }, (_, i) => `${kind}-${i}`));

/** Figures of batches wait beside a slot for a second or so before they are in the windows. */
async function windowsAreWritten(world: FaultWorld): Promise<boolean> {
  const waiting = await world.redis.ask((redis) =>
    Promise.all(slotNames(world).map((name) => redis.llen(`${world.prefix}:{${name}}:waiting`))),
  );
  return waiting.every((length) => length === 0);
}

/** Positions of the slots, as they stand in Redis. */
export async function slotPositions(world: FaultWorld): Promise<ReadonlyMap<string, number>> {
  const names = slotNames(world);
  const found = await world.redis.ask((redis) =>
    Promise.all(names.map((name) => redis.hget(`${world.prefix}:{${name}}:slot`, '@position'))),
  );
  return new Map(names.flatMap((name, i) => (found[i] == null ? [] : [[name, Number(found[i])] as const])));
}

/** Windows of 10 s of some models, as the controller at `url` shows them. */
export async function shownWindows(
  url: string,
  models: readonly string[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<ReadonlyMap<string, readonly ShownWindow[]>> {
  const windows = new Map<string, readonly ShownWindow[]>();
  for (const model of models) {
    const path = `${url}/api/v1/models/${model}/windows?resolution=10s&from=${Math.floor(fromMs)}&to=${Math.ceil(toMs)}`;
    const answer = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch((error: unknown) => {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    windows.set(model, ((await answer.json()) as { windows: ShownWindow[] }).windows);
  }
  return windows;
}
