import { seededRandom } from '../../fixtures/seeded-random.js';
import { faultStudies } from './fault-studies.js';
import { honestStudies } from './honest-studies.js';
import { kernelStudies } from './kernel-studies.js';
import { onsetStudies } from './onset-studies.js';
import { promotionStudies } from './promotion-studies.js';
import { rivalStudies } from './rival-studies.js';
import type { RunFigures, Study } from './study.js';

/** Every study, always in the same order: workers know them by number. */
export function allStudies(): readonly Study[] {
  const usersOf = (seed: number) => seededRandom(seed + 1_000_003);
  return [
    ...kernelStudies(),
    ...honestStudies(usersOf),
    ...promotionStudies(),
    ...faultStudies(),
    ...onsetStudies(),
    ...rivalStudies(usersOf),
  ];
}

/** One in so many runs goes through the slots, which takes some eight times as long. */
const THROUGH_SLOTS_EVERY = 10;

/** One run of one study; `throughSlots`: through the slots in any case. */
export function runStudy(studies: readonly Study[], study: number, seed: number, throughSlots = false): RunFigures {
  return studies[study]!.run({ seed, throughSlots: throughSlots || (seed + study) % THROUGH_SLOTS_EVERY === 0 });
}
