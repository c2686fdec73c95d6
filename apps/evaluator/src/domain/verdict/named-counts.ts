import type { PackReader, PackWriter } from '@app/shared';

interface Entry {
  n: number;
  /** The name that has the majority so far, by R. Boyer and J. Moore's vote: the heaviest one, if one has over a half. */
  name: string;
  votes: number;
}

/** Counts by number, and the name that most of what has a number goes by. */
export class NamedCounts {
  private readonly byNumber = new Map<number, Entry>();
  total = 0;

  add(number: number, n: number, name: string): void {
    if (!(n > 0)) return;
    this.total += n;
    const entry = this.byNumber.get(number);
    if (!entry) {
      this.byNumber.set(number, { n, name, votes: n });
      return;
    }
    entry.n += n;
    if (entry.name === name) entry.votes += n;
    else if (entry.votes >= n) entry.votes -= n;
    else {
      entry.name = name;
      entry.votes = n - entry.votes;
    }
  }

  /** Numbers with the largest counts, largest first; the lesser number first where they are equal. */
  largest(size: number): { readonly number: number; readonly name: string }[] {
    return [...this.byNumber]
      .sort(([a, { n: na }], [b, { n: nb }]) => nb - na || a - b)
      .slice(0, size)
      .map(([number, { name }]) => ({ number, name }));
  }

  /** Numbers in rising order, each with its count. */
  rising(): { readonly number: number; readonly n: number }[] {
    return [...this.byNumber].sort(([a], [b]) => a - b).map(([number, { n }]) => ({ number, n }));
  }

  clear(): void {
    this.byNumber.clear();
    this.total = 0;
  }

  write(out: PackWriter): void {
    out.uint(this.byNumber.size);
    for (const [number, { n, name, votes }] of this.byNumber) out.uint(number).uint(n).uint(votes).text(name);
  }

  read(from: PackReader): this {
    for (let left = from.uint(); left > 0; left--) {
      const number = from.uint();
      const n = from.uint();
      const votes = from.uint();
      this.byNumber.set(number, { n, votes, name: from.text() });
      this.total += n;
    }
    return this;
  }
}
