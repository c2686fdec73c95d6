/** The tasks behind `npm run ...`, under Node 24 and with the dependencies installed. See bootstrap.mjs. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applications, build, buildIfStale } from './tasks/build.mjs';
import { check } from './tasks/check.mjs';
import { ROOT } from './tasks/processes.mjs';
import { say } from './tasks/say.mjs';
import { testAll } from './tasks/test.mjs';

const USAGE = `usage: node scripts/bootstrap.mjs <task> [arguments]
  demo [--kafka] [--seed N] [--json]   watch rollouts of real classifiers
  test                                 everything: check, integration, end to end
  check                                format, lint, types, unit tests
  build                                all services into dist/
  start <app> [arguments]              one of: ${applications().join(', ')}
  bench <name> [arguments]             a benchmark of test/benchmark
  simulation [--seeds N] [--help]      routers, evaluators and controllers under seeded faults, in simulated time
  simulate [--short | --full]          what the verdict engine promises, measured on seeded traffic`;

const DEMO_ON_KAFKA = ['router', 'evaluator', 'controller', 'standalone'];

/** @param {readonly string[]} args the task's name and its arguments */
export async function runTask([task, ...args]) {
  switch (task) {
    case 'demo':
      for (const app of args.includes('--kafka') ? DEMO_ON_KAFKA : ['standalone']) await buildIfStale(app);
      return become('apps/standalone/src/demo/main.js', args);
    case 'test':
      return exit(await testAll(args));
    case 'check':
      return exit((await check()).length === 0);
    case 'build':
      return build(applications());
    case 'start': {
      const [app, ...rest] = args;
      if (!applications().includes(app)) return usage(`there is no app ${app ?? '(none named)'}`);
      await buildIfStale(app);
      // These two are programs of the evaluator.
      if (app === 'cli' && ['replay', 'simulate'].includes(rest[0])) await buildIfStale('evaluator');
      return become(`apps/${app}/src/main.js`, rest);
    }
    case 'bench': {
      const [name, ...rest] = args;
      if (!name) return usage('which benchmark?');
      await buildIfStale('benchmark');
      return become(`test/benchmark/${name}.js`, rest);
    }
    case 'simulation':
      await buildIfStale('simulation');
      return become('test/simulation/system/main.js', args);
    case 'simulate':
      await buildIfStale('simulation');
      return become('test/simulation/verdicts/main.js', args);
    default:
      return usage(task ? `there is no task ${task}` : 'which task?');
  }
}

/** Goes on as a built program in this process: nothing stands between it and its signals. */
async function become(file, args) {
  const path = join(ROOT, 'dist', file);
  process.argv = [process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
}

function exit(passed) {
  process.exitCode = passed ? 0 : 1;
}

function usage(problem) {
  say(`${problem}\n${USAGE}`);
  process.exitCode = 2;
}

if (process.argv[1] === import.meta.filename) await runTask(process.argv.slice(2));
