import { Pool } from 'undici';
import { type BusProducer, type Label, labelCodec } from '@app/shared';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { CLASSES, questionBody } from './model-server.js';
import type { Incarnation } from './service-slot.js';

/** One prediction as its client saw it. */
export interface SentPrediction {
  readonly model: string;
  readonly user: string;
  /** The router process that was asked. */
  readonly incarnation: string;
  readonly sentMs: number;
  doneMs: number;
  /** HTTP status; 0: no answer. */
  status: number;
  version: string | null;
  predictionId: string | null;
  error: string | null;
  /** Its client went away by itself before the answer, or without waiting for it: it may have an outcome or none. */
  readonly leftEarly?: true;
}

export interface ClientsOptions {
  readonly seed: number;
  readonly models: readonly { readonly model: string; readonly perSecond: number }[];
  readonly usersPerModel: number;
  /** Those that are there, ready or not. */
  readonly routers: () => readonly Incarnation[];
  readonly labels: LabelHabits | null;
}

/** How the truth about predictions becomes known. */
export interface LabelHabits {
  readonly producer: BusProducer;
  readonly topic: string;
  /** Later ones are too late to count. */
  readonly labelsWithinMs: number;
}

const TURN_MS = 10;
const READY_EVERY_MS = 100;
const READY_ANSWER_MS = 1_000;
const LABELS_EVERY_MS = 50;
/** A router that is suspended does not answer; a client does not wait for ever. */
const ANSWER_MS_MAX = 15_000;
const CONNECTIONS = 64;

/** Users of some models behind a load balancer that sends nothing to routers that are not ready. */
export class Clients {
  readonly sent: SentPrediction[] = [];
  /** Ids of the predictions whose label Kafka has acknowledged. */
  readonly labelled = new Set<string>();
  private readonly random: Random;
  private readonly pools = new Map<string, Pool>();
  private readonly inFlight = new Set<Promise<void>>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly owed: number[];
  private readyRouters: readonly Incarnation[] = [];
  private readonly asked = new Set<string>();
  private labels: { readonly dueMs: number; readonly label: Label }[] = [];
  private nonce = 0;

  constructor(private readonly options: ClientsOptions) {
    this.random = seededRandom(options.seed);
    this.owed = options.models.map(() => 0);
  }

  start(): void {
    let turnMs = performance.now();
    const turn = (): void => {
      const nowMs = performance.now();
      const elapsedMs = Math.min(100, nowMs - turnMs);
      turnMs = nowMs;
      this.options.models.forEach(({ perSecond }, i) => {
        for (this.owed[i]! += (perSecond * elapsedMs) / 1000; this.owed[i]! >= 1; this.owed[i]!--) this.predict(i);
      });
    };
    this.timers.push(
      setInterval(turn, TURN_MS),
      setInterval(() => this.lookForReady(), READY_EVERY_MS),
      setInterval(() => this.sendLabels(Date.now()), LABELS_EVERY_MS),
    );
  }

  /** Stops asking, waits for the answers that are due, and tells the labels that are still to come now. Idempotent. */
  async stop(): Promise<void> {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    await Promise.all(this.inFlight);
    this.sendLabels(Infinity);
    await Promise.all(this.inFlight);
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  get readyCount(): number {
    return this.readyRouters.length;
  }

  private predict(model: number): void {
    const { models, usersPerModel } = this.options;
    const router = this.readyRouters[Math.floor(this.random() * this.readyRouters.length)];
    if (!router) return;
    const user = `user-${Math.floor(this.random() * usersPerModel)}`;
    const prediction: SentPrediction = {
      model: models[model]!.model,
      user,
      incarnation: router.id,
      sentMs: Date.now(),
      doneMs: 0,
      status: 0,
      version: null,
      predictionId: null,
      error: null,
    };
    this.sent.push(prediction);
    this.keep(
      this.ask(prediction, router.url).catch((error: unknown) => {
        prediction.doneMs = Date.now();
        prediction.error = `${(error as { code?: string }).code ?? ''} ${String(error)}`;
      }),
    );
  }

  private async ask(prediction: SentPrediction, url: string): Promise<void> {
    const truth = Math.floor(this.random() * CLASSES);
    const answer = await this.poolOf(url).request({
      method: 'POST',
      path: `/v2/models/${prediction.model}/infer`,
      headers: { 'content-type': 'application/json', 'x-user-id': prediction.user },
      body: questionBody({ truth, nonce: this.nonce++ }),
    });
    const headers = answer.headers;
    await answer.body.dump();
    prediction.doneMs = Date.now();
    prediction.status = answer.statusCode;
    prediction.version = headerOf(headers['x-model-version']);
    prediction.predictionId = headerOf(headers['x-prediction-id']);
    if (prediction.predictionId !== null && answer.statusCode === 200) this.learn(prediction.predictionId, truth);
  }

  /** Most truths are known soon, some at about the time when they are too late, some never, some twice and differently. */
  private learn(predictionId: string, truth: number): void {
    const { labels } = this.options;
    if (!labels || this.random() < 0.1) return;
    const late = this.random() < 0.1;
    const soonMs = 50 + 800 * this.random();
    const delayMs = late ? labels.labelsWithinMs * (0.7 + 0.9 * this.random()) : soonMs;
    this.labels.push({ dueMs: Date.now() + delayMs, label: { predictionId, label: truth, occurredAt: Date.now() } });
    if (this.random() < 0.05)
      this.labels.push({
        dueMs: Date.now() + delayMs + 200 * this.random(),
        label: { predictionId, label: (truth + 3) % CLASSES },
      });
  }

  private sendLabels(nowMs: number): void {
    const { labels } = this.options;
    const due = this.labels.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0 || !labels) return;
    this.labels = this.labels.filter(({ dueMs }) => dueMs > nowMs);
    const records = due.map(({ label }) => ({
      topic: labels.topic,
      key: label.predictionId,
      value: labelCodec.encode(label),
    }));
    this.keep(
      labels.producer.send(records).then(() => due.forEach(({ label }) => this.labelled.add(label.predictionId))),
    );
  }

  private keep(work: Promise<void>): void {
    const kept = work.finally(() => this.inFlight.delete(kept));
    this.inFlight.add(kept);
  }

  /** As a load balancer does: each router is asked on its own, so that one that hangs does not hide what others say. */
  private lookForReady(): void {
    const routers = this.options.routers();
    this.readyRouters = this.readyRouters.filter((router) => routers.includes(router));
    for (const router of routers) {
      if (this.asked.has(router.id)) continue;
      this.asked.add(router.id);
      void isReady(router.url).then((ready) => {
        this.asked.delete(router.id);
        const others = this.readyRouters.filter((other) => other !== router);
        this.readyRouters = ready ? [...others, router] : others;
      });
    }
  }

  private poolOf(url: string): Pool {
    const found = this.pools.get(url);
    if (found) return found;
    const pool = new Pool(url, {
      connections: CONNECTIONS,
      headersTimeout: ANSWER_MS_MAX,
      bodyTimeout: ANSWER_MS_MAX,
    });
    this.pools.set(url, pool);
    return pool;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const headers = { connection: 'close' };
    const answer = await fetch(`${url}/health/ready`, { headers, signal: AbortSignal.timeout(READY_ANSWER_MS) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

const headerOf = (value: string | string[] | undefined): string | null => (typeof value === 'string' ? value : null);
