import { describe, expect, it } from 'vitest';
import { differenceSpread, ratioSpread, spreadOf } from './figures.js';
import { asJson, goalMet, renderSection, row, summaryOf } from './report.js';

describe('figures over rounds', () => {
  it('have a median between those in the middle', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
    expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
    expect(spreadOf([]).median).toBeNaN();
  });

  it('are compared round by round: what slows both of a round leaves their ratio alone', () => {
    expect(ratioSpread([20, 40, 60], [10, 20, 30])).toEqual({ min: 2, median: 2, max: 2 });
    expect(differenceSpread([20, 45], [10, 30])).toEqual({ min: 10, median: 12.5, max: 15 });
  });
});

describe('a report', () => {
  const met = row('a', [1, 2, 3], 'us', { atMost: 2 });
  const missed = row('b', [2.01], '', { atMost: 2 });
  const missing = row('c', ratioSpread([1], []), '', { atMost: 2 });
  const section = { title: 'T', rows: [met, missed, missing, row('d', [12_345.6], 'us')], notes: ['c is not here.'] };

  it('holds the median against the goal, and what was not measured against nothing', () => {
    expect([met, missed, missing].map(goalMet)).toEqual([true, false, undefined]);
    expect(goalMet(row('e', [1], '', { exactly: 1 }))).toBe(true);
    expect(goalMet(row('e', [0.999], '', { exactly: 1 }))).toBe(false);
  });

  it('shows each figure beside its goal', () => {
    const lines = renderSection(section).split('\n');
    expect(lines[2]).toMatch(/^ {2}a +1\.00 +2\.00 +3\.00 +us +<= 2 +met$/);
    expect(lines[3]).toMatch(/^ {2}b .*<= 2 +NOT MET$/);
    expect(lines[4]).toMatch(/^ {2}c +- +- +- +<= 2 +not measured$/);
    expect(lines[5]).toMatch(/^ {2}d +12,346 +12,346 +12,346 +us$/);
    expect(lines[6]).toBe('  c is not here.');
  });

  it('counts goals, and what came out wrong', () => {
    const wrong = { title: 'W', rows: [], wrong: 'an outcome is missing' };
    expect(summaryOf([section])).toBe('1 of 3 goals met, 1 not met, 1 not measured');
    expect(summaryOf([section, wrong])).toContain('1 came out WRONG');
    expect(renderSection(wrong)).toBe('W\n  WRONG: an outcome is missing');
  });

  it('is JSON with null for what was not measured', () => {
    const { rows } = JSON.parse(JSON.stringify(asJson(section))) as { rows: readonly Record<string, unknown>[] };
    expect(rows[0]).toMatchObject({ what: 'a', min: 1, median: 2, max: 3, met: true });
    expect(rows[2]).toMatchObject({ median: null, met: null });
  });
});
