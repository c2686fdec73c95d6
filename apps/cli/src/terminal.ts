import pc from 'picocolors';
import type { RedisFacts } from './doctor/findings.js';
import type { Clock, Env, MessageBus, Problem, RehearsalLine, RehearsalRequest } from '@app/shared';

/** Everything a command touches outside itself, so that tests give their own. */
export interface Terminal {
  readonly env: Env;
  readonly clock: Clock;
  fetch(request: Request): Promise<Response>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Whether a person sits at standard input. */
  readonly isInteractive: boolean;
  /** Of the Node that runs this, without the v. */
  readonly nodeVersion: string;
  /** Asks that person; the answer without its line end. */
  ask(question: string): Promise<string>;
  /** Rejects with code EEXIST for a file that is there, unless it is to be overwritten. */
  writeFile(path: string, text: string, options: { readonly overwrite: boolean }): Promise<void>;
  /** Resolves once a TCP connection stood. */
  dial(host: string, port: number): Promise<void>;
  redisFacts(url: string): Promise<RedisFacts>;
  /** Text of a file, or of standard input for `-`. */
  readFile(path: string): Promise<string>;
  /** Resolves after so many ms, or at once when the signal is aborted. */
  sleep(ms: number): Promise<void>;
  /** Runs the evaluator's replay with these arguments: the lines it prints, each a ReplayLine as JSON. */
  replay(args: readonly string[]): AsyncIterable<string>;
  /** Runs the evaluator's rehearsal: what it says, the report last. Aborted, it reports what it knows so far. */
  rehearse(request: RehearsalRequest): AsyncIterable<RehearsalLine>;
  /** A bus to the Kafka that the environment names. Throws CanaryError bad-configuration. */
  connectBus(): MessageBus;
}

export type Colors = ReturnType<typeof pc.createColors>;

/** What a person looks at. */
export interface Screen {
  readonly colors: Colors;
  /** Width, characters; undefined: no screen, lines may have any length. */
  readonly columns: number | undefined;
}

/** Colours only for a person at a terminal who has not set NO_COLOR (https://no-color.org). */
export function screenOf({ env, stdout }: Terminal): Screen {
  const isScreen = stdout.isTTY === true;
  return {
    colors: pc.createColors(isScreen && !env['NO_COLOR'] && env['TERM'] !== 'dumb'),
    columns: isScreen ? stdout.columns : undefined,
  };
}

export function print({ stdout }: Terminal, lines: string | readonly string[]): void {
  stdout.write(`${typeof lines === 'string' ? lines : lines.join('\n')}\n`);
}

export function printJson(terminal: Terminal, value: unknown): void {
  print(terminal, JSON.stringify(value, null, 2));
}

/** `rollout.yaml:9:22: steps.1...` as compilers write it, so that editors find the place. */
export function problemLine(problem: Problem, file?: string): string {
  const place = [file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return place === '' ? problem.message : `${place}: ${problem.message}`;
}
