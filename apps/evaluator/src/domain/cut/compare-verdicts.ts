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
  /** Where the first different byte is, with what stands around it; null if one of them is missing. */
  readonly difference: { readonly published: string; readonly refolded: string } | null;
}

const AROUND_BYTES = { before: 60, after: 60 } as const;

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
    const bytes = verdictCodec.encode(verdict);
    if (other?.bytes.equals(bytes)) continue;
    divergences.push({
      model: verdict.model,
      cut,
      published: other?.verdict.verdictId ?? null,
      refolded: verdict.verdictId,
      difference: other ? firstDifference(other.bytes, bytes) : null,
    });
  }
  for (const { verdict } of found.values())
    divergences.push({ model: verdict.model, cut, published: verdict.verdictId, refolded: null, difference: null });
  return divergences;
}

function firstDifference(published: Buffer, refolded: Buffer): Divergence['difference'] {
  let at = 0;
  while (at < published.length && published[at] === refolded[at]) at += 1;
  const around = (bytes: Buffer): string =>
    bytes.toString('utf8', Math.max(0, at - AROUND_BYTES.before), at + AROUND_BYTES.after);
  return { published: around(published), refolded: around(refolded) };
}
