import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, bin, runTool } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

const SOURCES = [
  'apps',
  'libs',
  'deploy/local',
  'test/benchmark',
  'test/faults',
  'test/simulation',
  'nest-cli.json',
  'tsconfig.json',
  'package-lock.json',
];
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
  const stamp = join(STAMPS, project);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesStamp()) return;
  await build([project]);
}

/** Builds Nest projects one after the other (tsc, incremental). Exits with 1 on a compile error. */
export async function build(projects) {
  mkdirSync(STAMPS, { recursive: true });
  for (const project of projects) {
    say(`Building ${project} ...`);
    const stamp = sourcesStamp();
    const { code, output } = await sayWhile('building', runTool(bin('nest'), ['build', project]));
    if (code !== 0) {
      say(output.trim());
      process.exit(code);
    }
    writeFileSync(join(STAMPS, project), stamp);
  }
}

/** A digest of the names, sizes and times of everything a build reads. */
function sourcesStamp() {
  const digest = createHash('sha256');
  const walk = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) walk(join(path, name));
    else digest.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  };
  for (const source of SOURCES) walk(join(ROOT, source));
  return digest.digest('hex');
}
