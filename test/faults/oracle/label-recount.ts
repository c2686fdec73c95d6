import {
  type Attribution,
  classHash,
  type Label,
  labelCodec,
  pairCodec,
  type PredictionIdSealer,
  tickCodec,
} from '@app/shared';
import type { History, ModelTold } from './history.js';
import type { LogRecord } from './log-source.js';
import { parse } from './outcome-recount.js';

export interface ArmLabels {
  n: number;
  wrong: number;
}

/** One partition's labels of one stratum of a generation, complete. */
export interface LabelShareFinding {
  readonly offset: number;
  readonly model: string;
  readonly generation: number;
  readonly stratum: number;
  readonly strataMs: number;
  readonly stable: ArmLabels;
  readonly canary: ArmLabels;
}

interface Stratum extends Omit<LabelShareFinding, 'offset'> {
  readonly hash: number;
  readonly closesAtMs: number;
  readonly seen: Set<string>;
}

/** A label that could be judged, for the windows. */
export interface JudgedLabel {
  readonly model: string;
  readonly version: string;
  readonly routedAt: number;
  readonly right: boolean;
}

const RECORD_BYTES_MAX = 64 * 1024;

/** Counts one partition of prediction-label again: the first label of a prediction, if it came within the horizon. */
export class LabelRecount {
  readonly shares: LabelShareFinding[] = [];
  readonly refused = new Map<number, string>();
  late = 0;
  counted = 0;
  /** Offset of the last record that is no tick; -1: there is none. */
  lastMeaningful = -1;
  private logTimeMs = -1;
  private strata: Stratum[] = [];
  private earliestCloseMs = Infinity;

  constructor(
    private readonly sealer: PredictionIdSealer,
    private readonly history: History,
    private readonly onJudged: (label: JudgedLabel, logTimeMs: number) => void,
  ) {}

  take(record: LogRecord): void {
    this.advance(record);
    if (record.value !== null && record.value.length > RECORD_BYTES_MAX) return this.refuse(record, 'too long');
    const value = parse(record.value);
    if (tickCodec.check(value).ok) return;
    this.lastMeaningful = record.offset;
    if (pairCodec.check(value).ok) return;
    const label = labelCodec.check(value);
    if (!label.ok) return this.refuse(record, 'no label');
    const opened = this.sealer.open(label.value.predictionId);
    if (!opened.ok) return this.refuse(record, 'a prediction id nobody made');
    const told = this.history.findByHash(opened.value.modelHash);
    const version = told?.versions.get(opened.value.versionIndex);
    if (!told || version === undefined) return this.refuse(record, 'of an unknown model or version');
    this.count(label.value, opened.value, { told, version });
  }

  private count(
    label: Label,
    attribution: Attribution,
    { told, version }: { readonly told: ModelTold; readonly version: string },
  ): void {
    const right = isRight(label.label, attribution, told);
    const accuracy = attribution.counted ? told.rolloutOf(attribution.generation)?.spec.checks.accuracy : undefined;
    const judged = { model: told.model, version, routedAt: attribution.routedAt };
    if (accuracy && right !== null) {
      const stratum = this.stratumOf(attribution, told.model, accuracy.labelsWithinMs);
      if (stratum === null) this.late++;
      else {
        if (stratum.seen.has(label.predictionId)) return;
        stratum.seen.add(label.predictionId);
        this.counted++;
        const arm = stratum[attribution.arm];
        arm.n++;
        if (!right) arm.wrong++;
      }
    }
    if (right !== null) this.onJudged({ ...judged, right }, this.logTimeMs);
  }

  /** Null: it is closed. */
  private stratumOf(of: Attribution, model: string, labelsWithinMs: number): Stratum | null {
    const strataMs = Math.max(1_000, Math.ceil(labelsWithinMs / 200));
    const stratum = Math.floor((of.routedAt - of.sinceBucketMs) / strataMs);
    const closesAtMs = (stratum + 1) * strataMs + labelsWithinMs;
    if (closesAtMs <= this.logTimeMs) return null;
    const { generation, modelHash: hash } = of;
    const found = this.strata.find((s) => s.model === model && s.generation === generation && s.stratum === stratum);
    if (found) return found;
    const arms = { stable: { n: 0, wrong: 0 }, canary: { n: 0, wrong: 0 } };
    const made = { model, hash, generation, stratum, strataMs, closesAtMs, ...arms, seen: new Set<string>() };
    this.strata.push(made);
    this.earliestCloseMs = Math.min(this.earliestCloseMs, closesAtMs);
    return made;
  }

  private advance({ timestampMs, offset }: LogRecord): void {
    this.logTimeMs = Math.max(this.logTimeMs, timestampMs);
    if (this.earliestCloseMs > this.logTimeMs) return;
    const due = this.strata.filter(({ closesAtMs }) => closesAtMs <= this.logTimeMs);
    for (const { model, generation, stratum, strataMs, stable, canary } of due)
      this.shares.push({ offset, model, generation, stratum, strataMs, stable, canary });
    this.strata = this.strata.filter((stratum) => !due.includes(stratum));
    this.earliestCloseMs = Math.min(Infinity, ...this.strata.map(({ closesAtMs }) => closesAtMs));
  }

  private refuse(record: LogRecord, why: string): void {
    this.refused.set(record.offset, why);
  }
}

/** Null: nobody can tell, because nothing is known of what was predicted. */
function isRight(
  label: Label['label'],
  { valueKind, value, generation }: Attribution,
  told: ModelTold,
): boolean | null {
  if (valueKind === 'none') return null;
  if (valueKind === 'class') return classHash(label) === value;
  const tolerance = told.rolloutOf(generation)?.spec.prediction?.tolerance ?? 0;
  return Math.abs(Number(label) - value) <= tolerance + 1e-9 * Math.max(1, Math.abs(Number(label)));
}
