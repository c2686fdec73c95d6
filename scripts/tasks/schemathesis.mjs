import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.mjs';
import { say } from './say.mjs';

const REQUIREMENTS = join(ROOT, 'test', 'api-fuzz', 'requirements.txt');
const VENV = join(ROOT, '.cache', 'schemathesis');
const INSTALLED = join(VENV, 'installed.txt');

/** Installs the API's fuzzer, which is a Python program, into a place of its own. Says so when that cannot be done: its test is left out then. */
export function installSchemathesis() {
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return;
  say('Installing schemathesis, which fuzzes the API (only this first time) ...');
  rmSync(VENV, { recursive: true, force: true });
  const steps = [
    ['python3', ['-m', 'venv', VENV]],
    [join(VENV, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS]],
  ];
  for (const [program, args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
    if (status === 0) continue;
    rmSync(VENV, { recursive: true, force: true });
    const why = (error?.message ?? stderr ?? '').trim().split('\n').at(-1);
    say(`  The API is not fuzzed: that needs python3 with venv and pip, and PyPI (${program}: ${why}).`);
    return;
  }
  copyFileSync(REQUIREMENTS, INSTALLED);
}
