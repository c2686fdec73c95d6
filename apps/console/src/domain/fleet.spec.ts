import { describe, expect, test } from 'vitest';
import { check, row, T0, verdict } from '../../test/builders.js';
import {
  filterCounts,
  type FleetQuery,
  fleetSearch,
  fleetSummary,
  needsPerson,
  parseFleetQuery,
  rowSince,
  rowStatus,
  selectRows,
} from './fleet.js';

const since = T0 + 7;
const paused = row('paused', {}, { status: 'paused', pause: { code: 'c', text: 't', since } });
const timed = row('timed', {}, { status: 'paused', pause: { code: 'c', text: 't', since, until: since + 9 } });
const held = row('held', {}, { held: { code: 'c', text: 't', since } });
const open = row('open');
const back = row('back', { canary: null, last: { ...row('x').last!, at: T0 + 99 } }, { status: 'rolled-back', endedAt: T0 + 5 }); // prettier-ignore
const done = row('done', { stable: 'v2', canary: null }, { status: 'promoted', endedAt: T0 + 6 });
const undone = row('undone', { stable: 'v1', canary: null }, { status: 'promoted', endedAt: T0 + 6 });
const calm = row('calm', { rollout: null, canary: null });
const rows = [calm, done, back, open, held, timed, paused, undone];
const ALL: FleetQuery = { filter: 'all', sort: 'attention', text: '' };
const names = (query: Partial<FleetQuery>): string[] =>
  selectRows(rows, { ...ALL, ...query }).map(({ model }) => model);

describe('a list of models', () => {
  test('has first what needs a person, then what is under way, then what ended badly', () => {
    expect(names({})).toEqual(['held', 'paused', 'open', 'timed', 'back', 'undone', 'calm', 'done']);
  });

  test.each([
    [{ sort: 'name' }, ['back', 'calm', 'done', 'held', 'open', 'paused', 'timed', 'undone']],
    [{ sort: 'newest', filter: 'rolled-back' }, ['back', 'undone']],
    [{ filter: 'attention' }, ['held', 'paused']],
    [{ filter: 'open' }, ['held', 'paused', 'open', 'timed']],
    [{ filter: 'promoted' }, ['done']],
    [{ filter: 'stable' }, ['calm']],
    [{ text: ' OPEN ' }, ['open']],
    [{ text: 'back-1' }, ['back']],
    [{ text: 'nobody' }, []],
  ] as const)('is chosen by %j', (query, expected) => expect(names(query)).toEqual(expected));

  test('is searched by its worst check too', () => {
    const slow = row('slow', { verdict: { ...verdict(), worst: check('latency.p99', { unit: 'ms' }) } });
    expect(selectRows([open, slow], { ...ALL, text: 'latency' })).toEqual([slow]);
  });

  test('is counted by what people look for', () => {
    expect(filterCounts(rows)).toEqual({ all: 8, attention: 2, open: 4, 'rolled-back': 2, promoted: 1, stable: 1 });
    expect(fleetSummary(rows)).toBe('8 models. 4 rollouts are open, 2 need a person.');
    expect(fleetSummary([calm])).toBe('1 model. No rollout is open.');
    expect(fleetSummary([open])).toBe('1 model. 1 rollout is open, nothing needs a person.');
  });

  test('does not change the order of the rows that it is given', () => {
    const given = [...rows];
    selectRows(given, { ...ALL, sort: 'name' });
    expect(given).toEqual(rows);
  });
});

test('what is chosen stands in the address and comes back from it', () => {
  const chosen: FleetQuery = { filter: 'rolled-back', sort: 'weight', text: 'a & b' };
  expect(parseFleetQuery(fleetSearch(chosen))).toEqual(chosen);
  expect(fleetSearch(ALL)).toBe('');
  expect(parseFleetQuery('?show=nonsense&sort=none')).toEqual(ALL);
});

test('a line says since when it is as it is', () => {
  expect([paused, held, open, back].map(rowSince)).toEqual([since, since, T0, T0 + 5]);
  expect(rowSince(row('x', { rollout: null, last: null }))).toBeNull();
  expect(rowStatus(undone)).toMatchObject({ word: 'Undone', tone: 'bad' });
});

test('a failing verdict needs a person’s eyes before it is carried out', () => {
  expect(needsPerson(row('x', { verdict: { ...verdict({ result: 'fail' }), worst: null } }))).toBe(true);
});
