import {
  type BusFollower,
  cloudEventHeaders,
  createTopicsFor,
  type DeadLetter,
  deadLetterCodec,
  type Decision,
  decisionCodec,
  loadConfig,
  ManualClock,
  MemoryBus,
  type MessageBus,
  type OutRecord,
  type RolloutState,
  rolloutStateCodec,
  type RunningService,
  silentLogger,
  type TopicNames,
  topicNames,
  type Verdict,
  verdictCodec,
  type WindowReader,
} from '@app/shared';
import { ControllerConfig } from '../src/config.js';
import type { ReadinessAnswer, ReadinessProbe } from '../src/ownership/readiness-probe.js';
import { startController } from '../src/start.js';
import { T0, verdict } from './builders.js';
import { EventReader } from './event-reader.js';

/** A model server's answer to the question whether it is ready. */
export class FakeProbe implements ReadinessProbe {
  answer: ReadinessAnswer = { ready: true, detail: '200' };
  readonly asked: string[] = [];
  ask(url: string): Promise<ReadinessAnswer> {
    this.asked.push(url);
    return Promise.resolve(this.answer);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface Answer<T> {
  readonly status: number;
  readonly type: string;
  readonly body: T;
}

/** Controllers on one bus, and a reader of everything they write. */
export class World {
  readonly topics: TopicNames;
  readonly clock = new ManualClock(T0);
  readonly probe = new FakeProbe();
  readonly decisions: Decision[] = [];
  readonly states = new Map<string, RolloutState>();
  readonly deadLetters: DeadLetter[] = [];
  readonly controllers: RunningService[] = [];
  private readonly readers: EventReader[] = [];
  private reader: BusFollower | null = null;

  private constructor(
    readonly bus: MessageBus,
    private readonly prefix: string,
  ) {
    this.topics = topicNames(prefix);
  }

  /** A prefix of its own keeps worlds on one broker apart. */
  static async create(bus: MessageBus = new MemoryBus(), prefix = ''): Promise<World> {
    const world = new World(bus, prefix);
    await createTopicsFor(world.bus, world.topics, { dataPartitions: 2, controlPartitions: 2 });
    world.follow();
    return world;
  }

  async controller(
    options: { bus?: MessageBus; env?: Record<string, string>; windows?: WindowReader; console?: string | null } = {},
  ): Promise<RunningService> {
    const controller = await startController({
      config: loadConfig(ControllerConfig, this.env(options.env)),
      topics: this.topics,
      bus: options.bus ?? this.bus,
      clock: this.clock,
      logger: silentLogger,
      readiness: this.probe,
      windows: options.windows,
      console: options.console,
      timing: { tickEveryMs: 5, rejoinAfterMs: 5 },
    });
    this.controllers.push(controller);
    await until(async () => (await this.get('/health/ready')).status === 200);
    return controller;
  }

  private env(more: Record<string, string> = {}): Record<string, string> {
    return { KAFKA_BROKERS: 'given:0', TOPIC_PREFIX: this.prefix, COMMAND_TIMEOUT_MS: '2000', ...more };
  }

  /** Opens an event stream, as a browser does. */
  async events(path: string, lastEventId?: string): Promise<EventReader> {
    const reader = await EventReader.open(`${this.controllers.at(-1)?.url}${path}`, lastEventId);
    this.readers.push(reader);
    return reader;
  }

  async close(): Promise<void> {
    for (const reader of this.readers) reader.close();
    await Promise.all(this.controllers.map((controller) => controller.close()));
    await this.reader?.close();
    await this.bus.close();
  }

  state(model = 'digits'): RolloutState {
    const state = this.states.get(model);
    if (!state) throw new Error(`nothing is known of ${model}`);
    return state;
  }

  actions(model = 'digits'): string[] {
    return this.decisions.filter((d) => d.model === model).map((d) => d.action);
  }

  async get<T>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.request<T>('GET', path, undefined, headers);
  }
  async post<T>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.request<T>('POST', path, body, headers);
  }
  async put<T>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.request<T>('PUT', path, body, {});
  }

  async request<T>(method: string, path: string, body: unknown, extra: Record<string, string>): Promise<Answer<T>> {
    const url = this.controllers.at(-1)?.url ?? '';
    const yaml = typeof body === 'string';
    const headers = {
      ...(body === undefined ? {} : { 'content-type': yaml ? 'text/yaml' : 'application/json' }),
      ...extra,
    };
    const response = await fetch(url + path, { method, headers, body: yaml ? body : JSON.stringify(body) });
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const parsed: unknown = type.includes('json') ? JSON.parse(text) : text;
    return { status: response.status, type, body: parsed as T };
  }

  /** What the evaluator would publish about the model as it stands. */
  async judge(result: Verdict['result'], overrides: Partial<Verdict> = {}): Promise<void> {
    await this.publish(verdict(this.state(), result, { asOf: this.clock.nowMs(), ...overrides }));
  }

  async publish(value: Verdict): Promise<void> {
    await this.send({
      topic: this.topics.verdict,
      key: value.model,
      value: verdictCodec.encode(value),
      headers: cloudEventHeaders({
        id: value.verdictId,
        source: '/test',
        type: 'test',
        subject: value.model,
        timeMs: T0,
      }),
    });
  }

  async send(...records: OutRecord[]): Promise<void> {
    const producer = this.bus.producer();
    await producer.send(records);
    await producer.close();
  }

  /** Resolves once the model's newest decision is this one. */
  async decided(action: Decision['action'], model = 'digits'): Promise<Decision> {
    await until(
      () => this.states.get(model)?.decisions.at(-1)?.action === action && this.actions(model).at(-1) === action,
    );
    return this.decisions.filter((d) => d.model === model).at(-1)!;
  }

  private follow(): void {
    const { topics } = this;
    this.reader = this.bus.follower({
      topics: [topics.decision, topics.state, topics.deadLetter],
      readCommitted: true,
      onBatch: ({ topic, records }) => {
        for (const { value } of records) {
          if (topic === topics.decision) this.decisions.push(required(decisionCodec.decode(value)));
          if (topic === topics.deadLetter) this.deadLetters.push(required(deadLetterCodec.decode(value)));
          if (topic === topics.state) {
            const state = rolloutStateCodec.decode(value);
            if (state.ok) this.states.set(state.value.model, state.value);
          }
        }
      },
    });
  }
}

function required<T>(parsed: { ok: true; value: T } | { ok: false; problems: readonly unknown[] }): T {
  if (parsed.ok) return parsed.value;
  throw new Error(JSON.stringify(parsed.problems));
}

export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
