/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/** Standard normal (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Lognormal with the given median. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** Gamma with scale 1 (Marsaglia and Tsang 2000). */
export function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

export function beta(random: Random, a: number, b: number): number {
  const x = gamma(random, a);
  return x / (x + gamma(random, b));
}

/** Binomial numbers for one n and p, by inverting the distribution function: a table, then one search each. */
export class Binomial {
  private readonly upTo: Float64Array;

  constructor(
    private readonly n: number,
    p: number,
  ) {
    this.upTo = new Float64Array(n + 1);
    const odds = p / (1 - p);
    let ln = n * Math.log1p(-p);
    let sum = 0;
    for (let k = 0; k <= n; k++) {
      sum += Math.exp(ln);
      this.upTo[k] = sum;
      ln += Math.log(((n - k) / (k + 1)) * odds);
    }
  }

  draw(random: Random): number {
    const u = random();
    let low = 0;
    let high = this.n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.upTo[middle]! > u) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Draws an index with probability proportional to its weight. */
export class Weighted {
  private readonly upTo: Float64Array;

  constructor(weights: readonly number[]) {
    let sum = 0;
    this.upTo = Float64Array.from(weights, (w) => (sum += w));
  }

  draw(random: Random): number {
    const u = random() * this.upTo[this.upTo.length - 1]!;
    let low = 0;
    let high = this.upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.upTo[middle]! > u) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
