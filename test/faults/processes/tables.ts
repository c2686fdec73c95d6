import {
  type BusFollower,
  cloudEventData,
  KafkaBus,
  rolloutStateCodec,
  type RolloutState,
  silentLogger,
} from '@app/shared';
import { isNewer } from '../../../apps/router/src/domain/routing-plan.js';
import { RoutingTable } from '../../../apps/router/src/routing/routing-table.js';
import type { ServedModel } from '../../../apps/router/src/routing/served-model.js';
import { answerWith } from './child.js';

export type TablesQuestion =
  | {
      readonly kind: 'begin';
      readonly brokers: readonly string[];
      readonly stateTopic: string;
      readonly tables: number;
    }
  /** When each table had this generation of a model; waits until all have. */
  | { readonly kind: 'times'; readonly model: string; readonly generation: number };

const POLL_MS = 2;
/** By model and generation, then by table. */
const times = new Map<string, Map<number, number>>();
const followers: BusFollower[] = [];
let count = 0;

/** Routing tables as routers have them, each following rollout-state on its own, as on so many machines. */
answerWith<TablesQuestion, readonly number[]>(async (question) => {
  if (question.kind === 'begin') {
    await begin(question);
    return [];
  }
  const key = `${question.model} ${question.generation}`;
  while ((times.get(key)?.size ?? 0) < count) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  return [...times.get(key)!.values()];
});

async function begin({ brokers, stateTopic, tables }: Extract<TablesQuestion, { kind: 'begin' }>): Promise<void> {
  count = tables;
  for (let i = 0; i < tables; i++) {
    const bus = new KafkaBus({ brokers: [...brokers], clientId: `table-${i}`, logger: silentLogger });
    const table = new RoutingTable({
      // What is served how is not looked at here: only when it is known.
      serve: (plan) => ({ plan, versions: new Map() }) as unknown as ServedModel,
      onUsed: () => undefined,
      onChange: () => undefined,
    });
    const known = new Map<string, RolloutState>();
    followers.push(
      bus.follower({
        topics: [stateTopic],
        readCommitted: true,
        onBatch: ({ records }) => {
          for (const { value, headers } of records) {
            const state = rolloutStateCodec.decode(cloudEventData(value, headers ?? {}));
            if (!state.ok || !isNewer(state.value, known.get(state.value.model))) continue;
            known.set(state.value.model, state.value);
            table.onState(state.value);
            note(state.value, i);
          }
        },
      }),
    );
  }
  await Promise.all(followers.map((follower) => follower.caughtUp()));
}

/** The first time only: a state may change without its generation. */
function note({ model, generation }: RolloutState, table: number): void {
  const key = `${model} ${generation}`;
  const byTable = times.get(key) ?? new Map<number, number>();
  times.set(key, byTable);
  if (!byTable.has(table)) byTable.set(table, Date.now());
}
