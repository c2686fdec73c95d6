import type { Command, Option } from 'commander';

/** What a shell may offer for the word that is being written. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly Word[] }
  /** A path: the shell knows how. */
  | { readonly kind: 'files' }
  /** A model's name: the controller knows. */
  | { readonly kind: 'models' };

export interface Word {
  readonly text: string;
  readonly help: string;
}

const NOTHING: Offer = { kind: 'words', words: [] };

/** @param words what stands after the program's name, the last one unfinished (perhaps empty) */
export function offerFor(program: Command, words: readonly string[]): Offer {
  const current = words.at(-1) ?? '';
  const { command, option, arguments: given } = walk(program, words.slice(0, -1));
  if (option) return valuesOf(option);
  if (current.startsWith('-')) return { kind: 'words', words: optionsOf(command).filter(startsWith(current)) };
  if (command.commands.length > 0) return { kind: 'words', words: commandsOf(command).filter(startsWith(current)) };
  const expected = command.registeredArguments[Math.min(given, command.registeredArguments.length - 1)];
  if (!expected || (given > 0 && !expected.variadic && given >= command.registeredArguments.length)) return NOTHING;
  if (expected.name() === 'model') return { kind: 'models' };
  const choices = expected.argChoices ?? [];
  return { kind: 'words', words: choices.map((text) => ({ text, help: '' })).filter(startsWith(current)) };
}

const startsWith =
  (current: string) =>
  ({ text }: Word): boolean =>
    text.startsWith(current);

/** Where the words before lead: a command, the option that still wants its value, and how many arguments are there. */
function walk(program: Command, before: readonly string[]) {
  let command = program;
  let option: Option | undefined;
  let given = 0;
  for (const word of before) {
    if (option) {
      option = undefined;
      continue;
    }
    if (word.startsWith('-') && word !== '-') {
      const named = command.options.find(({ short, long }) => word === short || word === long);
      option = named && (named.required || named.optional) ? named : undefined;
      continue;
    }
    const inner = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (inner && given === 0) command = inner;
    else given++;
  }
  return { command, option, arguments: given };
}

function valuesOf(option: Option): Offer {
  if (option.argChoices) return { kind: 'words', words: option.argChoices.map((text) => ({ text, help: '' })) };
  return option.flags.includes('<file>') ? { kind: 'files' } : NOTHING;
}

function optionsOf(command: Command): Word[] {
  const own = command.options.filter((option) => !option.hidden);
  return [
    ...own.map(({ long, short, description }) => ({ text: long ?? short!, help: description })),
    { text: '--help', help: 'how it is used' },
  ];
}

function commandsOf(command: Command): Word[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
    .map((one) => ({ text: one.name(), help: one.description() }));
}
