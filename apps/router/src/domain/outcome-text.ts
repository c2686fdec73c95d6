import type { OutcomeStatus } from '@app/shared/core';
import type { BucketSnapshot } from './bucket-cutter.js';

/**
 * Records of topic prediction-outcome as JSON text. They are put together from prepared pieces instead of by
 * JSON.stringify, for they are made once a prediction; outcome-text.spec.ts holds them against the contract.
 */
export interface OutcomeFields {
  readonly predictionId: string;
  /** null: no evidence (a tester's override, a copy). */
  readonly bucket: number | null;
  readonly unit: number;
  readonly routedAtMs: number;
  readonly latencyMs: number;
  readonly firstByteMs?: number;
  readonly status: OutcomeStatus;
  readonly httpStatus: number;
  readonly prediction?: string | number;
  readonly values?: Readonly<Record<string, number>>;
  readonly predictionBin?: number;
  readonly segment?: string;
  readonly fallback?: boolean;
  readonly override?: boolean;
  readonly shadow?: boolean;
}

/** The part that all outcomes of one version at one generation and router share. */
export function outcomePrefix(of: { model: string; version: string; generation: number; router: string }): string {
  const { model, version, generation, router } = of;
  const fields = JSON.stringify({ kind: 'outcome', schemaVersion: 1, model, version, generation, router });
  return `${fields.slice(0, -1)},"predictionId":"`;
}

/** An outcome record; `lane` is its partition. */
export function outcomeText(prefix: string, lane: number, sequence: number, o: OutcomeFields): string {
  let text = `${prefix}${o.predictionId}","lane":${lane},"sequence":${sequence}`;
  if (o.bucket !== null) text += `,"bucket":${o.bucket}`;
  text += `,"unit":${o.unit},"routedAt":${o.routedAtMs},"latencyMs":${millis(o.latencyMs)}`;
  if (o.firstByteMs !== undefined) text += `,"firstByteMs":${millis(o.firstByteMs)}`;
  text += `,"status":"${o.status}","httpStatus":${o.httpStatus}`;
  if (o.prediction !== undefined) text += `,"prediction":${JSON.stringify(o.prediction)}`;
  if (o.values !== undefined) text += `,"values":${JSON.stringify(o.values)}`;
  if (o.segment !== undefined) text += `,"segment":${JSON.stringify(o.segment)}`;
  if (o.predictionBin !== undefined) text += `,"predictionBin":${o.predictionBin}`;
  if (o.fallback) text += ',"fallback":true';
  if (o.override) text += ',"override":true';
  if (o.shadow) text += ',"shadow":true';
  return text + '}';
}

/** A bucket record. */
export function bucketText(router: string, sequence: number, b: BucketSnapshot): string {
  return JSON.stringify({
    kind: 'bucket',
    schemaVersion: 1,
    model: b.routing.model,
    generation: b.routing.generation,
    router,
    lane: b.partition,
    sequence,
    bucket: b.number,
    routedFrom: b.routedFromMs,
    routedTo: b.routedToMs,
    ageMs: b.ageMs,
    previousAgeMs: b.previousAgeMs,
    versions: b.versions,
    final: b.final,
  });
}

/** Three decimals: microseconds are enough, and keep records short. */
function millis(ms: number): number {
  return ms > 0 ? Math.round(ms * 1000) / 1000 : 0;
}
