import type { Command } from 'commander';
import { type Label, labelCodec, type Problem } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';

const LABELS_PER_REQUEST = 500;

export function addLabelCommands(table: CommandTable, parent: Command): void {
  table
    .add<{ file: string }>(
      'send',
      {
        summary: 'send labels, one JSON object a line: {"predictionId": "...", "label": 3}',
        example: 'canaryctl labels send -f labels.jsonl\nmy-truth-job | canaryctl labels send',
      },
      send,
      ['text', 'json'],
      parent,
    )
    .option('-f, --file <file>', 'JSON lines, - for standard input', '-');
}

async function send({ terminal, api, output }: CommandContext, { file }: { file: string }): Promise<number> {
  const labels = readLabels(await terminal.readFile(file), file);
  for (let start = 0; start < labels.length; start += LABELS_PER_REQUEST)
    await api.call((http) =>
      http.POST('/api/v1/labels', { body: { labels: labels.slice(start, start + LABELS_PER_REQUEST) } }),
    );
  if (output === 'json') printJson(terminal, { sent: labels.length });
  else print(terminal, `${labels.length} labels sent`);
  return EXIT.ok;
}

/** All lines are checked before any is sent, so that a mistake on line 900 leaves nothing half done. */
function readLabels(text: string, file: string): Label[] {
  const labels: Label[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = labelCodec.decode(Buffer.from(line));
    if (read.ok) labels.push(read.value);
    else problems.push(...read.problems.slice(0, 1).map((problem) => ({ ...problem, line: index + 1 })));
  }
  if (problems.length > 0)
    throw new CliError('bad-labels', `${problems.length} lines are no labels, nothing was sent`, {
      problems: problems.slice(0, 10),
      file,
    });
  return labels;
}
