import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../../fixtures/whole-number.js';

/** What a run of benchmarks can be told. */
export interface BenchmarkOptions {
  /** Only shows that everything runs: small, one round, nothing installed or fetched. Its times mean nothing. */
  readonly short: boolean;
  /** For programs: one JSON document on standard output, at the end. */
  readonly json: boolean;
  readonly rounds: number;
  /** Rounds before them that do not count. */
  readonly warmUps: number;
  /** Of each measurement under load. */
  readonly seconds: number;
  /** Also where the time goes, function by function, where a suite can tell. */
  readonly profile: boolean;
  /** Names of suites; empty: all. */
  readonly suites: readonly string[];
  /** Names of benchmarks in them; empty: all. */
  readonly only: readonly string[];
}

/** Three rounds are the least from which a median says more than a guess. */
const USUAL = { rounds: 3, warmUps: 1, seconds: 2 };
const SHORT = { rounds: 1, warmUps: 0, seconds: 1 };

/**
 * Reads the command line. Prints what is wrong with it, or its help, and ends the process.
 * @param suites names and what they measure
 */
export function benchmarkOptions(
  args: readonly string[],
  suites: readonly { readonly name: string; readonly about: string }[],
): BenchmarkOptions {
  const known = suites.map(({ name }) => name);
  const program = new Command('npm run bench --')
    .description('Measures the services beside the best that others have, each figure with its goal.')
    .argument('[suites...]', `of: ${known.join(', ')}; default: all`, (name: string, before: string[] = []) => {
      if (!known.includes(name)) throw new InvalidArgumentError(`there are: ${known.join(', ')}`);
      return [...before, name];
    })
    .option('--short', 'only show that everything runs; the times mean nothing', false)
    .option('--json', 'one JSON document on standard output, at the end', false)
    .option('--rounds <n>', `of each comparison (${USUAL.rounds}; short: ${SHORT.rounds})`, wholeNumber(1))
    .option(
      '--seconds <n>',
      `of each measurement under load (${USUAL.seconds}; short: ${SHORT.seconds})`,
      wholeNumber(1),
    )
    .option('--only <names>', 'comma-separated benchmarks of the suites', (text) => text.split(','), [])
    .option('--profile', 'also say where the time of router and evaluator goes', false)
    .addHelpText(
      'after',
      `\nSuites:\n${suites.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}` +
        '\n\nA peer that is not installed is said to be missing. Exit code: 0 if everything ran and came out right, ' +
        'whether goals are met or not; 1 if not; 130 after Ctrl-C.',
    )
    .parse([...args], { from: 'user' });
  const values = program.opts<Omit<BenchmarkOptions, 'suites'>>();
  return {
    ...(values.short ? SHORT : USUAL),
    ...values,
    suites: (program.processedArgs[0] as readonly string[] | undefined) ?? [],
  };
}
