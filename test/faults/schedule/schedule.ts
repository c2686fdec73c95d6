import { type Random, seededRandom, shuffle } from '../../../apps/standalone/src/demo/seeded-random.js';

export const FAULT_KINDS = [
  'kill-router',
  'kill-evaluator',
  'kill-controller',
  'kill-kafka',
  'kill-redis',
  'stop-router',
  'stop-evaluator',
  'stop-controller',
  'stop-kafka',
  'stop-redis',
  'restart',
  'cut',
  'reset',
  'delay',
  'stall',
  'half-open',
  'flush',
  'rollback',
  'poison',
  'disk-full',
  'rebalance',
  'clock',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const FAULT_TEXT: Readonly<Record<FaultKind, string>> = {
  'kill-router': 'kill -9 of a router, started again later',
  'kill-evaluator': 'kill -9 of an evaluator, started again later',
  'kill-controller': 'kill -9 of a controller, started again later',
  'kill-kafka': 'kill -9 of a broker, started again later',
  'kill-redis': 'kill -9 of Redis, started again empty',
  'stop-router': 'SIGSTOP of a router, then SIGCONT',
  'stop-evaluator': 'SIGSTOP of an evaluator, then SIGCONT',
  'stop-controller': 'SIGSTOP of a controller, then SIGCONT',
  'stop-kafka': 'SIGSTOP of a broker, then SIGCONT',
  'stop-redis': 'SIGSTOP of Redis, then SIGCONT',
  restart: 'SIGTERM of a service, started again',
  cut: 'connections of a service to Kafka or Redis reset and refused for a while',
  reset: 'all connections of a service reset once',
  delay: 'what a service sends and gets is late',
  stall: 'nothing comes through, and nobody is told',
  'half-open': 'the far ends of connections are gone, and nobody is told',
  flush: 'FLUSHALL',
  rollback: 'Redis killed and started with what it held some time ago',
  poison: 'bad records put into every topic',
  'disk-full': "a router's disk takes nothing more while it cannot reach Kafka",
  rebalance: 'an evaluator more, and gone again',
  clock: "a service's wall clock jumps a minute, and back",
};

export interface ScheduledFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  /** A slot's name, `kafka-2`, `redis`, or `all`. */
  readonly target: string;
  /** Of connection faults. */
  readonly link?: 'kafka' | 'redis';
  readonly durationMs: number;
  /** Milliseconds of a delay or of a jump. */
  readonly amountMs?: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  /** From the first fault on until everything is healed. */
  readonly durationMs: number;
  readonly kinds: readonly FaultKind[];
  readonly routers: readonly string[];
  readonly evaluators: readonly string[];
  readonly spareEvaluators: readonly string[];
  readonly controllers: readonly string[];
  readonly brokers: number;
  /** The router whose disk is small. */
  readonly smallDisk: string;
  /** From one fault to the next; default: seeded, and now and then two at a time. */
  readonly everyMs?: number;
  /** Services that are never killed or restarted. */
  readonly spared?: readonly string[];
}

/** Each kind's least and greatest duration. A fault that has none is over at once. */
const DURATION_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  'kill-router': [300, 3_000],
  'kill-evaluator': [0, 3_000],
  'kill-controller': [0, 3_000],
  'kill-kafka': [500, 5_000],
  'kill-redis': [200, 3_000],
  'stop-router': [1_000, 6_000],
  'stop-evaluator': [2_000, 12_000],
  'stop-controller': [2_000, 12_000],
  'stop-kafka': [1_000, 8_000],
  'stop-redis': [500, 7_000],
  restart: [0, 0],
  cut: [500, 8_000],
  reset: [0, 0],
  delay: [2_000, 8_000],
  stall: [1_000, 8_000],
  'half-open': [1_000, 8_000],
  flush: [0, 0],
  rollback: [0, 0],
  poison: [0, 0],
  'disk-full': [4_000, 8_000],
  rebalance: [3_000, 8_000],
  clock: [3_000, 12_000],
};
const GAP_MS = [300, 2_500] as const;
/** So often the next fault does not wait for the end of this one. */
const OVERLAP = 0.35;
const CLOCK_JUMP_MS = 60_000;
/** A killed process needs some time to be there again. */
const RECOVERY_MS = 2_500;

/** The faults of a seed, in order: the same seed and options give the same schedule. No target has two at a time. */
export function schedule(options: ScheduleOptions): readonly ScheduledFault[] {
  const random = seededRandom(options.seed * 7919 + 17);
  const between = ([least, most]: readonly [number, number]): number => Math.round(least + (most - least) * random());
  const busyUntilMs = new Map<string, number>();
  const faults: ScheduledFault[] = [];
  let deck: FaultKind[] = [];
  let atMs = 0;
  while (atMs < options.durationMs) {
    if (deck.length === 0) deck = shuffle([...options.kinds], random);
    const kind = deck.pop()!;
    const durationMs = Math.min(between(DURATION_MS[kind]), options.durationMs - atMs);
    const found = targetOf(kind, options, random, (target) => (busyUntilMs.get(target) ?? 0) <= atMs);
    const gapMs = between(GAP_MS);
    if (!found) {
      // With a fixed pace the next kind takes its place.
      atMs += options.everyMs === undefined ? gapMs : 0;
      continue;
    }
    const fault: ScheduledFault = { atMs, kind, durationMs, ...found.fault };
    faults.push(fault);
    for (const target of found.occupies) busyUntilMs.set(target, atMs + durationMs + RECOVERY_MS);
    const overlaps = random() < OVERLAP;
    atMs += options.everyMs ?? (overlaps ? gapMs : durationMs + gapMs);
  }
  return faults;
}

interface Target {
  readonly fault: Pick<ScheduledFault, 'target' | 'link' | 'amountMs'>;
  /** What cannot have another fault at the same time. */
  readonly occupies: readonly string[];
}

/** Null: everything that could be hit is hit already. */
function targetOf(
  kind: FaultKind,
  options: ScheduleOptions,
  random: Random,
  isFree: (target: string) => boolean,
): Target | null {
  const { routers, evaluators, controllers, spareEvaluators, brokers, smallDisk, spared = [] } = options;
  const services = [...routers, ...evaluators, ...controllers];
  const oneOf = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  const mayEnd = (name: string): boolean =>
    !kind.startsWith('stop-') && kind !== 'rebalance' ? !spared.includes(name) : true;
  const process = (names: readonly string[]): Target | null => {
    const target = oneOf(names.filter((name) => isFree(name) && mayEnd(name)));
    return target === undefined ? null : { fault: { target }, occupies: [target] };
  };
  switch (kind) {
    case 'kill-router':
    case 'stop-router':
      return process(routers);
    case 'kill-evaluator':
    case 'stop-evaluator':
      return process(evaluators);
    case 'kill-controller':
    case 'stop-controller':
      return process(controllers);
    case 'restart':
      return process(services);
    case 'kill-kafka':
    case 'stop-kafka': {
      // Never two brokers at a time: of three, two have to be there.
      if (!isFree('kafka')) return null;
      return { fault: { target: `kafka-${1 + Math.floor(random() * brokers)}` }, occupies: ['kafka'] };
    }
    case 'kill-redis':
    case 'stop-redis':
    case 'flush':
    case 'rollback':
      return isFree('redis') ? { fault: { target: 'redis' }, occupies: ['redis'] } : null;
    case 'cut':
    case 'reset':
    case 'delay':
    case 'stall':
    case 'half-open':
      return linkTarget(kind, services, random, isFree);
    case 'poison':
      return { fault: { target: 'all' }, occupies: [] };
    case 'disk-full': {
      const occupies = [smallDisk, `${smallDisk} kafka`];
      return occupies.every(isFree) ? { fault: { target: smallDisk, link: 'kafka' }, occupies } : null;
    }
    case 'rebalance':
      return process(spareEvaluators);
    case 'clock': {
      const target = oneOf(services.filter((name) => isFree(`${name} clock`)));
      const amountMs = random() < 0.5 ? CLOCK_JUMP_MS : -CLOCK_JUMP_MS;
      return target === undefined ? null : { fault: { target, amountMs }, occupies: [`${target} clock`] };
    }
  }
}

/** One service's way to Kafka or Redis, or now and then everybody's. */
function linkTarget(
  kind: FaultKind,
  services: readonly string[],
  random: Random,
  isFree: (target: string) => boolean,
): Target | null {
  const amountMs = kind === 'delay' ? Math.round(20 + 480 * random()) : undefined;
  const everybody = random() < 0.2;
  const name = everybody ? 'all' : services[Math.floor(random() * services.length)]!;
  const link = random() < 0.35 && !name.startsWith('router') ? 'redis' : 'kafka';
  const occupies = (everybody ? services : [name]).map((service) => `${service} ${link}`);
  if (!occupies.every(isFree)) return null;
  return { fault: { target: name, link, ...(amountMs === undefined ? {} : { amountMs }) }, occupies };
}

/** One line for people. */
export function faultText({ kind, target, link, durationMs, amountMs }: ScheduledFault): string {
  const where = link ? `${target} to ${link}` : target;
  const amount = amountMs === undefined ? '' : ` ${amountMs > 0 ? '+' : ''}${amountMs} ms`;
  return `${kind} ${where}${amount}${durationMs > 0 ? ` for ${(durationMs / 1000).toFixed(1)} s` : ''}`;
}
