import { describe, expect, it } from 'vitest';
import { allStudies, runStudy } from './all-studies.js';

const FIRST_SEED = 1_000_000;

/** The short form of every study of which `part` is true, each a test: its bound holds, unless it is known not to, and slots agree. */
export function shortForm(part: (group: string) => boolean): void {
  const studies = allStudies();
  const inShort = studies.map((study, i) => ({ study, i })).filter(({ study }) => study.runs.short > 0);
  describe.each([...new Set(inShort.map(({ study }) => study.group))].filter(part))('%s', (group) => {
    it.each(inShort.filter(({ study }) => study.group === group))('$study.name', ({ study, i }) => {
      const seeds = Array.from({ length: study.runs.short }, (_, run) => FIRST_SEED + run);
      const runs = seeds.map((seed) => runStudy(studies, i, seed));
      const { measured, ok } = study.summarise(runs);
      if (!study.missedBecause) expect(ok, `${measured}; target: ${study.target}`).not.toBe(false);
      expect(runs.filter((run) => (run['differing'] ?? 0) > 0)).toEqual([]);
    });
  });
}
