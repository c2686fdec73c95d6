import { Random } from '../machine/random.js';
import { type Fault, type FaultKind } from '../world/faults.js';
import { STORIES, type Story } from '../world/stories.js';
import type { Judge, ModelPlan, Plan, Shape } from './plan.js';

export type PlanSize = 'usual' | 'small';

/** The most of everything that a plan of a size may have. */
interface Most {
  readonly dataPartitions: number;
  readonly controlPartitions: number;
  readonly faults: number;
  /** Faults come until so long after the last rollout was applied: while rollouts are under way. */
  readonly faultsAfterMs: number;
  /** Of the seeds, where the real engine judges: it needs hundreds of predictions for what the counting one says after a dozen. */
  readonly verdictEngineShare: number;
  /** Of the seeds, with two models. */
  readonly twoModelsShare: number;
  /** When a rollout is applied, where the counting engine judges. */
  readonly applyMs: number;
}

const MOST: Readonly<Record<PlanSize, Most>> = {
  usual: {
    dataPartitions: 3,
    controlPartitions: 2,
    faults: 14,
    faultsAfterMs: 10_000,
    verdictEngineShare: 0.08,
    twoModelsShare: 0.4,
    applyMs: 4_000,
  },
  small: {
    dataPartitions: 1,
    controlPartitions: 1,
    faults: 4,
    faultsAfterMs: 4_000,
    verdictEngineShare: 0,
    twoModelsShare: 0,
    applyMs: 1_500,
  },
};
/** Of each kind. */
const MACHINES_MAX = 2;
const FAULTS_FROM_MS = 500;

/** What the plan of a seed is held to, where only some faults are of interest. */
export interface Focus {
  /** These kinds of faults, and as many as a plan may have. */
  readonly kinds: readonly FaultKind[];
  /** Only machines of this kind, where a fault strikes one. */
  readonly machines?: 'router' | 'evaluator' | 'controller';
  readonly shape?: Partial<Shape>;
}

export interface PlanOptions {
  readonly focus?: Focus | undefined;
  readonly size?: PlanSize;
}

/** The plan of a seed: the same for ever, as long as this file stays as it is. */
export function makePlan(seed: number, { focus, size = 'usual' }: PlanOptions = {}): Plan {
  const random = new Random(seed, 'plan');
  const most = MOST[size];
  const shape: Shape = {
    dataPartitions: 1 + random.below(most.dataPartitions),
    controlPartitions: 1 + random.below(most.controlPartitions),
    routers: 1 + random.below(MACHINES_MAX),
    evaluators: 1 + random.below(MACHINES_MAX),
    controllers: 1 + random.below(MACHINES_MAX),
    ...focus?.shape,
  };
  const judge: Judge = random.chance(most.verdictEngineShare) ? 'verdict-engine' : 'counting';
  const models = makeModels(random, judge, most);
  // Each seed knows only some kinds of faults, and has more of those.
  const some = KINDS.filter(() => random.chance(0.35));
  if (some.length === 0) some.push(random.pick(KINDS));
  const kinds = focus?.kinds ?? some;
  const many = 1 + random.below(most.faults);
  const count = focus ? most.faults : many;
  const toMs = Math.max(...models.map(({ applyMs }) => applyMs)) + most.faultsAfterMs;
  const faults = Array.from({ length: count }, () =>
    makeFault(random, {
      kind: random.pick(kinds),
      atMs: Math.round(random.between(FAULTS_FROM_MS, toMs)),
      shape,
      machines: focus?.machines,
    }),
  );
  return { seed, shape, judge, models, faults: faults.sort((a, b) => a.atMs - b.atMs) };
}

function makeModels(random: Random, judge: Judge, most: Most): readonly ModelPlan[] {
  const count = random.chance(1 - most.twoModelsShare) ? 1 : 2;
  return Array.from({ length: count }, (_, i) => {
    const story: Story = random.pick(STORIES);
    const model = { model: `model-${i}`, story, users: 200 };
    if (judge === 'counting') return { ...model, rate: 24, applyMs: random.between(1_000, most.applyMs) };
    const early = story === 'dead' || story === 'failing' || story === 'aborted';
    // Where it compares, there has to be something to compare with.
    return early
      ? { ...model, rate: 40, applyMs: random.between(1_000, 6_000) }
      : { ...model, rate: 90, applyMs: random.between(7_000, 9_000) };
  });
}

const KINDS: FaultKind[] = [
  'crash',
  'pause',
  'stop',
  'network',
  'slow-partition',
  'flush',
  'roll-back',
  'refuse-writes',
  'clock',
  'timers',
  'compact',
  'retention',
  'poison',
  'checkpoint-loss',
  'upgrade',
  'disk-full',
];
const TOPICS_WITH_POISON = ['outcome', 'label', 'verdict', 'command', 'state'] as const;
const SLOW_TOPICS = ['outcome', 'label', 'verdict', 'state', 'command'] as const;

interface FaultParts {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly shape: Shape;
  readonly machines: Focus['machines'];
}

function makeFault(random: Random, { kind, atMs, shape, machines }: FaultParts): Fault {
  const some = (name: string, count: number): string => `${name}-${random.below(count)}`;
  const anyone = (): string => {
    if (machines) return some(machines, shape[`${machines}s`]);
    return random.pick([
      some('router', shape.routers),
      some('evaluator', shape.evaluators),
      some('evaluator', shape.evaluators),
      some('controller', shape.controllers),
    ]);
  };
  const forMs = (least: number, most: number): number => Math.round(least * (most / least) ** random.unit());
  const slot = random.chance(0.5) ? null : random.below(2 * shape.dataPartitions);
  switch (kind) {
    case 'crash':
      return { atMs, kind, machine: anyone(), afterSteps: random.below(40), downMs: forMs(50, 8_000) };
    case 'pause':
      return {
        atMs,
        kind,
        machine: anyone(),
        afterSteps: random.below(40),
        forMs: random.chance(0.5) ? forMs(200, 5_000) : forMs(6_500, 14_000),
      };
    case 'stop':
      return { atMs, kind, machine: anyone(), downMs: forMs(200, 8_000) };
    case 'network':
      return makeNetworkFault(random, atMs, anyone(), forMs);
    case 'slow-partition':
      return {
        atMs,
        kind,
        topic: random.pick(SLOW_TOPICS),
        partition: random.below(shape.dataPartitions),
        forMs: forMs(500, 15_000),
        byMs: forMs(100, 4_000),
      };
    case 'flush':
      return { atMs, kind, slot };
    case 'roll-back':
      return { atMs, kind, copyAtMs: Math.max(0, atMs - forMs(100, 15_000)), slot };
    case 'refuse-writes':
      return { atMs, kind, forMs: forMs(200, 8_000) };
    case 'clock':
      return {
        atMs,
        kind,
        machine: random.chance(0.3) ? 'broker' : anyone(),
        forMs: forMs(500, 20_000),
        byMs: Math.round(random.between(-60_000, 60_000)),
      };
    case 'timers':
      return {
        atMs,
        kind,
        machine: anyone(),
        forMs: forMs(500, 10_000),
        lateByMs: random.chance(0.5) ? 0 : forMs(10, 3_000),
        doubled: random.chance(0.5),
      };
    case 'compact':
      return { atMs, kind, topic: random.chance(0.5) ? 'state' : 'checkpoint' };
    case 'retention':
      return {
        atMs,
        kind,
        topic: random.pick(['verdict', 'command', 'decision', 'outcome', 'label']),
        keepMs: random.chance(0.5) ? 60_000 : forMs(100, 10_000),
      };
    case 'poison':
      return { atMs, kind, topic: random.pick(TOPICS_WITH_POISON), what: random.below(100) };
    case 'checkpoint-loss':
      return { atMs, kind, of: random.chance(0.5) ? 'slots' : 'owners' };
    case 'upgrade':
      return {
        atMs,
        kind,
        machine: some('evaluator', shape.evaluators),
        downMs: forMs(200, 5_000),
        engine: random.pick(['1', '2']),
      };
    case 'disk-full':
      return { atMs, kind, machine: some('router', shape.routers), forMs: forMs(200, 8_000) };
  }
}

function makeNetworkFault(
  random: Random,
  atMs: number,
  machine: string,
  forMs: (least: number, most: number) => number,
): Fault {
  const common = {
    atMs,
    kind: 'network' as const,
    machine: random.chance(0.25) ? null : machine,
    server: random.chance(0.6) ? ('bus' as const) : ('redis' as const),
    forMs: forMs(100, 15_000),
  };
  const what = random.below(5);
  if (what < 2) return { ...common, cut: random.chance(0.5) ? 'refused' : 'silent' };
  if (what === 2) return { ...common, slowByMs: forMs(5, 1_500) };
  return {
    ...common,
    lostRequests: random.chance(0.5) ? random.between(0, 0.2) : 0,
    lostAnswers: random.chance(0.5) ? random.between(0, 0.2) : 0,
    lateRequests: random.chance(0.5) ? random.between(0, 0.2) : 0,
    doubled: random.chance(0.5) ? random.between(0, 0.5) : 0,
  };
}
