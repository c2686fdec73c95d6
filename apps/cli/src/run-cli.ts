import { CanaryError, VERSION } from '@app/shared';
import { Command, CommanderError } from 'commander';
import { CliError } from './cli-error.js';
import { CommandTable } from './command-context.js';
import { addActingCommands } from './commands/acting.js';
import { addCompletionCommands } from './commands/completion.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addInitCommand } from './commands/init.js';
import { addLabelCommands } from './commands/labels.js';
import { addLookingCommands } from './commands/looking.js';
import { addRecordCommands } from './commands/records.js';
import { addReportCommand } from './commands/report.js';
import { addFileCommands } from './commands/rollout-files.js';
import { addSimulateCommand } from './commands/simulate.js';
import { addTopicCommands } from './commands/topics.js';
import { EXIT } from './exit-codes.js';
import { problemLine, type Terminal } from './terminal.js';

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command('canaryctl')
    .description('Canary releases of models: start, watch and steer rollouts.')
    .version(VERSION)
    .addHelpText(
      'after',
      [
        '',
        'Exit codes: 0 done (status: promoted), 1 error, 2 rolled back or aborted (replay: it differs), 3 paused, not over or timeout, 64 usage.',
        'Environment: CANARY_SERVER, CANARY_TOKEN or CANARY_TOKEN_FILE, NO_COLOR; for topics, doctor, replay and export: KAFKA_BROKERS, TOPIC_PREFIX, TOPIC_NAMES.',
      ].join('\n'),
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError('(--help shows how it is used)');
  const table = new CommandTable(program, terminal);
  addInitCommand(table);
  addFileCommands(table);
  addSimulateCommand(table);
  addLookingCommands(table);
  addReportCommand(table);
  addActingCommands(table);
  addLabelCommands(table, table.group('labels', 'the truth about predictions'));
  addRecordCommands(table);
  addTopicCommands(table, table.group('topics', 'the topics in Kafka'));
  addDoctorCommand(table);
  addCompletionCommands(table, program, terminal);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return table.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportFailure(error, terminal, asksForJson(args));
  }
}

/** Failures go to standard error, as JSON when JSON was asked for, so that standard output stays clean. */
function reportFailure(error: unknown, terminal: Terminal, json: boolean): number {
  const failure = error instanceof CliError ? error : fromElsewhere(error);
  const { problems = [], file } = failure.details;
  const text = json
    ? JSON.stringify({ error: { code: failure.code, message: failure.message, problems } }, null, 2)
    : [`error: ${failure.message}`, ...problems.map((problem) => `  ${problemLine(problem, file)}`)].join('\n');
  terminal.stderr.write(`${text}\n`);
  return failure.exit;
}

function fromElsewhere(error: unknown): CliError {
  if (error instanceof CanaryError) return new CliError(error.code, error.message);
  if (error instanceof Error && error.name.startsWith('KafkaJS')) {
    const { message } = innermost(error);
    return new CliError(
      'kafka-unusable',
      `Kafka cannot be used: ${message}. Check KAFKA_BROKERS; canaryctl doctor says more`,
    );
  }
  return new CliError('unexpected', `this should not have happened: ${(error as Error)?.stack ?? String(error)}`);
}

/** What is at the bottom of an error that was wrapped. */
const innermost = (error: Error): Error => (error.cause instanceof Error ? innermost(error.cause) : error);

const asksForJson = (args: readonly string[]): boolean => {
  const at = args.findIndex((arg) => arg === '-o' || arg === '--output');
  return (at >= 0 && args[at + 1] === 'json') || args.includes('-ojson') || args.includes('--output=json');
};
