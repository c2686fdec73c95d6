import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { UsedConnection } from '../../../apps/router/src/testing/connection-churn.js';
import { Child } from '../processes/child.js';
import type { ChurnProgress, ChurnQuestion } from '../processes/churn.js';
import type { ModelQuestion } from '../processes/model.js';
import { ControllerApi } from '../world/controller-api.js';
import type { FaultWorld } from '../world/fault-world.js';
import { Metrics } from '../world/metrics.js';
import { openFiles, type ProcessSample, sampleOf } from '../world/process-sample.js';
import type { Incarnation } from '../world/service-slot.js';
import { comesTrue } from '../world/settle.js';
import type { Standing } from './standing.js';

export const MODEL = 'churned';
const VERSIONS = ['v1', 'v2'] as const;
const CANARY_WEIGHT = 0.1;
const READY_MS_MAX = 60_000;
/** A kept connection to a model server is closed after some 4 s. */
const STILL_MS_MAX = 30_000;
/** Of predictions: later than that, so that nothing that was forgotten is put right by it. */
const DEADLINE = '60s';
const SAMPLE_EVERY_MS = 500;
const READINGS = 5;
const READING_EVERY_MS = 40;

/** How connections are opened. */
export interface ChurnPlan {
  readonly connections: number;
  /** At once. */
  readonly concurrency: number;
  readonly seed: number;
}

/** The router at one moment under churn. */
export interface ChurnSample extends ProcessSample {
  /** That have come and gone by then. */
  readonly connections: number;
}

/** A router that was waited for until nothing is wanted of it. */
export interface Stillness {
  /** As it was last seen. */
  readonly standing: Standing;
  /** What was not at rest in the end. */
  readonly unrest: readonly string[];
}

/** A router between churning clients, in a process of their own, and a model server in another one. */
export class ChurnStage {
  private constructor(
    private readonly world: FaultWorld,
    /** The process that is watched: another in its place would be no witness. */
    readonly router: Incarnation,
    private readonly model: Child<ModelQuestion, number>,
    private readonly clients: Child<ChurnQuestion, ChurnProgress>,
  ) {}

  /** Resolves when the router deals out predictions by the weights of a rollout that goes on for ever. */
  static async open(world: FaultWorld): Promise<ChurnStage> {
    const model = new Child<ModelQuestion, number>('model');
    const stage = new ChurnStage(world, world.running('router')[0]!, model, new Child('churn'));
    await stage.rollOut(`http://127.0.0.1:${await model.ask({ kind: 'listen', port: 0 })}`);
    return stage;
  }

  /** Opens connections until all are over; tells of those that are, and of the router meanwhile. */
  async churn(
    plan: ChurnPlan,
    on: { readonly used: (used: readonly UsedConnection[]) => void; readonly sample: (sample: ChurnSample) => void },
  ): Promise<void> {
    const path = `/v2/models/${MODEL}/infer`;
    let connections = 0;
    await this.clients.ask({ kind: 'begin', url: this.router.url, path, ...plan });
    for (let isOver = false; !isOver;) {
      await delay(SAMPLE_EVERY_MS);
      const sample = await sampleOf(this.router);
      const { used, done } = await this.clients.ask({ kind: 'progress' });
      connections += used.length;
      on.used(used);
      if (sample) on.sample({ ...sample, connections });
      isOver = done;
    }
  }

  /** Waits until nothing is under way or kept, and what is held is little enough. */
  async still(isEnough: (standing: Standing) => boolean): Promise<Stillness> {
    let seen: Stillness | null = null;
    await comesTrue(async () => {
      const unrest = await this.unrest();
      seen = { standing: await this.standing(), unrest };
      return unrest.length === 0 && isEnough(seen.standing);
    }, STILL_MS_MAX);
    if (!seen) throw new Error('the router does not say what it holds');
    return seen;
  }

  /** Predictions that have come to the model server. */
  asked(): Promise<number> {
    return this.model.ask({ kind: 'asked' });
  }

  async close(): Promise<void> {
    await Promise.all([this.model.kill(), this.clients.kill()]);
  }

  private async rollOut(url: string): Promise<void> {
    const api = new ControllerApi(() => this.world.running('controller').map((one) => one.url));
    const [stable, canary] = VERSIONS;
    const never = { predictions: 1_000_000_000, duration: '24h' };
    const file = {
      model: MODEL,
      stable: { version: stable, url, deadline: DEADLINE },
      canary: { version: canary, url, deadline: DEADLINE },
      prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
      steps: [
        { traffic_split: { [stable]: 1 - CANARY_WEIGHT, [canary]: CANARY_WEIGHT }, atLeast: never },
        { traffic_split: { [stable]: 0, [canary]: 1 }, atLeast: never },
      ],
    };
    await api.order('rollouts', file, { commandId: 'begin' });
    const isDealtOut = async (): Promise<boolean> => {
      const metrics = await Metrics.of(this.router.url);
      return metrics.sum('model_canary_router_weight_ratio', `version="${canary}"`) === CANARY_WEIGHT;
    };
    if (!(await comesTrue(isDealtOut, READY_MS_MAX))) throw new Error('the router does not serve the rollout');
  }

  /** What is not at rest. */
  private async unrest(): Promise<readonly string[]> {
    const metrics = await Metrics.of(this.router.url);
    const counts = {
      'predictions in flight': metrics.sum('model_canary_router_in_flight'),
      'outcomes held': metrics.sum('model_canary_router_outcomes_held'),
      'kept connections to the model server': await this.model.ask({ kind: 'connections' }),
    };
    return Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  }

  /** The least of some readings: the connection by which somebody reads metrics is open for a moment longer. */
  private async standing(): Promise<Standing> {
    const sample = await sampleOf(this.router);
    if (!sample) throw new Error('the router does not answer');
    const { dataFolder } = this.world.of('router')[0]!;
    const isOfSpool = (path: string): boolean => path.startsWith(join(dataFolder, 'spool'));
    const readings: Pick<Standing, 'files' | 'spoolFiles'>[] = [];
    for (let i = 0; i < READINGS; i++) {
      await delay(READING_EVERY_MS);
      const open = openFiles(this.router.pid);
      readings.push({ files: open.length, spoolFiles: open.filter(isOfSpool).length });
    }
    const least = readings.reduce((a, b) => (b.files < a.files ? b : a));
    return { ...sample, ...least };
  }
}
