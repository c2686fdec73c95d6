import { modelHash } from '@app/shared/core';
import { AnswerReader } from '../domain/answer-reader.js';
import type { BucketRouting } from '../domain/bucket-cutter.js';
import { outcomePrefix } from '../domain/outcome-text.js';
import { PredictionReader } from '../domain/prediction-value.js';
import type { PlannedVersion, RoutingPlan } from '../domain/routing-plan.js';
import type { RouterMetrics, ShadowMetrics, VersionMetrics } from '../metrics.js';
import type { Tally } from '../publishing/tally.js';
import type { Upstream, Upstreams } from './upstream.js';

/** A version with everything the data path needs of it at hand. */
export interface ServedVersion {
  readonly planned: PlannedVersion;
  /** Index in the model's `arms`; -1: no weight, only a tester gets there. */
  readonly arm: number;
  readonly upstream: Upstream;
  readonly outcomePrefix: string;
  readonly tally: Tally;
  readonly metrics: VersionMetrics;
}

/** A model as it is served at one generation. Requests under way keep the one they began with. */
export interface ServedModel {
  readonly plan: RoutingPlan;
  readonly modelHash: number;
  readonly routing: BucketRouting;
  /** In the order of plan.arms and routing.versions. */
  readonly arms: readonly ServedVersion[];
  readonly versions: ReadonlyMap<string, ServedVersion>;
  readonly stable: ServedVersion;
  /** Null: nothing in an answer is of interest. */
  readonly reader: AnswerReader | null;
  /** Null: no copies are sent. */
  readonly shadow: ServedShadow | null;
}

/** Where copies of a model's predictions go. */
export interface ServedShadow {
  readonly version: ServedVersion;
  /** Above 0 and at most 1. */
  readonly fraction: number;
  readonly reader: AnswerReader | null;
  /** Of predicted numbers. */
  readonly tolerance: number;
  readonly metrics: ShadowMetrics;
}

export interface ServingParts {
  readonly router: string;
  readonly upstreams: Upstreams;
  readonly tally: (model: string, version: string) => Tally;
  readonly metrics: RouterMetrics;
}

/** Makes a plan servable. */
export function serveModel(plan: RoutingPlan, parts: ServingParts): ServedModel {
  const { model, generation } = plan;
  const { router, upstreams, tally, metrics } = parts;
  const versions = new Map(
    plan.versions.map((planned): [string, ServedVersion] => {
      const { version } = planned;
      return [
        version,
        {
          planned,
          arm: plan.arms.findIndex((arm) => arm.version === version),
          upstream: upstreams.get(model, version, planned.url),
          outcomePrefix: outcomePrefix({ model, version, generation, router }),
          tally: tally(model, version),
          metrics: metrics.version(model, version),
        },
      ];
    }),
  );
  const reader = readerOf(plan);
  return {
    plan,
    modelHash: modelHash(model),
    routing: { model, generation, versions: plan.arms.map((arm) => arm.version) },
    arms: plan.arms.map((arm) => versions.get(arm.version)!),
    versions,
    stable: versions.get(plan.stable)!,
    reader,
    shadow: plan.shadow
      ? {
          version: versions.get(plan.shadow.version)!,
          fraction: plan.shadow.fraction,
          reader,
          tolerance: plan.prediction?.tolerance ?? 0,
          metrics: metrics.shadow(model, plan.shadow.version),
        }
      : null,
  };
}

function readerOf({ prediction, watched }: RoutingPlan): AnswerReader | null {
  if (!prediction && watched.values.length === 0) return null;
  return new AnswerReader(prediction ? new PredictionReader(prediction.pointer, prediction.kind) : null, watched);
}
