/** The tasks behind `npm run ...`, under Node 24 and with the dependencies installed. See bootstrap.mjs. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  applications,
  build,
  buildConsole,
  buildConsoleIfStale,
  buildEverythingIfStale,
  buildIfStale,
} from './tasks/build.mjs';
import { programOf } from './tasks/bundle.mjs';
import { check } from './tasks/check.mjs';
import { testHelm } from './tasks/helm.mjs';
import { packCli } from './tasks/pack-cli.mjs';
import { bin, ROOT, runTool } from './tasks/processes.mjs';
import { say } from './tasks/say.mjs';
import { testAll, testConsole } from './tasks/test.mjs';

const USAGE = `usage: node scripts/bootstrap.mjs <task> [arguments]
  demo [--kafka] [--seed N] [--json]   watch rollouts of real classifiers
  test                                 every test: units, integration, end to end, console, faults, benchmarks
  test-console [arguments]             the console in a real Chromium
  check [--no-tests]                   format, lint, types, unit tests
  build                                all services and the console into dist/
  build-stale                          of these what has changed since
  generate                             documents and types that are made from the code
  pack-cli [folder]                    canaryctl as an npm package
  test-helm                            the Helm chart, with helm and kubeconform
  start <app> [arguments]              one of: ${applications().join(', ')}
  bench [suites] [options]             the services measured beside the best that others have (bench --help)
  faults [scenario] [options]          real processes broken on purpose, and an oracle (faults --help)
  simulation [--seeds N] [--help]      routers, evaluators and controllers under seeded faults, in simulated time
  simulate [--short | --full]          what the verdict engine promises, measured on seeded traffic`;

const WITH_CONSOLE = ['controller', 'standalone'];
const DEMO_ON_KAFKA = ['router', 'evaluator', 'controller', 'standalone'];

/** @param {readonly string[]} args the task's name and its arguments */
export async function runTask([task, ...args]) {
  switch (task) {
    case 'demo':
      // The page is a second's work for the other core.
      await Promise.all([
        buildConsoleIfStale(),
        buildAllIfStale(args.includes('--kafka') ? DEMO_ON_KAFKA : ['standalone']),
      ]);
      return become('apps/standalone/src/demo/main.js', args);
    case 'test':
      return exit(await testAll(args));
    case 'test-console':
      return exit(await testConsole(args));
    case 'check':
      return exit(await check({ tests: !args.includes('--no-tests') }));
    case 'build':
      await buildConsole();
      return build(applications());
    case 'build-stale':
      await Promise.all([buildConsoleIfStale(), buildAllIfStale(applications())]);
      return;
    case 'generate':
      // The tests that hold them current write them when told to.
      return exit((await runTool(bin('vitest'), ['run', 'test/generated', '--update'], { show: true })).code === 0);
    case 'pack-cli':
      await packCli(args[0] ?? join(ROOT, 'dist'));
      return;
    case 'test-helm':
      return exit(await testHelm(args));
    case 'start': {
      const [app, ...rest] = args;
      if (!applications().includes(app)) return usage(`there is no app ${app ?? '(none named)'}`);
      if (WITH_CONSOLE.includes(app)) await buildConsoleIfStale();
      await buildIfStale(app);
      // These two are programs of the evaluator.
      if (app === 'cli' && ['replay', 'simulate'].includes(rest[0])) await buildIfStale('evaluator');
      return become(programOf(app), rest);
    }
    case 'bench':
      // The services as they are run, with their Lua scripts, and those that the fault runs start.
      await buildEverythingIfStale();
      return become('test/benchmark/main.js', args);
    case 'faults':
      // The evaluator's own build brings its Lua scripts.
      for (const project of ['evaluator', 'faults']) await buildIfStale(project);
      return become('test/faults/main.js', args);
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

async function buildAllIfStale(apps) {
  for (const app of apps) await buildIfStale(app);
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
