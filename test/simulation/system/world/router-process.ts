import { randomBytes } from 'node:crypto';
import {
  type Clock,
  type Logger,
  type MessageBus,
  type OutcomeStatus,
  type PredictionIdSealer,
  type TopicNames,
} from '@app/shared';
import { armOfPoint, assignmentPoint, userGroup } from '../../../../apps/router/src/domain/assignment.js';
import { NO_VALUE, type PredictionValue } from '../../../../apps/router/src/domain/prediction-value.js';
import { EvidenceRecorder } from '../../../../apps/router/src/evidence-recorder.js';
import type { RouterMetrics } from '../../../../apps/router/src/metrics.js';
import type { RouterConfig } from '../../../../apps/router/src/config.js';
import type { DataPlaneParts } from '../../../../apps/router/src/proxy/data-plane.js';
import { Prediction } from '../../../../apps/router/src/proxy/prediction.js';
import { OutcomePublisher } from '../../../../apps/router/src/publishing/outcome-publisher.js';
import type { Tally } from '../../../../apps/router/src/publishing/tally.js';
import { DataDirectory } from '../../../../apps/router/src/routing/data-directory.js';
import { RoutingTable } from '../../../../apps/router/src/routing/routing-table.js';
import { type ServedModel, type ServedVersion, serveModel } from '../../../../apps/router/src/routing/served-model.js';
import { type OpenedWeights, openWeights } from '../../../../apps/router/src/routing/open-weights.js';
import type { Upstreams } from '../../../../apps/router/src/routing/upstream.js';
import type { Host } from '../machine/host.js';
import { ignoring } from './ignoring.js';
import type { Service } from './machine.js';

/** What a model server answers. */
export interface ServerAnswer {
  readonly afterMs: number;
  readonly status: OutcomeStatus;
  readonly httpStatus: number;
  readonly value: PredictionValue;
}

/** What the client got. */
export interface ClientAnswer {
  readonly predictionId: string;
  readonly version: string;
  readonly value: PredictionValue;
  /** Its label counts: not stable's answer in place of a failed canary's. */
  readonly counted: boolean;
}

export interface RoutedPrediction {
  readonly model: string;
  readonly user: string;
  readonly generation: number;
  readonly salt: string;
  /** Share of the canary, basis points below which it gets users; 0 without one. */
  readonly canaryPoints: number;
  readonly version: string;
  readonly role: 'stable' | 'canary';
}

export interface RouterProcessParts {
  readonly host: Host;
  readonly name: string;
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly spoolBytesMax: number;
  /** Asks the model server of a version. */
  readonly ask: (model: string, version: string) => ServerAnswer;
  readonly onRouted: (prediction: RoutedPrediction) => void;
}

const CONFIG = { producers: 2, flushMs: 10, flushMsMax: 100, journalAfterMs: 100, replayPerSecond: 2_000 };
const FLUSH_MS_MAX = 1_200;

/** A router without its HTTP: routing table, evidence and publishing as in the service, predictions as calls. */
export class RouterProcess implements Service {
  readonly router: string;
  readonly publisher: OutcomePublisher;
  private readonly evidence: EvidenceRecorder;
  private readonly table: RoutingTable;
  private counter = 0;

  private constructor(
    private readonly parts: RouterProcessParts,
    private readonly found: OpenedWeights & { readonly dataDirectory: DataDirectory },
  ) {
    const { bus, topics, clock, logger } = parts;
    const { dataDirectory, source, partitions } = found;
    this.router = `${parts.name}-${randomBytes(8).toString('hex')}`;
    this.publisher = new OutcomePublisher({
      ...CONFIG,
      bus,
      topic: topics.outcome,
      partitions,
      router: this.router,
      dataDir: dataDirectory.path,
      spoolBytesMax: parts.spoolBytesMax,
      spoolFsync: 'second',
      clock,
      logger,
    });
    this.evidence = new EvidenceRecorder({ router: this.router, partitions, publisher: this.publisher, clock });
    const serving = {
      router: this.router,
      upstreams: ignoring<Upstreams>(),
      tally: (model: string, version: string): Tally => this.publisher.tally(model, version),
      metrics: ignoring<RouterMetrics>(),
    };
    this.table = new RoutingTable({
      serve: (plan) => serveModel(plan, serving),
      onUsed: () => undefined,
      onChange: (model) => this.evidence.cutModel(model),
    });
    source.subscribe(this.table);
  }

  static async start(parts: RouterProcessParts): Promise<RouterProcess> {
    const { bus, topics, logger } = parts;
    const dataDirectory = new DataDirectory('/data', logger);
    const config = { ROUTER_OUTCOME_PARTITIONS: 1 } as RouterConfig;
    const found = await openWeights({ config, topics, bus, logger, dataDirectory });
    return new RouterProcess(parts, { ...found, dataDirectory });
  }

  /** No outcome is pending, and none is on its way or on disk. */
  get isIdle(): boolean {
    return this.evidence.liveBuckets === 0 && this.publisher.isIdle;
  }

  /** Generation at which a model is served now; null: not at all. */
  generationOf(model: string): number | null {
    return this.table.find(model)?.plan.generation ?? null;
  }

  /** Routes predictions and returns at once with how many; `done` gets the answers as they come. */
  predict(model: string, users: readonly string[], done: (answers: readonly ClientAnswer[]) => void): number {
    const served = this.table.find(model);
    if (!served) return 0;
    const byVersion = new Map<ServedVersion, Prediction[]>();
    for (const user of users) {
      const { version, prediction } = this.route(served, user);
      byVersion.set(version, [...(byVersion.get(version) ?? []), prediction]);
    }
    const atMs = this.parts.clock.monotonicMs();
    for (const [version, predictions] of byVersion)
      this.send(served, version, { predictions, atMs, done, fallback: false });
    return users.length;
  }

  async close(): Promise<void> {
    this.evidence.close();
    await Promise.all([this.publisher.close(FLUSH_MS_MAX), this.found.source.close()]);
    await this.found.dataDirectory.close();
  }

  private route(served: ServedModel, user: string): { version: ServedVersion; prediction: Prediction } {
    const { clock, onRouted } = this.parts;
    const { plan } = served;
    const arm = armOfPoint(plan.arms, assignmentPoint(plan.salt, user));
    const version = served.arms[arm]!;
    const atMs = clock.monotonicMs();
    const bucket = this.evidence.route(served.routing, arm, atMs);
    const [first] = plan.arms;
    const canary = plan.versions.find(({ role }) => role === 'canary');
    onRouted({
      model: plan.model,
      user,
      generation: plan.generation,
      salt: plan.salt,
      canaryPoints: first?.version === canary?.version ? (first?.endPoint ?? 0) : 0,
      version: version.planned.version,
      role: version.planned.role,
    });
    const routed = { model: served, unit: userGroup(user), bucket, segment: null, atMs };
    return { version, prediction: new Prediction(this.predictionParts(), routed) };
  }

  /** Model servers answer what came together in up to three parts. */
  private send(served: ServedModel, version: ServedVersion, of: UnderWay): void {
    const { host, ask } = this.parts;
    const parts = 1 + host.random.below(Math.min(3, of.predictions.length));
    for (let part = 0; part < parts; part++) {
      const predictions = of.predictions.filter((_, i) => i % parts === part);
      const answers = predictions.map(() => ask(served.plan.model, version.planned.version));
      const afterMs = Math.max(...answers.map((answer) => answer.afterMs));
      host.after(afterMs, 'answers of a model server', () =>
        this.answered(served, version, { ...of, predictions }, answers),
      );
    }
  }

  private answered(served: ServedModel, version: ServedVersion, of: UnderWay, answers: readonly ServerAnswer[]): void {
    const latencyMs = this.parts.clock.monotonicMs() - of.atMs;
    const again: Prediction[] = [];
    const good: ClientAnswer[] = [];
    for (const [i, prediction] of of.predictions.entries()) {
      const { status, httpStatus, value } = answers[i]!;
      const ending = { version, status, httpStatus, latencyMs };
      if (!of.fallback && version !== served.stable && status !== 'ok' && status !== 'cancelled') {
        prediction.failedOver(ending);
        again.push(prediction);
        continue;
      }
      prediction.answered({ prediction: status === 'ok' ? value : NO_VALUE });
      const predictionId = prediction.id(version);
      prediction.record(ending);
      if (status === 'ok') good.push({ predictionId, version: version.planned.version, value, counted: !of.fallback });
    }
    if (again.length > 0) this.send(served, served.stable, { ...of, predictions: again, fallback: true });
    if (good.length > 0) of.done(good);
  }

  private predictionParts(): DataPlaneParts {
    const { sealer, clock } = this.parts;
    const { evidence } = this;
    const nextCounter = (): number => (this.counter = (this.counter + 1) & 0xffff);
    return { sealer, clock, evidence, nextCounter } as unknown as DataPlaneParts;
  }
}

interface UnderWay {
  readonly predictions: readonly Prediction[];
  readonly atMs: number;
  readonly fallback: boolean;
  readonly done: (answers: readonly ClientAnswer[]) => void;
}
