import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const bin = (name) => join(ROOT, 'node_modules', '.bin', name);

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const exitCode = (code, signal) => code ?? 128 + (constants.signals[signal] ?? 0);

/** This environment with `node` being the one of `command`, whatever else is on the PATH. */
const environment = (node) => ({ ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` });

/** Tools of ours take a CI for a terminal; a file with colours in it is hard to read. */
const noColours = () => (process.stderr.isTTY || process.env.FORCE_COLOR !== undefined ? {} : { NO_COLOR: '1' });

/** Runs a program in place of this one: its streams, its signals, its exit code. */
export async function runAndExit(command, args) {
  const child = spawn(command, args, { stdio: 'inherit', env: environment(command) });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(exitCode(code, signal)));
  });
  process.exit(code);
}

const running = new Set();
let interrupted = false;

function interrupt(signal) {
  interrupted = true;
  process.exitCode = 128 + constants.signals[signal];
  for (const child of running) signalAll(child, signal);
}

/** A child that leads a session of its own is not reached by the terminal's Ctrl-C, nor are its children. */
function signalAll(child, signal) {
  if (!child.leadsSession) return child.kill(signal);
  try {
    process.kill(-child.pid, signal);
  } catch {
    // it has just ended
  }
}

/** Signals are ours only while tools run: a task that was imported into this process has its own way to end. */
function track(child) {
  if (running.size === 0) for (const signal of SIGNALS) process.on(signal, interrupt);
  running.add(child);
}

function untrack(child) {
  running.delete(child);
  if (running.size > 0) return;
  for (const signal of SIGNALS) process.off(signal, interrupt);
  if (interrupted) process.exit();
}

/**
 * Gives a program, which leads a session of its own, what others leave of the processors. Linux shares them out by
 * session first (autogroup): a low priority alone yields to nobody but the session's own processes.
 */
function yieldToOthers(pid) {
  setPriority(pid, constants.priority.PRIORITY_LOW);
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
  } catch {
    // another system, or a Linux that shares by process
  }
}

/**
 * Runs one of our tools under this Node.
 * @param {string} script path of its JavaScript, or of a file in node_modules/.bin
 * @param {readonly string[]} args
 * @param {{ show?: boolean, low?: boolean }} [options] show: its output goes to standard error as it comes; otherwise it
 *   is collected. low: it computes in what the others leave of the processors
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runTool(script, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: ROOT,
      stdio: options.show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'],
      env: { ...environment(process.execPath), ...noColours() },
      detached: options.low === true,
    });
    child.leadsSession = options.low === true;
    track(child);
    if (options.low && child.pid !== undefined) yieldToOthers(child.pid);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      untrack(child);
      resolve({ code: exitCode(code, signal), output });
    });
  });
}
