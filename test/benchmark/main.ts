/**
 * The benchmarks: `npm run bench -- --help`. Progress goes to standard error, tables or JSON to standard output.
 */
import { decisionSuite } from './decision/decision-suite.js';
import { evaluatorSuite } from './evaluator/evaluator-suite.js';
import { BenchContext, say } from './framework/context.js';
import { benchmarkOptions } from './framework/options.js';
import { runSuites } from './framework/run-suites.js';
import { producerSuite } from './producer/producer-suite.js';
import { routerSuite } from './router/router-suite.js';
import { verdictSuite } from './verdicts/verdict-suite.js';

const SUITES = [routerSuite, producerSuite, evaluatorSuite, verdictSuite, decisionSuite];
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const options = benchmarkOptions(process.argv.slice(2), SUITES);
const context = new BenchContext(options);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // The guards beside us end whatever was started and remove its files as soon as we are gone.
    say('Interrupted: what was started is ended.');
    process.exit(EXIT_CODES[signal]);
  });
const suites = SUITES.filter(({ name }) => options.suites.length === 0 || options.suites.includes(name));
let allRight = false;
try {
  allRight = await runSuites(suites, context);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
} finally {
  await context.close();
}
// Connections of programs that are gone may keep this process for a while.
process.exit(allRight ? 0 : 1);
