import { seededRandom } from '../../fixtures/seeded-random.js';
import { decisionStudies } from './decision-studies.js';
import { kernelStudies } from './kernel-studies.js';
import type { Study } from './study.js';

/** Every study, always in the same order: workers know them by number. */
export function allStudies(): readonly Study[] {
  return [...kernelStudies(), ...decisionStudies((seed) => seededRandom(seed + 1_000_003))];
}
