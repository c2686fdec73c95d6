import { type Api, renderRolloutSpec, type RolloutState } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';
import { explainLines } from '../views/explain-view.js';
import { historyLines } from '../views/history-view.js';
import { listLines } from '../views/list-view.js';
import { modelLines, statusText } from '../views/model-view.js';
import { followModel, readModel } from './follow-model.js';
import { readDurationOption } from './options.js';

export function addLookingCommands(table: CommandTable): void {
  table.add(
    'list',
    { summary: 'all models, one line each', example: 'canaryctl list' },
    async ({ terminal, api, output, screen }) => {
      const { models } = await api.call((http) => http.GET('/api/v1/models'));
      if (output === 'json') printJson(terminal, models);
      else print(terminal, listLines(models, terminal.clock.nowMs(), screen));
      return EXIT.ok;
    },
  );
  table
    .add<{ watch?: true }>(
      'get <model>',
      {
        summary: 'a model: weights, checks with their figures, the last decision; -o yaml gives the rollout file',
        example: 'canaryctl get digits -w\ncanaryctl get digits -o yaml > rollout.yaml',
      },
      get,
      ['text', 'json', 'yaml'],
    )
    .option('-w, --watch', 'print again when something changes, until the rollout has ended');
  table
    .add<{ wait?: true; timeout: string }>(
      'status <model>',
      {
        summary:
          'how its rollout stands, as one line and an exit code: 0 promoted, 2 rolled back or aborted, 3 not over',
        example: 'canaryctl status digits --wait --timeout 2h || echo "not promoted"',
      },
      status,
    )
    .option('--wait', 'until it has ended, or waits for a person')
    .option('--timeout <duration>', 'longest wait', '24h');
  table.add(
    'history <model>',
    {
      summary: 'every decision: step, traffic, what the metrics said, why, and the result',
      example: 'canaryctl history digits',
    },
    async ({ terminal, api, output, screen }, _options, [model]) => {
      const { decisions } = await api.call((http) =>
        http.GET('/api/v1/models/{model}/history', { params: { path: { model: model! } } }),
      );
      if (output === 'json') printJson(terminal, decisions);
      else print(terminal, historyLines(decisions, terminal.clock.nowMs(), screen.columns));
      return EXIT.ok;
    },
  );
  table.add(
    'explain <model>',
    {
      summary: 'why it stands where it stands: the evidence of every check in words',
      example: 'canaryctl explain digits',
    },
    async (context, _options, [model]) => {
      const { terminal, output, screen } = context;
      const view = await readModel(context, model!);
      if (output === 'json')
        printJson(terminal, { decision: view.state.decisions.at(-1) ?? null, verdict: view.verdict });
      else print(terminal, explainLines(view, terminal.clock.nowMs(), screen.colors));
      return EXIT.ok;
    },
  );
}

async function get(context: CommandContext, options: { watch?: true }, [model]: string[]): Promise<number> {
  const { terminal, output, screen } = context;
  if (!options.watch) {
    const view = await readModel(context, model!);
    if (output === 'yaml') terminal.stdout.write(yamlOf(view.state));
    else if (output === 'json') printJson(terminal, view);
    else print(terminal, modelLines(view, terminal.clock.nowMs(), screen));
    return EXIT.ok;
  }
  let shown = '';
  for await (const view of followModel(context, model!)) {
    const text = output === 'json' ? JSON.stringify(view) : modelLines(view, terminal.clock.nowMs(), screen).join('\n');
    // Ages move all the time: without a screen to draw on, only what happened is worth a line.
    const key = terminal.stdout.isTTY ? text : `${view.state.sequence} ${view.verdict?.verdictId}`;
    if (key === shown) continue;
    shown = key;
    print(terminal, terminal.stdout.isTTY && output === 'text' ? `\u001b[H\u001b[2J${text}` : text);
  }
  return EXIT.ok;
}

function yamlOf(state: RolloutState): string {
  if (state.rollout) return renderRolloutSpec(state.rollout.spec);
  throw new CliError('no-rollout', `${state.model} has had no rollout, so there is no file of it: use -o json`);
}

async function status(
  context: CommandContext,
  options: { wait?: true; timeout: string },
  [model]: string[],
): Promise<number> {
  const { terminal, output, screen } = context;
  const deadlineMs = terminal.clock.monotonicMs() + readDurationOption('--timeout', options.timeout);
  let view: Api['ModelView'] | undefined;
  if (options.wait) {
    for await (const seen of followModel(context, model!)) {
      view = seen;
      if (waitsForPerson(seen.state) || terminal.clock.monotonicMs() >= deadlineMs) break;
    }
  }
  view ??= await readModel(context, model!);
  const { state } = view;
  const exitCode = exitCodeOf(state);
  if (output === 'json')
    printJson(terminal, {
      model,
      status: state.rollout?.status ?? 'stable',
      exitCode,
      decision: state.decisions.at(-1) ?? null,
    });
  else {
    const reason = state.decisions.at(-1)?.reason.text;
    print(
      terminal,
      `${model}: ${statusText(state, terminal.clock.nowMs(), screen.colors)}${reason ? `: ${reason}` : ''}`,
    );
  }
  return exitCode;
}

const waitsForPerson = ({ rollout }: RolloutState): boolean =>
  rollout?.status === 'paused' && rollout.pause?.until === undefined;
