import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  'test/simulation',
  'nest-cli.json',
  'tsconfig.json',
  'package-lock.json',
];
const CONSOLE_SOURCES = [CONSOLE, 'libs/shared/src/api', 'libs/shared/src/words', 'package-lock.json'];
const STAMPS = join(ROOT, 'dist', '.built');

/** Names of the Nest projects that are programs, from nest-cli.json. */
export function applications() {
  const { projects } = JSON.parse(readFileSync(join(ROOT, 'nest-cli.json'), 'utf8'));
  return Object.keys(projects).filter((name) => projects[name].type === 'application');
}

/**
 * Builds a Nest project into dist/ unless nothing has changed since it was built last. Exits with 1 on a compile error.
 * @param {string} project
 */
export async function buildIfStale(project) {
  await unlessStamped(project, SOURCES, () => build([project]));
}

/** Builds the console, which the controller serves, into dist/apps/console unless nothing of it has changed. */
export async function buildConsoleIfStale() {
  await unlessStamped('console', CONSOLE_SOURCES, buildConsole);
}

/** Exits with 1 on an error. Types are for `check`: this takes a second or two. */
export async function buildConsole() {
  say('Building the console ...');
  const { code, output } = await runTool(bin('vite'), ['build', '--config', 'apps/console/vite.config.mjs']);
  if (code === 0) return;
  say(output.trim());
  process.exit(code);
}

async function unlessStamped(name, sources, buildIt) {
  const stamp = join(STAMPS, name);
  const now = sourcesStamp(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  await buildIt();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, now);
}

/** Builds Nest projects one after the other (tsc, incremental). Exits with 1 on a compile error. */
export async function build(projects) {
  mkdirSync(STAMPS, { recursive: true });
  for (const project of projects) {
    const sources = sourcesStamp();
    say(`Building ${project} ...`);
    const { code, output } = await sayWhile('building', runTool(bin('nest'), ['build', project]));
    if (code !== 0) {
      say(output.trim());
      process.exit(code);
    }
    writeFileSync(join(STAMPS, project), sources);
  }
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
