import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { auditDependencies } from './audit.mjs';
import { buildConsoleIfStale, buildEverythingIfStale } from './build.mjs';
import { check } from './check.mjs';
import { ROOT, bin, runTool } from './processes.mjs';
import { say } from './say.mjs';
import { installSchemathesis } from './schemathesis.mjs';

const REPORTS = join(ROOT, '.cache', 'test-reports');
/**
 * One phase after the other, the lanes of a phase side by side: what mostly computes beside what mostly waits for real
 * servers.
 */
const PHASES = [
  [['simulation', 'benchmark'], ['integration']],
  [['console', 'faults'], ['e2e']],
];
const SUITES = PHASES.flat(2);

/**
 * Everything: the check with its unit tests, the dependencies' audit, what the verdict engine promises in short, the
 * adapters against a real Kafka and Redis, the stories on real processes, the console in a real Chromium, a fault run
 * and the benchmarks in short. The last line is `N passed, N failed`.
 * @param {readonly string[]} args for the suites on real servers, e.g. a file's name
 * @returns {Promise<boolean>} whether all passed
 */
export async function testAll(args) {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  process.env.THOROUGH = '1';
  // Some hundred processes of ours start: what was compiled once is not compiled again.
  process.env.NODE_COMPILE_CACHE ??= join(ROOT, '.cache', 'compiled');
  // The audit waits for a registry, and schemathesis for another one.
  const [failedOnes, isAudited] = await Promise.all([
    check(['--maxWorkers=2', '--reporter=default', ...jsonReport('unit')]),
    auditDependencies(),
    installSchemathesis(),
  ]);
  const failedChecks = [...failedOnes, ...(isAudited ? [] : ['dependencies'])];
  await Promise.all([buildEverythingIfStale(), buildConsoleIfStale()]);
  let failedSuites = 0;
  const runLane = async (suites, show) => {
    for (const suite of suites) if (!(await runSuite(suite, [...jsonReport(suite), ...args], show))) failedSuites++;
  };
  // One lane is watched as it goes; the others tell what they did at the end of each suite.
  for (const lanes of PHASES) await Promise.all(lanes.map((suites, i) => runLane(suites, i === lanes.length - 1)));
  const reports = ['unit', ...SUITES].map(readReport);
  const passed = sum(reports.map((r) => r.passed));
  // A check without tests of its own counts as one when it fails; so does a suite that could not even report.
  const otherChecks = failedChecks.filter((name) => name !== 'unit tests').length;
  const failed = sum(reports.map((r) => r.failed)) + otherChecks;
  const allPassed = failed === 0 && failedChecks.length === 0 && failedSuites === 0;
  process.stdout.write(`${passed} passed, ${Math.max(failed, allPassed ? 0 : 1)} failed\n`);
  return allPassed;
}

/** Only the console, in a real Chromium. */
export const testConsole = (args) => runSuite('console', args);

async function runSuite(suite, args, show = true) {
  say(`Running the ${suite} tests ...`);
  const config = `vitest.${suite}.config.ts`;
  const { code, output } = await runTool(bin('vitest'), ['run', '--config', config, '--reporter=verbose', ...args], {
    show,
  });
  if (!show) say(output.trimEnd());
  return code === 0;
}

const reportFile = (suite) => join(REPORTS, `${suite}.json`);
const jsonReport = (suite) => ['--reporter=json', `--outputFile.json=${reportFile(suite)}`];
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** Tests by vitest's JSON report. A file that failed without a failed test (it could not be loaded) counts as one. */
function readReport(suite) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile(suite), 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles.length };
}
