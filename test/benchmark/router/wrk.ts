import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Guard } from '../../../deploy/local/guard.js';
import { onCore, OTHERS_CORE } from '../framework/cores.js';

export interface WrkOptions {
  readonly port: number;
  readonly seconds: number;
  readonly guard: Guard;
  /** Default: digits, at its infer path. */
  readonly model?: string;
  /** Default 64. */
  readonly connections?: number;
  /** Default 700. */
  readonly bodyBytes?: number;
  /** Default: as many as go. */
  readonly perSecond?: number;
  /** Names, in turn; default: a thousand users of both versions. */
  readonly users?: readonly string[];
  /** Default false: a request that is not answered with 2xx is an error. */
  readonly mayFail?: boolean;
}

export interface WrkFigures {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** The repository's, from where this file is when it is built. */
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const SCRIPT = join(ROOT, 'test', 'benchmark', 'router', 'predictions.lua');
const TIMEOUT_S = 30;
const USERS = Array.from({ length: 1_000 }, (_, i) => `user-${i + 1}`);

/** Lets wrk send predictions for some seconds. Throws if it cannot, or if any failed that may not. */
export async function runWrk(options: WrkOptions): Promise<WrkFigures> {
  const { port, seconds, guard, connections = 64, bodyBytes = 700, perSecond = 0 } = options;
  const { model = 'digits', users = USERS, mayFail = false } = options;
  const args = [
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', `${TIMEOUT_S}s`, '-s', SCRIPT],
    `http://127.0.0.1:${port}`,
    ...['--', `/v2/models/${model}/infer`, ...[bodyBytes, perSecond, connections].map(String), users.join(',')],
  ];
  const output = await outputOf(onCore(OTHERS_CORE, 'wrk', args), guard);
  const line = /^figures (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk failed: ${output.trim()}`);
  const { failed, ...figures } = JSON.parse(line) as WrkFigures & { readonly failed: number };
  if (failed > 0 && !mayFail) throw new Error(`${failed} of ${figures.requests} requests to port ${port} failed`);
  return figures;
}

function outputOf([file, args]: readonly [string, readonly string[]], guard: Guard): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) guard.watch('pid', child.pid);
    let output = '';
    const hear = (chunk: Buffer): void => void (output += String(chunk));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('close', () => {
      if (child.pid !== undefined) guard.forget('pid', child.pid);
      resolve(output);
    });
  });
}
