import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlesOf } from './bundle.mjs';
import { ROOT, bin, runTool } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

const CONSOLE = 'apps/console';
const SOURCES = [
  ...readdirSync(join(ROOT, 'apps'))
    .map((name) => `apps/${name}`)
    .filter((path) => path !== CONSOLE),
  'libs',
  'deploy/local',
  'test/benchmark',
  'test/faults',
  'test/simulation',
  'nest-cli.json',
  'scripts/tasks/bundle.mjs',
  'tsconfig.json',
  'package-lock.json',
];
const CONSOLE_SOURCES = [CONSOLE, 'libs/shared/src/api', 'libs/shared/src/words', 'package-lock.json'];
const STAMPS = join(ROOT, 'dist', '.built');

/** The Nest projects by name, from nest-cli.json. */
const projects = () => JSON.parse(readFileSync(join(ROOT, 'nest-cli.json'), 'utf8')).projects;

/** Names of those that are programs. */
export const applications = () =>
  Object.entries(projects())
    .filter(([, { type }]) => type === 'application')
    .map(([name]) => name);

/**
 * Builds a Nest project into dist/ unless nothing has changed since it was built last. Exits with 1 on a compile error.
 * @param {string} project
 */
export async function buildIfStale(project) {
  if (isStale(project, SOURCES)) await build([project]);
}

/** The same of the console, which the controller serves. */
export async function buildConsoleIfStale() {
  if (isStale('console', CONSOLE_SOURCES)) await buildConsole();
}

/** Builds Nest projects one after the other (tsc, incremental), and bundles services. Exits with 1 on a compile error. */
export async function build(projects) {
  for (const project of projects) {
    const sources = sourcesStamp(SOURCES);
    await run(project, bin('nest'), ['build', project]);
    await bundlesOf(project);
    writeStamp(project, sources);
  }
}

/**
 * Builds all projects at once unless nothing has changed: they share most of their files, so it takes hardly longer than
 * one. For the tests, which need them all; types are not looked at again, that is what `check` does.
 */
export async function buildEverythingIfStale() {
  const sources = sourcesStamp(SOURCES);
  await buildIfStale('everything');
  for (const name of Object.keys(projects())) writeStamp(name, sources);
}

/** Builds the console into dist/apps/console in a second or two: its types are for `check`. Exits with 1 on an error. */
export async function buildConsole() {
  const sources = sourcesStamp(CONSOLE_SOURCES);
  await run('console', bin('vite'), ['build', '--config', 'apps/console/vite.config.mjs']);
  writeStamp('console', sources);
}

async function run(what, script, args) {
  say(`Building ${what} ...`);
  const { code, output } = await sayWhile('building', runTool(script, args));
  if (code === 0) return;
  say(output.trim());
  process.exit(code);
}

function isStale(name, sources) {
  const stamp = join(STAMPS, name);
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== sourcesStamp(sources);
}

function writeStamp(name, sources) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), sources);
}

/** A digest of the names, sizes and times of everything a build reads. */
function sourcesStamp(sources) {
  const digest = createHash('sha256');
  const walk = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) walk(join(path, name));
    else digest.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  };
  for (const source of sources) walk(join(ROOT, source));
  return digest.digest('hex');
}
