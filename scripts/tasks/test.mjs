import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { auditDependencies } from './audit.mjs';
import { buildConsoleIfStale, buildEverythingIfStale } from './build.mjs';
import { ROOT, bin, runTool } from './processes.mjs';
import { say } from './say.mjs';
import { installSchemathesis } from './schemathesis.mjs';

const UNIT = 'unit';
const REPORTS = join(ROOT, '.cache', 'test-reports');
/** Computes, and waits for nobody: it takes what the others leave of the processors. */
const SIMULATION = 'simulation';
/** Wait for servers half of their time: two at a time, and one more after the simulation; the longest first. */
const ON_SERVERS = ['integration', 'e2e', 'benchmark', 'console', 'faults'];

/** What services and tests print is told of those that fail. */
const QUIET = ['--silent=passed-only'];
const FAILURE_LINES_MAX = 30;

/**
 * Every test: the unit tests, the dependencies' audit, what the verdict engine promises in short, the adapters against a
 * real Kafka and Redis, the stories on real processes, the console in a real Chromium, a fault run and the benchmarks in
 * short. The last line is `N passed, N failed`.
 * @param {readonly string[]} args for the suites on real servers, e.g. a file's name
 * @returns {Promise<boolean>} whether all passed
 */
export async function testAll(args) {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  // Some hundred processes of ours start: what was compiled once is not compiled again.
  process.env.NODE_COMPILE_CACHE ??= join(ROOT, '.cache', 'compiled');
  // The audit waits for a registry, and schemathesis for another one.
  const [unit, isAudited] = await Promise.all([
    runSuite(UNIT, ['--maxWorkers=2', '--reporter=default', ...QUIET, ...jsonReport(UNIT)], { show: true }),
    auditDependencies(),
    installSchemathesis(),
    buildEverythingIfStale(),
    buildConsoleIfStale(),
  ]);
  const failedSuites = unit ? [] : [UNIT];
  // A file's name is one of a suite's: the other suites have none of that name.
  const chosen = args.length > 0 ? ['--passWithNoTests', ...args] : [];
  const run = async (suite, options) => {
    const reporter = options.show ? 'verbose' : 'default';
    const all = [`--reporter=${reporter}`, ...QUIET, ...jsonReport(suite), ...chosen];
    if (!(await runSuite(suite, all, options))) failedSuites.push(suite);
  };
  const left = [...ON_SERVERS];
  const runNext = async (options) => {
    for (let suite = left.shift(); suite !== undefined; suite = left.shift()) await run(suite, options);
  };
  // One is watched as it goes; the others tell what they did at the end of each suite.
  await Promise.all([runNext({ show: true }), runNext({}), run(SIMULATION, { low: true }).then(() => runNext({}))]);
  const reports = [UNIT, SIMULATION, ...ON_SERVERS].map((suite) => readReport(suite, failedSuites.includes(suite)));
  // The suites' own words are far above, among each other: what failed is told again where somebody looks.
  for (const failure of reports.flatMap((r) => r.failures)) say(failure);
  const passed = sum(reports.map((r) => r.passed));
  // The audit counts as one when it fails.
  const failed = sum(reports.map((r) => r.failed)) + (isAudited ? 0 : 1);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0;
}

/** Only the console, in a real Chromium. */
export const testConsole = (args) => runSuite('console', ['--reporter=verbose', ...args], { show: true });

async function runSuite(suite, args, { show = false, low = false } = {}) {
  say(`Running the ${suite} tests ...`);
  const config = suite === UNIT ? [] : ['--config', `vitest.${suite}.config.ts`];
  const { code, output } = await runTool(bin('vitest'), ['run', ...config, ...args], { show, low });
  if (!show) say(output.trimEnd());
  return code === 0;
}

const reportFile = (suite) => join(REPORTS, `${suite}.json`);
const jsonReport = (suite) => ['--reporter=json', `--outputFile.json=${reportFile(suite)}`];
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/**
 * Tests by vitest's JSON report. A file that failed without a failed test (it could not be loaded) counts as one, and so
 * does a suite that failed without any.
 */
function readReport(suite, suiteFailed) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile(suite), 'utf8'));
  } catch (error) {
    return { passed: 0, failed: 1, failures: [`FAILED ${suite}: it left no report (${error.message})`] };
  }
  const failures = report.testResults.flatMap((file) => {
    const of = (name, messages) =>
      `FAILED ${suite}: ${relative(ROOT, file.name)}${name}\n${firstLines(messages.join('\n'))}`;
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0 && file.status === 'failed') return [of('', [file.message])];
    return failed.map((test) => of(` > ${test.fullName}`, test.failureMessages));
  });
  if (suiteFailed && failures.length === 0) failures.push(`FAILED ${suite}: not in a test; its own words are above`);
  return { passed: report.numPassedTests, failed: failures.length, failures };
}

function firstLines(text) {
  const lines = stripVTControlCharacters(text).trimEnd().split('\n');
  return lines
    .slice(0, FAILURE_LINES_MAX)
    .map((line) => `  ${line}`)
    .join('\n');
}
