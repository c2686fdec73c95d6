/**
 * Confidence sequences: intervals that hold at every look. Normal mixture of H. Robbins (1970), in the asymptotic form
 * of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021).
 */

/** Information 1/V at which a difference `mde` is found at level alpha: 2 ln(1/alpha) / mde^2. */
export function informationWanted(alpha: number, mde: number): number {
  return (2 * Math.log(1 / alpha)) / (mde * mde);
}

/** The mixture's rho that makes the radius smallest at the information wanted. */
export function mixtureScale(information: number, alpha: number): number {
  const a = 2 * Math.log(1 / (2 * alpha));
  return information / (a + Math.log(1 + a));
}

/** One-sided radius at information I = 1/V: sqrt(2 (I+rho) ln(1 + sqrt((I+rho)/rho) / (2 alpha))) / I. */
export function confidenceRadius(information: number, rho: number, alpha: number): number {
  const both = information + rho;
  return Math.sqrt(2 * both * Math.log(1 + Math.sqrt(both / rho) / (2 * alpha))) / information;
}
