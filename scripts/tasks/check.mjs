import { bin, runTool } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

/** What did not change is not looked at again. A clean checkout has no cache: CI sees everything. */
const cached = (name) => ['--cache', '--cache-strategy', 'content', '--cache-location', `.cache/${name}`];

const typesOf = (project, cache) => ['--noEmit', '-p', project, '--tsBuildInfoFile', `.cache/${cache}.tsbuildinfo`];

const TYPES = [
  { name: 'types', script: bin('tsc'), args: typesOf('tsconfig.json', 'types') },
  { name: 'types of the console', script: bin('tsc'), args: typesOf('apps/console/tsconfig.json', 'console-types') },
];
const FORMAT = { name: 'format', script: bin('prettier'), args: ['--check', '.', '--log-level', 'warn', ...cached('prettier')] }; // prettier-ignore
const LINT = { name: 'lint', script: bin('eslint'), args: ['.', '--max-warnings', '0', ...cached('eslint')] };
const UNIT_TESTS = { name: 'unit tests', script: bin('vitest'), args: ['run', '--maxWorkers=2'] };

/**
 * Format, lint, types and unit tests, in two lanes, because a laptop has at least two cores. All of them run even if one
 * fails.
 * @param {{ tests?: boolean }} [options] tests: false leaves out the unit tests, which `npm test` runs as well
 * @returns {Promise<boolean>} whether all is well
 */
export async function check({ tests = true } = {}) {
  const lanes = tests ? [[UNIT_TESTS], [...TYPES, FORMAT, LINT]] : [[LINT], [...TYPES, FORMAT]];
  let isWell = true;
  const runLane = async (lane) => {
    for (const { name, script, args } of lane) {
      const startedMs = Date.now();
      const { code, output } = await runTool(script, args);
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      say(`  ${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (code === 0) continue;
      isWell = false;
      say(output.trim());
    }
  };
  say(`Checking format, lint${tests ? ', types and unit tests' : ' and types'} ...`);
  await sayWhile('checking', Promise.all(lanes.map(runLane)));
  return isWell;
}
