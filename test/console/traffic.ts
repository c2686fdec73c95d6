import { labelCodec } from '@app/shared';
import { type Behaviour, ModelServerFake } from '../e2e/driver/model-server-fake.js';
import { Users } from '../e2e/driver/users.js';
import { until, type World } from '../e2e/driver/world.js';

const BEFORE = 300;
const START_MS_MAX = 60_000;

/** A model with two versions and users who send labels, as in the demo: registered, and its traffic on. */
export class TrafficOf {
  private readonly stable: ModelServerFake;
  private readonly canary: ModelServerFake;
  private readonly users: Users;
  private readonly producer: ReturnType<World['bus']['producer']>;

  constructor(
    private readonly world: World,
    readonly name: string,
    canary: Partial<Behaviour>,
  ) {
    const seed = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
    this.stable = new ModelServerFake(seed);
    this.canary = new ModelServerFake(seed + 1, canary);
    this.producer = world.bus.producer();
    this.users = new Users({
      model: name,
      seed: seed + 2,
      predictionsPerSecond: 60,
      users: 200,
      routerUrls: world.routerUrls,
      labelDelayMs: (random) => 50 + 500 * random(),
      sendLabels: (labels) =>
        this.producer.send(
          labels.map((label) => ({
            topic: world.topics.label,
            key: label.predictionId,
            value: labelCodec.encode(label),
          })),
        ),
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.stable.start(), this.canary.start()]);
    await this.request('rollouts', `${this.registration()}\n`, 'text/yaml');
    this.users.start();
    await until('traffic before the rollout', () => this.users.predictions >= BEFORE, { withinMs: START_MS_MAX });
  }

  /** What somebody would paste: limits wide and steps short enough that some hundred predictions decide. */
  file(): string {
    return `${this.registration()}
canary: { version: v2, url: ${this.canary.url} }
warmup: { predictions: 10, duration: 500ms }
steps:
  - { traffic_split: { v1: 0.6, v2: 0.4 }, atLeast: { predictions: 100000, duration: 2s } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { predictions: 50, duration: 2s } }
checks:
  errorRate: { maxIncrease: 0.05 }
  accuracy: { maxDrop: 0.1, labelsWithin: 2s }
  latency: off
`;
  }

  /** What somebody else does, by the API. */
  async command(action: 'pause' | 'resume', reason: string): Promise<void> {
    await this.request(`models/${this.name}/${action}`, JSON.stringify({ reason }), 'application/json');
  }

  async close(): Promise<void> {
    await this.users.stop();
    await Promise.all([this.stable.stop(), this.canary.stop()]);
    await this.producer.close();
  }

  private registration(): string {
    return `model: ${this.name}
stable: { version: v1, url: ${this.stable.url} }
prediction: { pointer: /outputs/0/data/0, kind: class }`;
  }

  private async request(path: string, body: string, type: string): Promise<void> {
    const response = await fetch(`${this.world.controllerUrl()}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }
}
