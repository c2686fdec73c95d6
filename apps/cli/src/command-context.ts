import { type Command, Option } from 'commander';
import { ApiClient } from './api-client.js';
import { type Screen, screenOf, type Terminal } from './terminal.js';

export type OutputFormat = 'text' | 'json' | 'yaml' | 'md' | 'html';

/** What every command gets besides its own arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly api: ApiClient;
  readonly output: OutputFormat;
  readonly screen: Screen;
}

/** A command's work; its return value is the exit code. */
export type Action<Options> = (context: CommandContext, options: Options, args: string[]) => Promise<number>;

/** The options that all commands share. */
interface CommonOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

/** Registers commands, each with -o and --server, and runs the one that was asked for. */
export class CommandTable {
  /** Exit code of the command that ran. */
  exitCode = 0;

  constructor(
    private readonly program: Command,
    private readonly terminal: Terminal,
  ) {}

  /** A command that only holds others: `labels send`. */
  group(name: string, summary: string): Command {
    return this.program.command(name).description(summary);
  }

  /** `signature` as commander takes it: `promote <model>`. */
  add<Options>(
    signature: string,
    text: { readonly summary: string; readonly example: string },
    action: Action<Options & CommonOptions>,
    formats: readonly OutputFormat[] = ['text', 'json'],
    parent: Command = this.program,
  ): Command {
    const command = parent
      .command(signature)
      .description(text.summary)
      .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default(formats[0]))
      .addOption(new Option('--server <url>', 'address of the controller (CANARY_SERVER)'))
      .addHelpText('after', `\nExample:\n  ${text.example.replaceAll('\n', '\n  ')}`);
    return command.action(async (...given: unknown[]) => {
      const options = command.opts<Options & CommonOptions>();
      const context: CommandContext = {
        terminal: this.terminal,
        api: new ApiClient(this.terminal, options.server),
        output: options.output,
        screen: screenOf(this.terminal),
      };
      this.exitCode = await action(context, options, given.slice(0, -2).flat() as string[]);
    });
  }
}
