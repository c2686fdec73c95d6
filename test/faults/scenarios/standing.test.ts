import { expect, it } from 'vitest';
import { leftBehind, type Standing } from './standing.js';

const BEFORE: Standing = {
  residentMib: 150,
  heapMib: 40,
  files: 26,
  spoolFiles: 0,
  timers: 4,
  sockets: 4,
  inFlight: 0,
};

it.each<[string, Partial<Standing>, readonly string[]]>([
  ['nothing', {}, []],
  ['less than before', { files: 25, timers: 3 }, []],
  ['a file of the spool for each producer', { files: 29, spoolFiles: 3 }, []],
  ['compiled code', { heapMib: 43 }, []],
  ['a descriptor', { files: 27 }, ['descriptors: 26 before, 27 after']],
  ['a descriptor beside the spool', { files: 29, spoolFiles: 2 }, ['descriptors: 26 before, 27 after']],
  ['files of the spool', { files: 30, spoolFiles: 4 }, ['open files of the spool: 4, 3 at most']],
  ['a prediction', { inFlight: 1 }, ['predictions in flight: 0 before, 1 after']],
  ['timers of the moment', { timers: 9 }, []],
  [
    'sockets and their timers',
    { sockets: 10, timers: 10 },
    ['sockets: 4 before, 10 after', 'timers: 4 before, 10 after'],
  ],
  ['heap', { heapMib: 45 }, ['heap: 45.0 MiB after, 40.0 before']],
])('a router that is at rest and holds %s more is told of what it should not hold', (_what, more, told) => {
  expect(leftBehind(BEFORE, { ...BEFORE, ...more })).toEqual(told);
});
