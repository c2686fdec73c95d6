/**
 * DDSketch bins with 1 % relative error (Masson, Rim, Lee 2019): bin k holds the values in (gamma^(k-1), gamma^k].
 * Bin 0 is everything up to 1 ms, bin 551 ends above 60 s, SKETCH_BIN_MAX is "never completed".
 */
export const SKETCH_RELATIVE_ERROR = 0.01;
export const SKETCH_GAMMA = (1 + SKETCH_RELATIVE_ERROR) / (1 - SKETCH_RELATIVE_ERROR);
const LN_GAMMA = Math.log(SKETCH_GAMMA);
/** Of cancelled predictions: slower than every threshold. */
export const SKETCH_BIN_MAX = 2047;
const SKETCH_BIN_FINITE_MAX = 2046;

/** Bin of a latency in milliseconds. key(200) = 265. */
export function sketchBin(latencyMs: number): number {
  if (!(latencyMs > 1)) return 0;
  const bin = Math.ceil(Math.log(latencyMs) / LN_GAMMA - 1e-9);
  return bin > SKETCH_BIN_FINITE_MAX ? SKETCH_BIN_FINITE_MAX : bin;
}

/** Upper edge of a bin in milliseconds: gamma^bin. A latency L is above it exactly if sketchBin(L) > bin. */
export function sketchUpperEdgeMs(bin: number): number {
  return Math.exp(bin * LN_GAMMA);
}

/** The value that stands for a bin: 2 gamma^bin / (gamma + 1), within 1 % of everything in it. value(265) = 198.368486. */
export function sketchValueMs(bin: number): number {
  return (2 * Math.exp(bin * LN_GAMMA)) / (SKETCH_GAMMA + 1);
}
