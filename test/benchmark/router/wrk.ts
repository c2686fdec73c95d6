import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onCore } from '../framework/program.js';

export interface WrkOptions {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly bodyBytes: number;
  /** 0: as many as go. */
  readonly perSecond: number;
  readonly core?: number;
}

export interface WrkFigures {
  readonly requests: number;
  readonly seconds: number;
  /** Not answered, or not with 2xx or 3xx. */
  readonly failed: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const SCRIPT = join(process.cwd(), 'test', 'benchmark', 'router', 'predictions.lua');
const TIMEOUT_S = 30;

/** Lets wrk send predictions for some seconds. Throws with its words if it cannot. */
export async function runWrk(options: WrkOptions): Promise<WrkFigures> {
  const { port, connections, seconds, bodyBytes, perSecond, core } = options;
  const args = [
    ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', `${TIMEOUT_S}s`, '-s', SCRIPT],
    `http://127.0.0.1:${port}`,
    ...['--', ...[bodyBytes, perSecond, connections].map(String)],
  ];
  const [file, allArgs] = onCore(core, 'wrk', args);
  const output = await outputOf(file, allArgs);
  const figures = /^figures (.*)$/m.exec(output)?.[1];
  if (figures === undefined) throw new Error(`wrk failed: ${output.trim()}`);
  return JSON.parse(figures) as WrkFigures;
}

function outputOf(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const hear = (chunk: Buffer): void => void (output += String(chunk));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
