import type { ReplayGap, ReplayLine, ReplayVerdict } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';
import { gapText, progressText, RulingRuns, summaryLines } from '../views/replay-view.js';
import { exportRecords } from './export-records.js';
import { checkedRolloutFile } from './rollout-files.js';

interface ReplayCommandOptions {
  readonly fromTopic?: true;
  readonly records?: string;
  readonly file?: string;
  readonly rollout?: string;
}

/** These read Kafka themselves, as the evaluator does, and write nothing. */
export function addRecordCommands(table: CommandTable): void {
  table
    .add<ReplayCommandOptions>(
      'replay [model]',
      {
        summary:
          "fold a model's records again with today's engine, and show its verdicts beside those that were given (KAFKA_BROKERS, TOPIC_PREFIX, PREDICTION_ID_KEYS as for the evaluator)",
        example:
          'canaryctl replay digits --from-topic\ncanaryctl replay digits --from-topic -f stricter-rollout.yaml\ncanaryctl replay --records records.jsonl',
      },
      replay,
    )
    .option('--from-topic', 'read the topics')
    .option('--records <file>', 'read a file that canaryctl export wrote')
    .option('-f, --file <file>', 'try another rollout file on the same traffic: other checks, limits, durations')
    .option('--rollout <id>', 'only this rollout, e.g. digits-4; with --file the newest unless named');
  table.add(
    'export <model>',
    {
      summary: 'write the records that a replay of a model needs, as JSON lines; those of other models on the way too',
      example: 'canaryctl export digits > records.jsonl',
    },
    async ({ terminal }, _options, [model]) => {
      await exportRecords(terminal, model!);
      return EXIT.ok;
    },
  );
}

async function replay(context: CommandContext, options: ReplayCommandOptions, [model]: string[]): Promise<number> {
  const { terminal, output, screen } = context;
  const args = await replayArgs(context, options, model);
  const gaps: ReplayGap[] = [];
  const verdicts: ReplayVerdict[] = [];
  const runs = new RulingRuns();
  for await (const text of terminal.replay(args)) {
    const line = JSON.parse(text) as ReplayLine;
    switch (line.kind) {
      case 'progress':
        terminal.stderr.write(`${progressText(line)}\n`);
        break;
      case 'gap':
        gaps.push(line);
        if (output === 'text') terminal.stderr.write(`${screen.colors.yellow('warning')} ${gapText(line)}\n`);
        break;
      case 'verdict':
        if (output === 'json') verdicts.push(line);
        else runs.add(line);
        break;
      case 'failed':
        throw new CliError(line.code, line.message);
      case 'summary': {
        if (output === 'json') printJson(terminal, { gaps, verdicts, summary: line });
        else print(terminal, [...runs.lines(screen), ...summaryLines(line, gaps.length)]);
        const same = line.identical + (line.otherFile ? line.sameRuling : 0);
        return same === line.verdicts ? EXIT.ok : EXIT.differs;
      }
    }
  }
  throw new CliError('replay-ended', 'the replay ended without a result');
}

async function replayArgs(context: CommandContext, options: ReplayCommandOptions, model?: string): Promise<string[]> {
  const { fromTopic, records, file, rollout } = options;
  const usage = (message: string): CliError => new CliError('usage', message, { exit: EXIT.usage });
  if ((fromTopic === undefined) === (records === undefined))
    throw usage('say where the records are: --from-topic, or --records <file>');
  if (fromTopic && model === undefined) throw usage('name the model: canaryctl replay <model> --from-topic');
  // Refused here already with line and column.
  if (file !== undefined) await checkedRolloutFile(context.terminal, file);
  const given = { model, records, file, rollout };
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
}
