import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { printJson } from '../terminal.js';
import { reportOf } from '../views/report.js';
import { reportHtml } from '../views/report-html.js';
import { reportMarkdown } from '../views/report-markdown.js';
import { readModel } from './follow-model.js';

export function addReportCommand(table: CommandTable): void {
  table.add(
    'report <model>',
    {
      summary: 'one page about the newest rollout to go with a change ticket: what, why, checks, decisions',
      example: 'canaryctl report digits -o html > digits-4.html\ncanaryctl report digits -o md',
    },
    report,
    ['md', 'html', 'json'],
  );
}

async function report(context: CommandContext, _options: object, [model]: string[]): Promise<number> {
  const { terminal, api, output } = context;
  const view = await readModel(context, model!);
  const params = { path: { model: model! }, query: { limit: 1000 } };
  const { decisions } = await api.call((http) => http.GET('/api/v1/models/{model}/history', { params }));
  const made = reportOf(view, decisions, terminal.clock.nowMs());
  if (output === 'json') printJson(terminal, made);
  else terminal.stdout.write(output === 'html' ? reportHtml(made) : reportMarkdown(made));
  return EXIT.ok;
}
