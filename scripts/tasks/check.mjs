import { bin, runTool } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

/** What did not change is not looked at again. A clean checkout has no cache: CI sees everything. */
const cached = (name) => ['--cache', '--cache-strategy', 'content', '--cache-location', `.cache/${name}`];

const typesOf = (project, cache) => ['--noEmit', '-p', project, '--tsBuildInfoFile', `.cache/${cache}.tsbuildinfo`];

/** Two lanes, because a laptop has at least two cores. */
const lanes = (vitestArgs) => [
  [{ name: 'unit tests', script: bin('vitest'), args: ['run', ...vitestArgs] }],
  [
    { name: 'types', script: bin('tsc'), args: typesOf('tsconfig.json', 'types') },
    { name: 'types of the console', script: bin('tsc'), args: typesOf('apps/console/tsconfig.json', 'console-types') },
    { name: 'format', script: bin('prettier'), args: ['--check', '.', '--log-level', 'warn', ...cached('prettier')] },
    { name: 'lint', script: bin('eslint'), args: ['.', '--max-warnings', '0', ...cached('eslint')] },
  ],
];

/**
 * Format, lint, types and unit tests. All of them run even if one fails.
 * @param {readonly string[]} [vitestArgs] by default two at a time, for somebody waits
 * @returns {Promise<readonly string[]>} names of what failed
 */
export async function check(vitestArgs = ['--maxWorkers=2']) {
  const failed = [];
  const runLane = async (lane) => {
    for (const { name, script, args } of lane) {
      const startedMs = Date.now();
      const { code, output } = await runTool(script, args);
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      say(`  ${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (code === 0) continue;
      failed.push(name);
      say(output.trim());
    }
  };
  say('Checking format, lint, types and unit tests ...');
  await sayWhile('checking', Promise.all(lanes(vitestArgs).map(runLane)));
  return failed;
}
