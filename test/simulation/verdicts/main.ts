/**
 * Measures what the verdict engine promises: false alarms, delays, times to promotion, on seeded traffic and the real
 * engine, and prints a table beside the targets of the engine's document. Uses all cores.
 *
 *   npm run simulate:verdicts [-- --short | --full] [--only text] [--seed N] [--through-slots]
 *
 * Predictions go as records, bytes and all, through the real slots in every tenth run, with --through-slots in all; each
 * summary that comes out of them is compared with the one made directly, as in the other runs.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Command, Option } from 'commander';
import { wholeNumber } from '../../fixtures/whole-number.js';
import { allStudies } from './all-studies.js';
import type { RunFigures, Size, Study } from './study.js';
import type { Piece } from './worker.js';

interface Options {
  readonly short?: boolean;
  readonly full?: boolean;
  readonly only?: string;
  readonly seed: number;
  readonly throughSlots?: boolean;
}

const program = new Command('npm run simulate:verdicts --')
  .description('Measures what the verdict engine promises on seeded traffic, and prints it beside the targets.')
  .addOption(new Option('--short', 'few runs, as in npm test').conflicts('full'))
  .option('--full', 'many runs')
  .option('--only <text>', 'studies whose group and name have this in them')
  .option('--seed <n>', 'another one gives other traffic', wholeNumber(0), 1)
  .option('--through-slots', 'all predictions as records through the slots, not only those of every tenth run')
  .allowExcessArguments(false)
  .addHelpText(
    'after',
    '\nExit code 0: every target with a bound is met, but those with a reason beside them; 1: not so.',
  );
const options = program.parse().opts<Options>();
const size: Size = options.short ? 'short' : options.full ? 'full' : 'normal';
const studies = allStudies();
const wanted = studies.map((study, i) => ({
  study,
  i,
  runs: `${study.group} ${study.name}`.includes(options.only ?? '') ? study.runs[size] : 0,
}));

const pieces: Piece[] = [];
const seed = options.seed * 1_000_000;
for (const { study, i, runs } of wanted)
  for (let from = 0; from < runs; from += study.chunk)
    pieces.push({
      study: i,
      from: seed + from,
      to: seed + Math.min(runs, from + study.chunk),
      throughSlots: options.throughSlots ?? false,
    });

if (pieces.length === 0) program.error(`error: no study has "${options.only}" in its group and name`);
const results = await runPieces(pieces);
printTable(results);

/** Hands the pieces to one worker a core; resolves with the runs of each study, in the order of their seeds. */
async function runPieces(todo: readonly Piece[]): Promise<ReadonlyMap<number, readonly RunFigures[]>> {
  const done = new Map<number, { from: number; runs: readonly RunFigures[] }[]>();
  let next = 0;
  let finished = 0;
  const startedMs = performance.now();
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    for (;;) {
      const piece = todo[next++];
      if (!piece) break;
      const runs = await answer(worker, piece);
      done.set(piece.study, [...(done.get(piece.study) ?? []), { from: piece.from, runs }]);
      finished++;
      progress(finished, todo.length, startedMs);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), todo.length) }, work));
  process.stderr.write('\n');
  return new Map(
    [...done].map(([study, parts]) => [study, parts.sort((a, b) => a.from - b.from).flatMap(({ runs }) => runs)]),
  );
}

function answer(worker: Worker, piece: Piece): Promise<readonly RunFigures[]> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    worker.once('error', failed);
    worker.once('message', ({ runs }: { readonly runs: readonly RunFigures[] }) => {
      worker.off('error', failed);
      resolve(runs);
    });
    worker.postMessage(piece);
  });
}

function progress(finished: number, total: number, startedMs: number): void {
  const seconds = (performance.now() - startedMs) / 1000;
  const line = `${finished} of ${total} pieces, ${seconds.toFixed(0)} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}  `);
  else if (finished % Math.ceil(total / 10) === 0) process.stderr.write(`${line}\n`);
}

function printTable(runs: ReadonlyMap<number, readonly RunFigures[]>): void {
  let group = '';
  let missed = 0;
  for (const { study, i } of wanted) {
    const figures = runs.get(i);
    if (!figures || figures.length === 0) continue;
    if (study.group !== group) console.log(`\n${(group = study.group)}`);
    missed += printRow(study, figures);
  }
  missed += printSlots([...runs.values()].flat());
  const cpuS = process.cpuUsage();
  console.log(`\n${Math.round((cpuS.user + cpuS.system) / 1e6)} s of processor time`);
  console.log(
    `${missed === 0 ? 'every target with a bound is met, but those with a reason beside them' : `${missed} targets missed`} (${size})`,
  );
  process.exitCode = missed === 0 ? 0 : 1;
}

/** Whether what comes out of the slots is what is made directly. */
function printSlots(runs: readonly RunFigures[]): number {
  const through = runs.filter((run) => (run['compared'] ?? 0) > 0);
  if (through.length === 0) return 0;
  const sum = (figure: string): number => through.reduce((total, run) => total + run[figure]!, 0);
  const same = sum('differing') === 0;
  const says = same ? 'all the same as those made directly' : `${sum('differing')} not as those made directly`;
  console.log(
    `\n${same ? '+' : '!'} ${sum('compared').toLocaleString('en')} summaries of ${through.length} runs came through the slots: ${says}`,
  );
  return same ? 0 : 1;
}

function printRow(study: Study, figures: readonly RunFigures[]): number {
  const { measured, ok } = study.summarise(figures);
  const mark = ok === null ? ' ' : ok ? '+' : '!';
  console.log(`${mark} ${study.name.padEnd(78)} ${measured.padEnd(62)} target ${study.target}`);
  if (ok === false && study.missedBecause) console.log(`    ${study.missedBecause}`);
  return ok === false && !study.missedBecause ? 1 : 0;
}
