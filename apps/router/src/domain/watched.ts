import type { RolloutState } from '@app/shared/core';

/** What the open rollout wants outcomes to say beyond how a prediction ended. */
export interface Watched {
  /** Numbers in the answer: their names in the outcome, and JSON pointers to them. */
  readonly values: readonly { readonly name: string; readonly pointer: string }[];
  /** Lower case. Null: no segments. */
  readonly segmentHeader: string | null;
  /** Outcomes carry the bin of the prediction. */
  readonly predictionBins: boolean;
}

export const NOTHING_WATCHED: Watched = { values: [], segmentHeader: null, predictionBins: false };

/** Reads it off a model's state; nothing once its rollout is over. */
export function watchedOf({ rollout }: Pick<RolloutState, 'rollout'>): Watched {
  if (!rollout || rollout.endedAt !== undefined) return NOTHING_WATCHED;
  const { checks, segments } = rollout.spec;
  const values = Object.entries(checks?.custom ?? {}).flatMap(([name, { from, source }]) =>
    from === 'answer' ? [{ name, pointer: source }] : [],
  );
  return { values, segmentHeader: segments?.header ?? null, predictionBins: checks?.drift !== undefined };
}
