import type { VerdictResult } from './rollout-verdict.js';

/**
 * What the evaluator's replay prints, one JSON object a line, for whoever started it (canaryctl makes tables of it).
 * The summary comes last; after an error `failed` does. Of several models each has its verdicts and then its summary, one
 * model after the other.
 */
export type ReplayLine = ReplayProgress | ReplayGap | ReplayVerdict | ReplaySummary | ReplayFailure;

/** How far a long read has come; at most one in two seconds. */
export interface ReplayProgress {
  readonly kind: 'progress';
  readonly doing: 'verdicts' | 'outcomes' | 'labels' | 'replaying';
  /** Records, or cuts. */
  readonly done: number;
  readonly total: number;
}

/** Records that are gone: what rests on them cannot be had again. */
export interface ReplayGap {
  readonly kind: 'gap';
  readonly topic: string;
  readonly partition: number;
  /** First offset that is there; of verdicts the first cut, of decisions the one that is gone. */
  readonly from: number;
  /** Log time of that record, ms; null where the partition has none at all. */
  readonly fromMs: number | null;
  readonly text: string;
}

/** What a verdict says, in short. */
export interface ReplayRuling {
  readonly result: VerdictResult;
  readonly code: string;
  readonly text: string;
}

/** One verdict as it was given, and as the replay gives it; null: it was not given, or would not be given. */
export interface ReplayVerdict {
  readonly kind: 'verdict';
  readonly cut: number;
  /** Newest log time of the cut, ms. */
  readonly asOf: number;
  readonly rollout: string;
  readonly step: number;
  readonly given: ReplayRuling | null;
  readonly replayed: ReplayRuling | null;
  /** `ruling`: the same result for the same reason, in another record. */
  readonly equal: 'bytes' | 'ruling' | 'no';
}

/** The first time that a step had this result. */
export interface ReplayMilestone {
  readonly rollout: string;
  readonly step: number;
  readonly result: 'pass' | 'fail' | 'inconclusive';
  /** Log time, ms; null: never. */
  readonly givenAt: number | null;
  readonly replayedAt: number | null;
  readonly code: string;
}

export interface ReplaySummary {
  readonly kind: 'summary';
  readonly model: string;
  readonly rollouts: readonly string[];
  readonly cuts: number;
  readonly verdicts: number;
  readonly identical: number;
  /** Those that are not identical and have the same result for the same reason. */
  readonly sameRuling: number;
  /** Another rollout file was replayed: then records differ, and the rulings are what is compared. */
  readonly otherFile: boolean;
  readonly engineVersion: string;
  /** Of the verdicts that were given. */
  readonly givenEngineVersions: readonly string[];
  readonly milestones: readonly ReplayMilestone[];
  readonly firstDifference: {
    readonly cut: number;
    readonly asOf: number;
    /** The ruling, or where it is the same what stands around the first byte that differs; null: no such verdict. */
    readonly given: string | null;
    readonly replayed: string | null;
  } | null;
}

export interface ReplayFailure {
  readonly kind: 'failed';
  /** kebab-case, stable. */
  readonly code: string;
  readonly message: string;
}
