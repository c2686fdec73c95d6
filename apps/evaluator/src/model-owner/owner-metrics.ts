/** What the owners of models report; metrics.ts turns it into Prometheus series. */
export interface OwnerMetrics {
  /** A cut was committed. */
  cutPublished(cut: {
    readonly owner: number;
    readonly durationMs: number;
    /** Newest log time of the cut, ms since the epoch; -1 before the first record. */
    readonly asOfMs: number;
    readonly summaries: number;
    readonly verdicts: number;
  }): void;
  checkpointWritten(checkpoint: { readonly owner: number; readonly bytes: number }): void;
  /** A partition was taken over: along its cuts, from the records of the topics, or without the evidence of before. */
  tookOver(takeover: {
    readonly owner: number;
    readonly durationMs: number;
    readonly cuts: number;
    readonly how: 'folded' | 'rebuilt' | 'anew';
  }): void;
  diverged(model: string): void;
  engineFailed(model: string): void;
  /** Ownership was lost or could not be had: fenced, unclear, trimmed-beyond-cut, ... */
  ownershipLost(owner: number, code: string): void;
  /** A partition is not owned here any more. */
  released(owner: number): void;
  storeUnreadable(): void;
}
