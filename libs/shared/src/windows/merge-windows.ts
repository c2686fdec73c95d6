import { PackReader, PackWriter } from '../packing.js';
import { SKETCH_BIN_MAX } from './sketch.js';

/** Sums of counts by bin; all zeros between two merges. */
class BinCounts {
  private readonly counts = new Float64Array(SKETCH_BIN_MAX + 1);
  private binMin = SKETCH_BIN_MAX + 1;
  private binMax = -1;
  private bins = 0;

  add(reader: PackReader): void {
    const { counts } = this;
    let bin = 0;
    for (let bins = reader.uint(); bins > 0; bins--) {
      bin = Math.min(bin + reader.uint(), SKETCH_BIN_MAX);
      if (counts[bin] === 0) this.bins++;
      counts[bin]! += reader.uint();
      if (bin < this.binMin) this.binMin = bin;
      if (bin > this.binMax) this.binMax = bin;
    }
  }

  pack(writer: PackWriter): void {
    const { counts, binMin, binMax } = this;
    writer.uint(this.bins);
    let previous = 0;
    for (let bin = binMin; bin <= binMax; bin++) {
      const count = counts[bin]!;
      if (count === 0) continue;
      writer.uint(bin - previous).uint(count);
      previous = bin;
    }
  }

  clear(): void {
    if (this.binMin <= this.binMax) this.counts.fill(0, this.binMin, this.binMax + 1);
    this.binMin = SKETCH_BIN_MAX + 1;
    this.binMax = -1;
    this.bins = 0;
  }
}

/** One version's sums. */
interface Sum {
  version: string;
  routed: number;
  errors: number;
  labelled: number;
  right: number;
  readonly latency: BinCounts;
  readonly labelDelay: BinCounts;
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
      sum.latency.add(reader);
      sum.labelDelay.add(reader);
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
      const { version, routed, errors, labelled, right, latency, labelDelay } = this.sums[i]!;
      writer.text(version).uint(routed).uint(errors).uint(labelled).uint(right);
      latency.pack(writer);
      labelDelay.pack(writer);
    }
    return writer.take();
  }

  private clear(): void {
    for (let i = 0; i < this.used; i++) {
      const sum = this.sums[i]!;
      sum.latency.clear();
      sum.labelDelay.clear();
      Object.assign(sum, ZERO);
    }
    this.used = 0;
  }
}

const ZERO = { version: '', routed: 0, errors: 0, labelled: 0, right: 0 } as const;

const emptySum = (): Sum => ({ ...ZERO, latency: new BinCounts(), labelDelay: new BinCounts() });
