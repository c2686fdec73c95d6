import { PackReader, PackWriter } from '@app/shared';
import { packSummaries, unpackSummaries } from '../domain/slot/summary-codec.js';
import type { PlacedSummary, WholeSlot } from '../slot-store/slot-store.js';

const FORMAT = 2;

/** Packs a whole slot for evaluator-checkpoint. */
export function packWholeSlot({ image, owners }: WholeSlot): Buffer {
  const writer = new PackWriter();
  writer.uint(FORMAT).uint(image.position).uintOrNone(image.logTimeMs).uint(image.fields.size);
  for (const [field, value] of image.fields) writer.text(field).block(value);
  writer.uint(owners.size);
  for (const [owner, { trimmedTo, summaries }] of owners) {
    writer.uint(owner).uint(trimmedTo).block(packSummaries(summaries));
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
    owners.set(owner, { trimmedTo: reader.uint(), summaries: unpackSummaries(reader.block()) });
  }
  return { image: { position, logTimeMs, fields }, owners };
}
