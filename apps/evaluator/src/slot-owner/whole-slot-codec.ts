import { PackReader, PackWriter } from '@app/shared';
import { packSummary, unpackSummary } from '../domain/slot/summary-codec.js';
import type { PlacedSummary, WholeSlot } from '../slot-store/slot-store.js';

const FORMAT = 1;

/** Packs a whole slot for evaluator-checkpoint. */
export function packWholeSlot({ image, owners }: WholeSlot): Buffer {
  const writer = new PackWriter();
  writer.uint(FORMAT).uint(image.position).uintOrNone(image.logTimeMs).uint(image.fields.size);
  for (const [field, value] of image.fields) writer.text(field).block(value);
  writer.uint(owners.size);
  for (const [owner, { trimmedTo, summaries }] of owners) {
    writer.uint(owner).uint(trimmedTo).uint(summaries.length);
    for (const { offset, index, summary } of summaries) writer.uint(offset).uint(index).block(packSummary(summary));
  }
  return writer.take();
}

/** Null: written in a format that this version does not read. Throws CanaryError `corrupt-pack`. */
export function unpackWholeSlot(packed: Buffer): WholeSlot | null {
  const reader = new PackReader(packed);
  if (reader.uint() !== FORMAT) return null;
  const position = reader.uint();
  const logTimeMs = reader.uintOrNone();
  const fields = new Map<string, Buffer>();
  for (let left = reader.uint(); left > 0; left--) fields.set(reader.text(), reader.block());
  const owners = new Map<number, { trimmedTo: number; summaries: PlacedSummary[] }>();
  for (let left = reader.uint(); left > 0; left--) {
    const owner = reader.uint();
    const trimmedTo = reader.uint();
    const summaries: PlacedSummary[] = [];
    for (let n = reader.uint(); n > 0; n--)
      summaries.push({ offset: reader.uint(), index: reader.uint(), summary: unpackSummary(reader.block()) });
    owners.set(owner, { trimmedTo, summaries });
  }
  return { image: { position, logTimeMs, fields }, owners };
}
