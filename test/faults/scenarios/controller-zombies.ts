import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  cloudEventHeaders,
  type Decision,
  partitionOf,
  type RolloutState,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { spec, traffic, verdict, version } from '../../../apps/controller/test/builders.js';
import { commandRecord } from '../../../apps/controller/src/ownership/records.js';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { checkDecisions, checkStates } from '../oracle/decision-rules.js';
import { Differences } from '../oracle/differences.js';
import { type History, readHistory } from '../oracle/history.js';
import { KafkaLogSource } from '../oracle/log-source.js';
import { ControllerApi } from '../world/controller-api.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { Metrics } from '../world/metrics.js';
import { readyServer } from '../world/ready-server.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { comesTrue } from '../world/settle.js';
import { quantile } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';

export interface ControllerZombiesOptions {
  /** Transitions during which a controller is stopped. */
  readonly times: number;
  /** For how long at least, ms; also until another one has taken over. */
  readonly stoppedMs: number;
  readonly seed: number;
}

const CONTROL_PARTITIONS = 8;
/** More steps than any run needs. */
const STEPS = 90;
/** From the verdict on; a transition takes some 10 ms. */
const MOMENT_MS_MAX = 30;
const TAKEOVER_MS_MAX = 60_000;

/**
 * A controller is stopped while it writes decisions, another one takes over and decides on, and the first goes on: it
 * cannot write a decision or a weight. One model in each partition, so that a stop hits several transitions at once.
 */
export async function stopControllers(
  options: ControllerZombiesOptions,
  { say }: ScenarioContext,
): Promise<ScenarioResult> {
  const counts = { router: 0, evaluator: 0, controller: 2 };
  await using opened = new AsyncDisposableStack();
  const world = await startFaultWorld({ brokers: 1, counts, controlPartitions: CONTROL_PARTITIONS, say });
  opened.defer(() => world.close());
  const canary = await readyServer();
  opened.defer(() => canary.close());
  await world.startAll();
  const stage = new Stage(world);
  opened.defer(() => stage.close());
  await stage.begin(canary.url);
  const random = seededRandom(options.seed);
  const tries: Try[] = [];
  while (tries.length < options.times) {
    tries.push(...(await stage.stopInTransition(options.stoppedMs, random)));
    const inFlight = tries.filter(({ wasInFlight }) => wasInFlight).length;
    say(`${tries.length} of ${options.times} transitions, ${inFlight} of them cut through`);
  }
  const codes = await Promise.all(world.slots.map((slot) => slot.stop()));
  const differences = new Differences();
  differences.unless(
    codes.every((code) => code === 0),
    'exit-code',
    'controllers',
    codes.join(', '),
  );
  const source = new KafkaLogSource(world.brokers, world.topics);
  const history = await readHistory(source, () => false, differences);
  checkDecisions(history, stage.verdicts, differences);
  await checkStates(source, () => false, history, differences);
  return resultOf(tries, stage, history, differences, fencedIn(world));
}

/** One transition that was under way when its controller was stopped. */
interface Try {
  readonly model: string;
  /** Its decision was not written yet. */
  readonly wasInFlight: boolean;
  /** From the stop until another controller had decided about the model. */
  readonly takenOverMs: number;
}

/** Models in every partition, and verdicts that make them move when the run wants it. */
class Stage {
  readonly verdicts = new Map<string, Verdict>();
  private readonly models: readonly string[];
  private readonly producer;
  private readonly api: ControllerApi;
  private readonly decided = new Map<string, number>();
  private readonly follower;

  constructor(private readonly world: FaultWorld) {
    this.models = Array.from({ length: CONTROL_PARTITIONS }, (_, partition) => modelOf(partition));
    this.producer = world.bus.producer();
    this.api = new ControllerApi(() => world.running('controller').map(({ url }) => url));
    this.follower = world.bus.follower({
      topics: [world.topics.decision],
      readCommitted: true,
      onBatch: ({ records }) => {
        for (const { value } of records) {
          const { model, sequence } = JSON.parse(value!.toString('utf8')) as Decision;
          this.decided.set(model, sequence);
        }
      },
    });
  }

  async begin(url: string): Promise<void> {
    const weights = Array.from({ length: STEPS }, (_, i) => (i === STEPS - 1 ? 1 : (i + 1) / 100));
    const steps = weights.map((weight) => traffic(weight));
    const records = this.models.map((model) => {
      const applied = spec({ model, canary: version('v2', url), steps });
      const command = { schemaVersion: 1, commandId: `begin-${model}`, model, action: 'apply', actor: 'run' } as const;
      return commandRecord(this.world.topics, { ...command, reason: '', at: Date.now(), spec: applied });
    });
    await this.producer.send(records);
    await this.until('all rollouts begin', async () => this.models.every((model) => this.decided.get(model) === 2));
    await this.until('each controller has its share', () => this.isShared());
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.follower.close();
  }

  /** One stop of one controller, and what became of the transitions it was in. */
  async stopInTransition(stoppedMs: number, random: Random): Promise<readonly Try[]> {
    const running = this.world.of('controller');
    const slot = running[Math.floor(random() * running.length)]!;
    const partitions = await ownedBy(slot);
    const before = new Map(this.decided);
    const passed = this.passAll();
    await delay(MOMENT_MS_MAX * random());
    slot.suspend();
    const stoppedAtMs = Date.now();
    await passed;
    const hit = this.models.filter((model) => partitions.has(partitionOf(model, CONTROL_PARTITIONS)));
    // What the broker has by now the follower has a moment later.
    await this.follower.caughtUp();
    const inFlight = new Set(hit.filter((model) => this.decided.get(model) === before.get(model)));
    const takenOverMs = await this.untilDecided(before, stoppedAtMs);
    await delay(Math.max(0, stoppedMs - (Date.now() - stoppedAtMs)));
    slot.resume();
    await this.until('the one that was stopped takes part again', () => this.isShared());
    return hit.map((model) => ({ model, wasInFlight: inFlight.has(model), takenOverMs }));
  }

  /** Judges again and again, as an evaluator does, until each model has moved on by a verdict given after the stop. */
  private async untilDecided(before: ReadonlyMap<string, number>, stoppedAtMs: number): Promise<number> {
    const moved = new Map(this.decided);
    await this.until('another controller decides', async () => {
      const waiting = this.models.filter((model) => (this.decided.get(model) ?? 0) <= (moved.get(model) ?? 0));
      if (waiting.length === 0) return true;
      await this.passAll(waiting);
      await delay(500);
      return false;
    });
    for (const model of this.models)
      if (this.decided.get(model)! <= before.get(model)!) throw new Error(`${model} has not moved`);
    return Date.now() - stoppedAtMs;
  }

  private async passAll(models: readonly string[] = this.models): Promise<void> {
    const records = await Promise.all(models.map(async (model) => this.pass((await this.api.state(model))!)));
    await this.producer.send(records);
  }

  private pass(state: RolloutState) {
    const { model } = state;
    const given = verdict(state, 'pass', { asOf: Date.now(), verdictId: `pass-${this.verdicts.size + 1}` });
    this.verdicts.set(given.verdictId, given);
    const attributes = { id: given.verdictId, source: '/run', type: 'io.modelcanary.rollout.verdict', subject: model };
    const headers = cloudEventHeaders({ ...attributes, timeMs: Date.now() });
    return { topic: this.world.topics.verdict, key: model, value: verdictCodec.encode(given), headers };
  }

  private async isShared(): Promise<boolean> {
    const owned = await Promise.all(this.world.of('controller').map(ownedCount));
    return owned.every((count) => count === CONTROL_PARTITIONS / owned.length);
  }

  private async until(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await comesTrue(condition, TAKEOVER_MS_MAX)))
      throw new Error(`not within ${TAKEOVER_MS_MAX / 1000} s: ${what}`);
  }
}

/** Partitions that a controller has taken last, by its log. */
async function ownedBy(slot: ServiceSlot): Promise<ReadonlySet<number>> {
  const taken = readFileSync(slot.logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"partition taken"'))
    .map((line) => (JSON.parse(line) as { partition: number }).partition);
  return new Set(taken.slice(-(await ownedCount(slot))));
}

async function ownedCount(slot: ServiceSlot): Promise<number> {
  return (await Metrics.of(slot.current!.url)).sum('model_canary_controller_owned_partitions');
}

/** How often a controller found that its word counts no more. */
function fencedIn(world: FaultWorld): number {
  return world.of('controller').reduce((sum, { logFile }) => {
    const lines = readFileSync(logFile, 'utf8').split('\n');
    return (
      sum + lines.filter((line) => line.includes('"partition lost"') && line.includes('another owner took over')).length
    );
  }, 0);
}

function modelOf(partition: number): string {
  for (let i = 0; ; i++) if (partitionOf(`model-${i}`, CONTROL_PARTITIONS) === partition) return `model-${i}`;
}

function resultOf(
  tries: readonly Try[],
  stage: Stage,
  history: History,
  differences: Differences,
  fenced: number,
): ScenarioResult {
  const decisions = [...history.models.values()].reduce((sum, { decisions: of }) => sum + of.length, 0);
  const inFlight = tries.filter(({ wasInFlight }) => wasInFlight).length;
  const takenOverMs = tries.map((one) => one.takenOverMs);
  const passed = differences.count === 0;
  return {
    passed,
    head: ['transitions', 'cut through', 'verdicts', 'decisions', 'taken over p50', 'longest', 'fenced', 'differences'],
    rows: [
      [
        String(tries.length),
        String(inFlight),
        String(stage.verdicts.size),
        String(decisions),
        `${quantile(takenOverMs, 0.5)} ms`,
        `${Math.max(...takenOverMs)} ms`,
        String(fenced),
        String(differences.count),
      ],
    ],
    problems: differences.all().map(({ rule, where, text }) => `${rule}: ${where}: ${text}`),
    summary: `${tries.length} transitions of controllers that were stopped and went on, ${inFlight} cut through: ${differences.count} decisions or weights that should not be`,
    figures: { tries, fenced, decisions, verdicts: stage.verdicts.size },
  };
}
