import type { PackReader, PackWriter } from '@app/shared';

/** Packs counts of which many are zero: each run of zeros takes two numbers. */
export function packCounts(out: PackWriter, values: ArrayLike<number>): void {
  let used = values.length;
  while (used > 0 && values[used - 1] === 0) used--;
  out.uint(used);
  for (let i = 0; i < used;) {
    const value = values[i]!;
    out.uint(value);
    i++;
    if (value !== 0) continue;
    const start = i;
    while (values[i] === 0) i++;
    out.uint(i - start);
  }
}

/** Reads what packCounts wrote into an array that is all zeros. */
export function unpackCounts(from: PackReader, into: Float64Array | Uint32Array): void {
  const used = from.uint();
  for (let i = 0; i < used;) {
    const value = from.uint();
    into[i++] = value;
    if (value === 0) i += from.uint();
  }
}

export function packFloats(out: PackWriter, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) out.float(values[i]!);
}

export function unpackFloats(from: PackReader, into: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = from.float();
}
