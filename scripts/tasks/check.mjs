import { bin, runTool } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

/** Two lanes, because a laptop has at least two cores. */
const lanes = (vitestArgs) => [
  [{ name: 'unit tests', script: bin('vitest'), args: ['run', ...vitestArgs] }],
  [
    { name: 'types', script: bin('tsc'), args: ['--noEmit', '-p', 'tsconfig.json'] },
    { name: 'format', script: bin('prettier'), args: ['--check', '.', '--log-level', 'warn'] },
    { name: 'lint', script: bin('eslint'), args: ['.', '--max-warnings', '0'] },
  ],
];

/**
 * Format, lint, types and unit tests. All of them run even if one fails.
 * @param {readonly string[]} [vitestArgs]
 * @returns {Promise<readonly string[]>} names of what failed
 */
export async function check(vitestArgs = []) {
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
