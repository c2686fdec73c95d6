export interface RidgeProblem {
  readonly rows: readonly Float64Array[];
  /** Class of each row. */
  readonly targets: readonly number[];
  readonly classes: number;
  /** Added to the diagonal, > 0. */
  readonly ridge: number;
}

/**
 * Weights of one linear score per class, least squares against 1 for the class and 0 for the others:
 * (X'X + ridge I) w = X'y, by Cholesky's decomposition.
 */
export function solveRidge(problem: RidgeProblem): Float64Array[] {
  const size = problem.rows[0]?.length ?? 0;
  const { gram, moments } = normalEquations(problem, size);
  cholesky(gram, size);
  return moments.map((moment) => substitute(gram, moment, size));
}

function normalEquations({ rows, targets, classes, ridge }: RidgeProblem, size: number) {
  const gram = new Float64Array(size * size); // lower triangle
  const moments = Array.from({ length: classes }, () => new Float64Array(size));
  rows.forEach((row, n) => {
    const moment = moments[targets[n]!]!;
    for (let i = 0; i < size; i++) {
      const value = row[i]!;
      if (value === 0) continue;
      moment[i]! += value;
      for (let j = 0, at = i * size; j <= i; j++, at++) gram[at]! += value * row[j]!;
    }
  });
  for (let i = 0; i < size; i++) gram[i * size + i]! += ridge;
  return { gram, moments };
}

/** The lower triangle L with L L' = the given matrix, in its place. */
function cholesky(a: Float64Array, size: number): void {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = a[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      a[i * size + j] = i === j ? Math.sqrt(sum) : sum / a[j * size + j]!;
    }
  }
}

/** Solves L L' x = b. */
function substitute(l: Float64Array, b: Float64Array, size: number): Float64Array {
  const x = b.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= l[i * size + k]! * x[k]!;
    x[i]! /= l[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= l[k * size + i]! * x[k]!;
    x[i]! /= l[i * size + i]!;
  }
  return x;
}
