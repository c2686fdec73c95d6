import {
  CanaryError,
  createTopicsFor,
  type MemoryLog,
  MemoryBroker,
  MemoryBus,
  partitionOf,
  PredictionIdSealer,
  type SealingKey,
  topicNames,
  type TopicNames,
  type TopicRole,
} from '@app/shared';
import type { EngineFactory } from '../../../../apps/evaluator/src/domain/cut/engine-factory.js';
import type { ReadinessAnswer } from '../../../../apps/controller/src/ownership/readiness-probe.js';
import { slotsInOrder } from '../../../../apps/evaluator/src/model-owner/owner-deps.js';
import { type SlotId, slotName } from '../../../../apps/evaluator/src/slot-store/slot-store.js';
import type { Loss } from '../checks/loss-checks.js';
import type { History } from '../machine/history.js';
import { Host } from '../machine/host.js';
import { Random } from '../machine/random.js';
import { Scheduler } from '../machine/scheduler.js';
import { soundWire, Wire } from '../machine/wire.js';
import type { Plan } from '../plan/plan.js';
import { ControllerProcess, type ControllerProcessParts } from './controller-process.js';
import { EvaluatorProcess, type EvaluatorProcessParts } from './evaluator-process.js';
import { FaultInjector } from './fault-injector.js';
import { Ledger } from './ledger.js';
import { type LogLevel, Machine, type ServerName, type Service } from './machine.js';
import { People } from './people.js';
import { Poison } from './poison.js';
import { RedisServer, type RedisWatcher, RemoteSlotStore } from './redis.js';
import { type RoutedPrediction, RouterProcess } from './router-process.js';
import { answerOf } from './stories.js';
import { Traffic } from './traffic.js';

/** Whoever looks on. */
export interface WorldWatcher extends RedisWatcher {
  readonly evaluatorMetrics: (machine: string) => EvaluatorProcessParts['metrics'];
  readonly controllerMetrics: ControllerProcessParts['metrics'];
  log(machine: string, level: LogLevel, text: string): void;
  routed(router: string, prediction: RoutedPrediction): void;
  /** Records were gone before they were read. */
  lost(loss: Loss): void;
}

export interface WorldOptions {
  readonly plan: Plan;
  readonly history: History;
  readonly watcher: WorldWatcher;
  readonly engines: (version: string) => EngineFactory;
  readonly afterStep: (host: Host) => void;
}

export const SEALING_KEY: SealingKey = { number: 0, secret: Buffer.alloc(32, 7) };
export const FIRST_ENGINE = '1';
const SESSION_TIMEOUT_MS = 6_000;
const TRANSACTION_TIMEOUT_MS = 10_000;
const BUS_ANSWER_MS_MAX = 3_000;
const REDIS_ANSWER_MS_MAX = 5_000;
const LOSS_NOTICED_AFTER_MS = 4_000;
/** Of a canary's answers to whether it is ready. */
const NOT_READY_SHARE = 0.2;
const SPOOL_BYTES_MAX = 64 * 1024 * 1024;

const kafkaAway = (): Error => new CanaryError('kafka-unavailable', 'the broker did not answer');

/** All machines of an installation, its users and its people, from a plan. */
export class World {
  readonly topics: TopicNames = topicNames();
  readonly scheduler: Scheduler;
  readonly machines = new Map<string, Machine>();
  readonly redis: RedisServer;
  readonly ledger: Ledger;
  readonly poison: Poison;
  readonly people: People;
  readonly traffic: Traffic;
  readonly slots: readonly SlotId[];
  readonly routers: readonly Machine<RouterProcess>[];
  readonly evaluators: readonly Machine<EvaluatorProcess>[];
  readonly controllers: readonly Machine<ControllerProcess>[];
  /** Faults, and what supervisors and people do, are steps of it. */
  readonly fate: Host;
  /** Of evaluators that are not at the first one any more. */
  readonly engineVersions = new Map<string, string>();
  private readonly broker: MemoryBroker;
  private readonly brokerHost: Host;
  private readonly redisHost: Host;
  private readonly brokerWall = { offsetMs: 0 };
  private readonly injector: FaultInjector;
  private readonly sealer = new PredictionIdSealer([SEALING_KEY]);

  private constructor(private readonly options: WorldOptions) {
    const { plan, history } = options;
    const { shape, seed } = plan;
    this.scheduler = new Scheduler(history, (host) => {
      this.fate.run(() => this.injector.afterStep(host));
      options.afterStep(host);
    });
    this.fate = this.bystander('fate');
    this.redisHost = this.bystander('redis');
    this.brokerHost = this.bystander('broker', this.brokerWall);
    const markers = new Random(seed, 'markers');
    this.broker = new MemoryBroker({
      clock: this.brokerHost.clock,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      markerDelayMs: () => 0.5 + markers.exponential(2),
    });
    void createTopicsFor(new MemoryBus({ broker: this.broker }), this.topics, {
      dataPartitions: shape.dataPartitions,
      controlPartitions: shape.controlPartitions,
    });
    this.slots = slotsInOrder({ outcome: shape.dataPartitions, label: shape.dataPartitions });
    this.redis = new RedisServer(this.slots, options.watcher);
    this.ledger = new Ledger(this.broker, this.topics, () => this.scheduler.nowMs);
    this.routers = this.several('router', shape.routers, (machine, host) => this.startRouter(machine, host));
    this.evaluators = this.several('evaluator', shape.evaluators, (machine, host) =>
      this.startEvaluator(machine, host),
    );
    this.controllers = this.several('controller', shape.controllers, (m, host) => this.startController(m, host));
    this.injector = new FaultInjector(this);
    const tell = (text: string): void => this.tell(text);
    this.poison = new Poison(this.bystanderBus('poisoner').producer(), tell);
    const users = this.bystander('users');
    const { models } = plan;
    const { ledger, controllers, routers, topics } = this;
    this.people = new People({
      host: this.bystander('people'),
      random: new Random(seed, 'people'),
      ledger,
      controllers,
      models,
      tell,
    });
    const labels = this.bystanderBus('labels').producer();
    this.traffic = new Traffic({ host: users, random: new Random(seed, 'traffic'), routers, models, labels, topics });
  }

  static open(options: WorldOptions): World {
    return new World(options);
  }

  /** Starts all machines, people, users and faults. */
  begin(): void {
    const random = new Random(this.options.plan.seed, 'boot');
    for (const machine of this.machines.values())
      this.fate.after(random.between(0, 300), `boot ${machine.name}`, () => machine.boot());
    this.people.begin();
    this.traffic.begin();
    this.injector.plan(this.options.plan.faults);
  }

  tell(text: string): void {
    this.options.history.tell(this.scheduler.nowMs, 'world', text);
  }

  logsOf(role: TopicRole): readonly MemoryLog[] {
    return this.broker.logs(this.topics[role]);
  }

  slotOf(number: number | null): SlotId | null {
    return number === null ? null : this.slots[number % this.slots.length]!;
  }

  wallOf(name: string): { offsetMs: number } {
    return name === 'broker' ? this.brokerWall : (this.machines.get(name)?.wall ?? { offsetMs: 0 });
  }

  /** What clocks of the broker and of controllers differ by at most. */
  clockDifferenceMs(): number {
    const offsets = [this.brokerWall, ...this.controllers.map(({ wall }) => wall)].map(({ offsetMs }) => offsetMs);
    return Math.max(...offsets) - Math.min(...offsets);
  }

  /** What still has to be sent or counted; empty when nothing but ticks is written any more. */
  async whatIsNotQuiet(): Promise<string> {
    const busy = this.routers.filter(({ service }) => service && !service.isIdle).map(({ name }) => name);
    if (busy.length > 0) return `${busy.join(', ')} still have records to send`;
    const ends = this.slots.map(({ kind, partition }) => this.ledger.lastOf(kind, partition));
    for (const [i, slot] of this.slots.entries()) {
      const position = (await this.redis.store.load(slot))?.position ?? 0;
      if (position <= ends[i]!) return `${slotName(slot)} stands at ${position}, its last record is at ${ends[i]}`;
    }
    for (let owner = 0; owner < this.options.plan.shape.controlPartitions; owner++) {
      if (!this.hasModels(owner)) continue;
      const cut = this.ledger.lastCut(owner);
      const positions = [...(cut?.positions.outcome ?? []), ...(cut?.positions.label ?? [])];
      const behind = this.slots.findIndex((_slot, i) => (positions[i] ?? 0) <= ends[i]!);
      if (behind !== -1)
        return `the cuts of owner ${owner} stand at ${positions[behind]} in ${slotName(this.slots[behind]!)}, whose last record is at ${ends[behind]}`;
    }
    return '';
  }

  /** Retention: what is older than so long is gone, read or not. */
  async retain(role: TopicRole, keepMs: number): Promise<void> {
    this.ledger.dropOlder(role, keepMs);
    for (const [i, slot] of this.slots.entries()) {
      if (slot.kind !== role) continue;
      const low = this.ledger.low(role, slot.partition);
      const position = (await this.redis.store.load(slot))?.position ?? 0;
      if (low > position)
        this.options.watcher.lost({ slot: i, atMs: this.scheduler.nowMs, end: this.logsOf(role)[slot.partition]!.end });
    }
  }

  /** The checkpoints of slots or of owners are gone from the topic. */
  loseCheckpoints(of: 'slots' | 'owners'): void {
    for (const log of this.logsOf('checkpoint')) {
      const { records } = log.read({ from: log.low, bytesMax: Number.MAX_SAFE_INTEGER, committed: false });
      const prefix = of === 'slots' ? 'slot-' : 'owner-';
      const keys = new Set(records.map(({ key }) => key?.toString() ?? '').filter((key) => key.startsWith(prefix)));
      this.brokerHost.run(() => {
        for (const key of keys) log.append({ topic: this.topics.checkpoint, key, value: null });
      });
      log.compact();
    }
  }

  private hasModels(owner: number): boolean {
    const { models, shape } = this.options.plan;
    return models.some(({ model }) => partitionOf(model, shape.controlPartitions) === owner);
  }

  private several<S extends Service>(
    kind: string,
    count: number,
    start: (machine: Machine, host: Host) => Promise<S>,
  ): readonly Machine<S>[] {
    const { seed } = this.options.plan;
    const { scheduler } = this;
    const onLog = this.options.watcher.log.bind(this.options.watcher);
    return Array.from({ length: count }, (_, i) => {
      const machine = new Machine<S>({ scheduler, seed, name: `${kind}-${i}`, start, onLog });
      this.machines.set(machine.name, machine);
      return machine;
    });
  }

  private startRouter(machine: Machine, host: Host): Promise<RouterProcess> {
    const { plan, watcher } = this.options;
    const answers = new Random(plan.seed, `answers ${host.name}`);
    const stories = new Map(plan.models.map(({ model, story }) => [model, story]));
    return RouterProcess.start({
      ...this.common(machine, host),
      host,
      name: machine.name,
      sealer: this.sealer,
      spoolBytesMax: SPOOL_BYTES_MAX,
      ask: (model, version) => {
        const paused = this.people.states.get(model)?.rollout?.status === 'paused';
        return answerOf(stories.get(model)!, { version, paused }, answers);
      },
      onRouted: (prediction) => watcher.routed(host.name, prediction),
    });
  }

  private startEvaluator(machine: Machine, host: Host): Promise<EvaluatorProcess> {
    const { engines, watcher } = this.options;
    return EvaluatorProcess.start({
      ...this.common(machine, host),
      store: new RemoteSlotStore(this.wire(machine, host, 'redis'), this.redis),
      sealer: this.sealer,
      engines: engines(this.engineVersions.get(machine.name) ?? FIRST_ENGINE),
      metrics: watcher.evaluatorMetrics(host.name),
    });
  }

  private startController(machine: Machine, host: Host): Promise<ControllerProcess> {
    const { random } = host;
    const answer = (url: string): ReadinessAnswer =>
      random.chance(NOT_READY_SHARE)
        ? { ready: false, detail: `GET ${url}: 503` }
        : { ready: true, detail: `GET ${url}: 200` };
    return ControllerProcess.start({
      ...this.common(machine, host),
      readiness: {
        ask: (url) =>
          new Promise((resolve) => host.after(random.between(1, 50), 'readiness', () => resolve(answer(url)))),
        close: () => Promise.resolve(),
      },
      metrics: this.options.watcher.controllerMetrics,
    });
  }

  private common(machine: Machine, host: Host) {
    const logger = machine.logger(host);
    const wire = this.wire(machine, host, 'bus');
    const { clock } = host;
    const bus = new MemoryBus({ broker: this.broker, link: wire, clock, lossNoticedAfterMs: LOSS_NOTICED_AFTER_MS });
    return { bus, topics: this.topics, clock, logger };
  }

  private wire(machine: Machine, host: Host, server: ServerName): Wire {
    const ofBus = server === 'bus';
    const wire = new Wire({
      scheduler: this.scheduler,
      client: host,
      server: ofBus ? this.brokerHost : this.redisHost,
      random: new Random(this.options.plan.seed, `${host.name} ${server}`),
      faults: machine.faults[server],
      answerMsMax: ofBus ? BUS_ANSWER_MS_MAX : REDIS_ANSWER_MS_MAX,
      error: ofBus ? kafkaAway : () => new Error('Command timed out'),
      mayDouble: (what) => ofBus && what.startsWith('produce'),
    });
    machine.wires.push(wire);
    return wire;
  }

  /** Somebody whom nothing ever happens to. */
  private bystander(name: string, wall = { offsetMs: 0 }): Host {
    const random = new Random(this.options.plan.seed, name);
    return new Host({ scheduler: this.scheduler, name, random, disk: null, wall });
  }

  private bystanderBus(name: string): MemoryBus {
    const host = this.bystander(name);
    const wire = new Wire({
      scheduler: this.scheduler,
      client: host,
      server: this.brokerHost,
      random: new Random(this.options.plan.seed, `${name} bus`),
      faults: soundWire(),
      answerMsMax: BUS_ANSWER_MS_MAX,
      error: kafkaAway,
      mayDouble: () => false,
    });
    return new MemoryBus({ broker: this.broker, link: wire, clock: host.clock });
  }
}
