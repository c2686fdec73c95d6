import { Option } from 'commander';
import type { RehearsalReport, RehearsalRequest } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { RehearsalBar } from '../rehearsal-bar.js';
import { print, printJson } from '../terminal.js';
import { rehearsalLines } from '../views/rehearsal-view.js';
import { readRehearsal, type SimulateOptions } from './rehearsal-options.js';
import { checkedRolloutFile } from './rollout-files.js';

export function addSimulateCommand(table: CommandTable): void {
  table
    .add<SimulateOptions>(
      'simulate',
      {
        summary:
          'rehearse a rollout file with the real engine on simulated traffic, again and again: its chances, its times, what it waits for',
        example:
          'canaryctl simulate -f rollout.yaml --rate 200\ncanaryctl simulate -f rollout.yaml --rate 200 --errors 0.02 --degrade accuracy=-0.02\ncanaryctl simulate -f rollout.yaml --rate 50 --degrade dead-after=100s --runs 1000',
      },
      simulate,
    )
    .requiredOption('-f, --file <file>', 'rollout file, - for standard input')
    .requiredOption('--rate <predictions/s>', 'traffic of the model')
    .option('--errors <fraction>', "stable's error rate", '0.02')
    .option('--latency <quantiles>', "stable's latency, ms", 'p50=50,p99=160')
    .option('--accuracy <fraction>', "stable's accuracy", '0.9')
    .option('--labels-after <duration>', 'mean time from an answer to its label', '5s')
    .option('--labels-missing <fraction>', 'answers that never get a label', '0')
    .option(
      '--users <n>',
      'users who come back, some often, and keep their version; default: each prediction is from another',
    )
    .addOption(
      new Option(
        '--degrade <what>',
        'how the canary is worse: errors=+0.05, accuracy=-0.02, latency=x1.3, dead-after=100s; repeatable',
      )
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([], 'as good as stable'),
    )
    .option('--runs <n>', 'so many rollouts; default: as many as --for allows')
    .option('--for <duration>', 'so long; default 20s, unless --runs is given')
    .option('--within <duration>', 'a rollout not over by then is undecided; default five times what it should take')
    .option('--jobs <n>', 'rollouts at once; default: one a core')
    .option('--seed <n>', 'other random numbers', '1');
}

async function simulate(context: CommandContext, options: SimulateOptions): Promise<number> {
  const spec = await checkedRolloutFile(context.terminal, options.file);
  if (!spec.canary)
    throw new CliError(
      'no-canary',
      `${options.file} registers ${spec.model} and has no canary, so there is nothing to rehearse`,
    );
  const request = readRehearsal(spec, options);
  const report = await reportOf(context, request);
  if (context.output === 'json')
    printJson(context.terminal, {
      traffic: request.traffic,
      canary: request.canary,
      withinMs: request.withinMs,
      ...report,
    });
  else print(context.terminal, rehearsalLines(request, report, context.screen));
  return EXIT.ok;
}

async function reportOf({ terminal }: CommandContext, request: RehearsalRequest): Promise<RehearsalReport> {
  const bar = new RehearsalBar(terminal, request);
  try {
    for await (const line of terminal.rehearse(request))
      switch (line.kind) {
        case 'progress':
          bar.update(line);
          break;
        case 'report':
          return line.report;
        case 'failed':
          throw new CliError('rehearsal-failed', `the rehearsal broke down: ${line.message}`);
      }
  } finally {
    bar.close();
  }
  throw new CliError('rehearsal-ended', 'the rehearsal ended without a report');
}
