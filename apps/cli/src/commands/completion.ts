import { Argument, type Command } from 'commander';
import { ApiClient } from '../api-client.js';
import { offerFor, type Word } from '../completion/candidates.js';
import { FILES, SHELL_SCRIPTS, type Shell, SHELLS } from '../completion/shell-scripts.js';
import type { CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { printJson, type Terminal } from '../terminal.js';

/** Nobody wants to wait for it while writing. */
const MODELS_WITHIN_MS = 1_000;

export function addCompletionCommands(table: CommandTable, program: Command, terminal: Terminal): void {
  table
    .add(
      'completion',
      {
        summary: 'print the script that makes a shell complete commands, options and models',
        example: 'eval "$(canaryctl completion bash)"\ncanaryctl completion fish | source',
      },
      async ({ output }, _options, [shell]) => {
        const script = SHELL_SCRIPTS[shell as Shell];
        if (output === 'json') printJson(terminal, { shell, script });
        else terminal.stdout.write(script);
        return EXIT.ok;
      },
    )
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS));
  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .action(async (words: string[]) => {
      for (const line of await completionLines(program, terminal, words)) terminal.stdout.write(`${line}\n`);
    });
}

async function completionLines(program: Command, terminal: Terminal, words: readonly string[]): Promise<string[]> {
  const offer = offerFor(program, words);
  switch (offer.kind) {
    case 'files':
      return [FILES];
    case 'models':
      return (await modelNames(terminal)).filter((name) => name.startsWith(words.at(-1) ?? ''));
    case 'words':
      return offer.words.map(lineOf);
  }
}

const lineOf = ({ text, help }: Word): string => (help === '' ? text : `${text}\t${help.split('\n')[0]!.slice(0, 80)}`);

/** None where the controller cannot be asked: a person in the middle of a word wants no error there. */
async function modelNames(terminal: Terminal): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(MODELS_WITHIN_MS);
    const api = new ApiClient({ ...terminal, signal: AbortSignal.any([terminal.signal, signal]) }, undefined);
    const { models } = await api.call((http) => http.GET('/api/v1/models'));
    return models.map(({ state }) => state.model);
  } catch {
    return [];
  }
}
