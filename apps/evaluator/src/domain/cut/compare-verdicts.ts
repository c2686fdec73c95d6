import { type Verdict, verdictCodec } from '@app/shared';

/** A verdict as found in the topic. */
export interface PublishedVerdict {
  readonly verdict: Verdict;
  readonly bytes: Buffer;
}

/** Models whose published verdicts of a cut are others than folding it again has given. */
export interface Divergence {
  readonly model: string;
  readonly cut: number;
  readonly published: string | null;
  readonly refolded: string | null;
}

/**
 * Compares the verdicts of one cut, id and bytes. Verdicts of another engine version say nothing about this one.
 *
 * @param published what the topic has of this cut.
 */
export function compareVerdicts(
  cut: number,
  refolded: readonly Verdict[],
  published: readonly PublishedVerdict[],
  engineVersion: string,
): readonly Divergence[] {
  const comparable = published.filter(({ verdict }) => verdict.engineVersion === engineVersion);
  if (published.length > 0 && comparable.length === 0) return [];
  const found = new Map(comparable.map((one) => [one.verdict.model, one]));
  const divergences: Divergence[] = [];
  for (const verdict of refolded) {
    const other = found.get(verdict.model);
    found.delete(verdict.model);
    if (other?.bytes.equals(verdictCodec.encode(verdict))) continue;
    divergences.push({
      model: verdict.model,
      cut,
      published: other?.verdict.verdictId ?? null,
      refolded: verdict.verdictId,
    });
  }
  for (const { verdict } of found.values())
    divergences.push({ model: verdict.model, cut, published: verdict.verdictId, refolded: null });
  return divergences;
}
