import type { Api, CommandAction } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';
import { weightsText } from '../views/figures.js';
import { statusText } from '../views/model-view.js';

interface ReasonOptions {
  readonly reason?: string;
}

export function addActingCommands(table: CommandTable): void {
  table
    .add<ReasonOptions & { full?: true }>(
      'promote <model>',
      {
        summary: 'go on to the next step now; --full: the canary becomes stable and gets everything',
        example: 'canaryctl promote digits\ncanaryctl promote digits --full --reason "checked by hand"',
      },
      (context, options, [model]) => act(context, model!, options.full ? 'promote-full' : 'promote', options),
    )
    .option('--full', 'skip all remaining steps')
    .option('--reason <text>', 'why, for the history');
  const simple = [
    [
      'pause',
      'stop at the present weights; the checks go on and still roll back',
      'canaryctl pause digits --reason "busy hours"',
    ],
    ['resume', 'go on after a pause', 'canaryctl resume digits'],
    [
      'retry',
      'try again what was rolled back or aborted: a new rollout by the same file',
      'canaryctl retry digits --reason "the model server was restarted"',
    ],
    [
      'undo',
      'after a promotion: the version that was stable before gets everything again',
      'canaryctl undo digits --reason "customers complain"',
    ],
  ] as const;
  for (const [action, summary, example] of simple)
    table
      .add<ReasonOptions>(`${action} <model>`, { summary, example }, (context, options, [model]) =>
        act(context, model!, action, options),
      )
      .option('--reason <text>', 'why, for the history');
  table
    .add<ReasonOptions>(
      'abort <model>',
      {
        summary: 'end the rollout: stable gets everything at once',
        example: 'canaryctl abort digits --reason "wrong artefact"',
      },
      (context, options, [model]) => act(context, model!, 'abort', options),
    )
    .requiredOption('--reason <text>', 'why, for those who read the history later');
  table
    .add<ReasonOptions>(
      'set-traffic <model> <version=weight...>',
      {
        summary: 'set the weights by hand, while no rollout is open; fractions that sum to 1',
        example: 'canaryctl set-traffic digits v1=0.9 v2=0.1 --reason "v2 got everything"',
      },
      setTraffic,
    )
    .requiredOption('--reason <text>', 'why, for those who read the history later');
}

async function act(
  context: CommandContext,
  model: string,
  action: Exclude<CommandAction, 'apply' | 'set-traffic'> | 'retry',
  { reason = '' }: ReasonOptions,
): Promise<number> {
  const answer = await context.api.call((http) =>
    http.POST(`/api/v1/models/{model}/${action}`, { params: { path: { model } }, body: { reason } }),
  );
  return report(context, answer);
}

async function setTraffic(context: CommandContext, { reason }: ReasonOptions, args: string[]): Promise<number> {
  const [model, ...pairs] = args;
  const params = { path: { model: model! } };
  const body = { weights: Object.fromEntries(pairs.map(readPair)), reason };
  return report(
    context,
    await context.api.call((http) => http.PUT('/api/v1/models/{model}/traffic', { params, body })),
  );
}

/** Whether the weights make sense is the controller's to say: it knows the versions. */
function readPair(pair: string): [version: string, weight: number] {
  const [, version, text] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
  const weight = Number(text);
  if (version !== undefined && Number.isFinite(weight)) return [version, weight];
  throw new CliError('bad-weight', `${pair}: write each weight as version=fraction, e.g. v1=0.9 v2=0.1`, {
    exit: EXIT.usage,
  });
}

function report({ terminal, output, screen }: CommandContext, answer: Api['CommandDone']): number {
  if (output === 'json') printJson(terminal, answer);
  else {
    const { state } = answer;
    print(terminal, [
      `${state.model}: ${statusText(state, terminal.clock.nowMs(), screen.colors)}, ${weightsText(state.weights)}`,
      state.decisions.at(-1)?.reason.text ?? '',
    ]);
  }
  return EXIT.ok;
}
