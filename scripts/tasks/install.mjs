import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { ROOT } from './processes.mjs';
import { say, sayWhile } from './say.mjs';

/** Runs `npm ci` unless node_modules holds what package-lock.json says. Exits with 1 when that fails. */
export async function installDependencies() {
  if (dependenciesAreInstalled()) return;
  say('Installing the dependencies (some 500 packages with Node 24 among them; only this first time) ...');
  const startedMs = Date.now();
  const { code, output } = await sayWhile('installing', npmCi());
  if (code !== 0) {
    say(output.trim());
    say(
      '\nnpm ci failed (its words are above). It needs the npm registry: look at the network or the proxy, then run the same command again.',
    );
    process.exit(1);
  }
  say(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
}

/**
 * npm notes what it has installed in node_modules/.package-lock.json. Packages for other platforms are optional and
 * not in there.
 */
function dependenciesAreInstalled() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const present = installed[path];
    return present ? present.version === entry.version : entry.optional === true;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8')).packages;
  } catch {
    return null; // missing or cut short by an interrupted install: install
  }
}

function npmCi() {
  // The npm that runs us, under the Node that runs us: the one in node_modules is about to be replaced.
  const ours = process.env.npm_execpath;
  const [command, first] =
    ours && basename(ours) === 'npm-cli.js'
      ? [process.execPath, [ours]]
      : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  const path = (process.env.PATH ?? '').split(delimiter).filter((dir) => !dir.includes(join('node_modules', '.bin')));
  const child = spawn(command, [...first, 'ci', '--loglevel=error', '--include=dev', '--include=optional'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: `npm cannot be started: ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
