import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './processes.mjs';
import { say } from './say.mjs';

const REQUIREMENTS = join(ROOT, 'test', 'api-fuzz', 'requirements.txt');
const VENV = join(ROOT, '.cache', 'schemathesis');
const TIMEOUT_MS = 300_000;
const INSTALLED = join(VENV, 'installed.txt');

/** Installs the API's fuzzer, which is a Python program, into a place of its own. Says so when that cannot be done: its test is left out then. */
export async function installSchemathesis() {
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return;
  say('Installing schemathesis, which fuzzes the API (only this first time) ...');
  rmSync(VENV, { recursive: true, force: true });
  const steps = [
    ['python3', ['-m', 'venv', VENV]],
    [join(VENV, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS]],
  ];
  for (const [program, args] of steps) {
    try {
      await promisify(execFile)(program, args, { timeout: TIMEOUT_MS });
    } catch (error) {
      rmSync(VENV, { recursive: true, force: true });
      const why = (error.stderr || error.message).trim().split('\n').at(-1);
      say(`  The API is not fuzzed: that needs python3 with venv and pip, and PyPI (${program}: ${why}).`);
      return;
    }
  }
  copyFileSync(REQUIREMENTS, INSTALLED);
}
