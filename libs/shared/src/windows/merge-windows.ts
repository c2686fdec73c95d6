import { PackReader, PackWriter } from '../packing.js';
import { SKETCH_BIN_MAX } from './sketch.js';

/** One version's sums; `counts` is all zeros between two merges. */
interface Sum {
  version: string;
  routed: number;
  errors: number;
  labelled: number;
  right: number;
  readonly counts: Float64Array;
  binMin: number;
  binMax: number;
  bins: number;
}

/**
 * Adds packed windows up without unpacking them into objects: many thousands are added a second. One merger is used
 * again and again.
 */
export class WindowMerger {
  private readonly writer = new PackWriter();
  private readonly sums: Sum[] = [];
  private used = 0;

  /**
   * The sum of what packWindow() made, packed; versions in the order in which they first appear. Throws CanaryError
   * `corrupt-pack`.
   */
  merge(parts: readonly Buffer[]): Buffer {
    if (parts.length === 1) return parts[0]!;
    try {
      for (const part of parts) this.add(part);
      return this.pack();
    } finally {
      this.clear();
    }
  }

  private add(part: Buffer): void {
    const reader = new PackReader(part);
    for (let versions = reader.uint(); versions > 0; versions--) {
      const sum = this.sumOf(reader.text());
      sum.routed += reader.uint();
      sum.errors += reader.uint();
      sum.labelled += reader.uint();
      sum.right += reader.uint();
      let bin = 0;
      for (let bins = reader.uint(); bins > 0; bins--) {
        bin = Math.min(bin + reader.uint(), SKETCH_BIN_MAX);
        if (sum.counts[bin] === 0) sum.bins++;
        sum.counts[bin]! += reader.uint();
        if (bin < sum.binMin) sum.binMin = bin;
        if (bin > sum.binMax) sum.binMax = bin;
      }
    }
  }

  private sumOf(version: string): Sum {
    for (let i = 0; i < this.used; i++) if (this.sums[i]!.version === version) return this.sums[i]!;
    const sum = (this.sums[this.used++] ??= emptySum());
    sum.version = version;
    return sum;
  }

  private pack(): Buffer {
    const { writer } = this;
    writer.uint(this.used);
    for (let i = 0; i < this.used; i++) {
      const { version, routed, errors, labelled, right, counts, binMin, binMax, bins } = this.sums[i]!;
      writer.text(version).uint(routed).uint(errors).uint(labelled).uint(right).uint(bins);
      let previous = 0;
      for (let bin = binMin; bin <= binMax; bin++) {
        const count = counts[bin]!;
        if (count === 0) continue;
        writer.uint(bin - previous).uint(count);
        previous = bin;
      }
    }
    return writer.take();
  }

  private clear(): void {
    for (let i = 0; i < this.used; i++) {
      const sum = this.sums[i]!;
      if (sum.binMin <= sum.binMax) sum.counts.fill(0, sum.binMin, sum.binMax + 1);
      Object.assign(sum, ZERO);
    }
    this.used = 0;
  }
}

const ZERO = {
  version: '',
  routed: 0,
  errors: 0,
  labelled: 0,
  right: 0,
  binMin: SKETCH_BIN_MAX + 1,
  binMax: -1,
  bins: 0,
} as const;

const emptySum = (): Sum => ({ ...ZERO, counts: new Float64Array(SKETCH_BIN_MAX + 1) });
