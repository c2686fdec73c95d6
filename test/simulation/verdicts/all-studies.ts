import { seededRandom } from '../../fixtures/seeded-random.js';
import { faultStudies } from './fault-studies.js';
import { honestStudies } from './honest-studies.js';
import { kernelStudies } from './kernel-studies.js';
import { promotionStudies } from './promotion-studies.js';
import { rivalStudies } from './rival-studies.js';
import type { Study } from './study.js';

/** Every study, always in the same order: workers know them by number. */
export function allStudies(): readonly Study[] {
  const usersOf = (seed: number) => seededRandom(seed + 1_000_003);
  return [
    ...kernelStudies(),
    ...honestStudies(usersOf),
    ...promotionStudies(),
    ...faultStudies(),
    ...rivalStudies(usersOf),
  ];
}
