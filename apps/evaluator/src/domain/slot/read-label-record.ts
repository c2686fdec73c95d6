import {
  type Attribution,
  classHash,
  type Label,
  labelCodec,
  type Pair,
  pairCodec,
  type PredictionIdSealer,
} from '@app/shared';
import type { Cause } from './folded-batch.js';
import { LabelDecoder } from './label-decoder.js';
import { parseJson, readTick, RECORD_BYTES_MAX, refused, refusedBy } from './read-outcome-record.js';

export type LabelReading =
  | { readonly kind: 'label'; readonly label: Label; readonly attribution: Attribution }
  | { readonly kind: 'pair'; readonly pair: Pair; readonly attribution: Attribution }
  | { readonly kind: 'tick' }
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'refused'; readonly cause: Cause };

const UNWANTED = { kind: 'unwanted' } as const;
const labels = new LabelDecoder();

/**
 * Reads a record of prediction-label and opens its prediction id. A label stands in what is returned until the next call.
 *
 * @param wanted modelHash() of the models whose labels are; null: all.
 */
export function readLabelRecord(
  bytes: Buffer | null,
  sealer: PredictionIdSealer,
  wanted: ReadonlySet<number> | null = null,
): LabelReading {
  const isUsual = bytes !== null && bytes.length <= RECORD_BYTES_MAX && labels.decode(bytes);
  return isUsual ? opened(labels.label, sealer, wanted) : judgeLabelRecord(bytes, sealer, wanted);
}

/** As readLabelRecord, by the schema alone. */
export function judgeLabelRecord(
  bytes: Buffer | null,
  sealer: PredictionIdSealer,
  wanted: ReadonlySet<number> | null = null,
): LabelReading {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return parsed.refusal;
  const kind = (parsed.value as { kind?: unknown } | null)?.kind;
  if (kind === 'tick') return readTick(parsed.value);
  if (kind === 'pair') return readPair(parsed.value, sealer, wanted);
  const judged = labelCodec.check(parsed.value);
  return judged.ok ? opened(judged.value, sealer, wanted) : refusedBy(judged);
}

function opened(label: Label, sealer: PredictionIdSealer, wanted: ReadonlySet<number> | null): LabelReading {
  if (wanted && !isWanted(label.predictionId, sealer, wanted)) return UNWANTED;
  const attribution = sealer.open(label.predictionId);
  return attribution.ok ? { kind: 'label', label, attribution: attribution.value } : refusedBy(attribution);
}

function readPair(value: unknown, sealer: PredictionIdSealer, wanted: ReadonlySet<number> | null): LabelReading {
  const checked = pairCodec.check(value);
  if (!checked.ok) return refusedBy(checked);
  if (wanted && !isWanted(checked.value.predictionId, sealer, wanted)) return UNWANTED;
  const attribution = sealer.open(checked.value.predictionId);
  return attribution.ok
    ? { kind: 'pair', pair: checked.value, attribution: attribution.value }
    : refusedBy(attribution);
}

function isWanted(predictionId: string, sealer: PredictionIdSealer, wanted: ReadonlySet<number>): boolean {
  const hash = sealer.modelHashIn(predictionId);
  return hash !== null && wanted.has(hash);
}

/**
 * Whether the prediction was right: the same class, or a number within the tolerance. `none`: the prediction is not
 * known (a streamed answer, or no pointer is configured), so nobody can tell.
 */
export function judgeLabel(
  label: Label['label'],
  { valueKind, value }: Attribution,
  tolerance: number,
): 'right' | 'wrong' | 'none' | Cause {
  switch (valueKind) {
    case 'none':
      return 'none';
    case 'class':
      return classHash(label) === value ? 'right' : 'wrong';
    case 'number': {
      const truth = typeof label === 'string' && label.trim() !== '' ? Number(label) : label;
      if (typeof truth !== 'number' || !Number.isFinite(truth))
        return refused('label-not-a-number', 'the model predicts numbers; the label has to be a number').cause;
      // The last bits of decimal fractions must not decide: 4.35 - 4.25 is within .1.
      const rounding = 1e-9 * Math.max(1, Math.abs(truth));
      return Math.abs(truth - value) <= tolerance + rounding ? 'right' : 'wrong';
    }
  }
}
