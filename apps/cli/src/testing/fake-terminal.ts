import { ManualClock, MemoryBus } from '@app/shared';
import { runCli } from '../run-cli.js';
import type { Terminal } from '../terminal.js';

export interface CliRun {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line at a terminal that is made of what a test gives; the rest does nothing or rejects. */
export async function runAtTerminal(args: readonly string[], change: Partial<Terminal> = {}): Promise<CliRun> {
  let [out, err] = ['', ''];
  const clock = change.clock ?? new ManualClock(0);
  const unexpected = (what: string) => async (): Promise<never> => {
    throw new Error(`no ${what} expected`);
  };
  const exit = await runCli(args, {
    env: {},
    clock,
    fetch: unexpected('request'),
    signal: new AbortController().signal,
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    isInteractive: false,
    nodeVersion: '24.0.0',
    ask: unexpected('question'),
    writeFile: unexpected('file'),
    dial: unexpected('connection'),
    redisFacts: unexpected('Redis'),
    readFile: unexpected('file'),
    sleep: async () => undefined,
    connectBus: () => new MemoryBus({ clock }),
    replay: async function* () {},
    rehearse: async function* () {},
    ...change,
  });
  return { exit, out, err };
}

/** Words of a command line; double quotes hold words together. */
export const wordsOf = (line: string): string[] => line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
