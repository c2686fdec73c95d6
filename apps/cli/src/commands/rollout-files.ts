import {
  type Api,
  type DurationEstimate,
  estimateDuration,
  parseRolloutSpec,
  type Problem,
  type RolloutSpec,
} from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson, problemLine, type Terminal } from '../terminal.js';
import { estimateLines } from '../views/estimate-view.js';

interface FileOptions {
  readonly file: string;
  readonly rate?: string;
}

interface ApplyOptions extends FileOptions {
  readonly dryRun?: true;
  readonly reason?: string;
}

/** Traffic at which `lint` says how long it would take, unless told: the controller knows the present one, lint does not. */
const EXAMPLE_RATES = [50, 500, 5000];

export function addFileCommands(table: CommandTable): void {
  table
    .add<ApplyOptions>(
      'apply',
      {
        summary: 'start a rollout, or register a model (a file without canary); the same file twice acts once',
        example:
          'canaryctl apply -f rollout.yaml --dry-run\ncanaryctl apply -f rollout.yaml && canaryctl status digits --wait',
      },
      apply,
    )
    .requiredOption('-f, --file <file>', 'rollout file, - for standard input')
    .option('--dry-run', 'only check it and say how long it will take')
    .option('--rate <predictions/s>', 'traffic to say how long by, instead of the present one')
    .option('--reason <text>', 'why, for the history');
  table
    .add<FileOptions>(
      'lint',
      {
        summary: 'check a rollout file without a controller, and say how long it will take',
        example: 'canaryctl lint -f rollout.yaml --rate 200',
      },
      lint,
    )
    .requiredOption('-f, --file <file>', 'rollout file, - for standard input')
    .option('--rate <predictions/s>', 'traffic of the model');
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<number> {
  const { terminal, api } = context;
  const text = await readFile(terminal, options.file);
  // Refused here already with line and column, so that a wrong file needs no controller.
  const { value: spec } = parse(text, options.file);
  const query = {
    ...(options.dryRun ? { dryRun: true } : {}),
    ...(options.reason ? { reason: options.reason } : {}),
    ...(options.rate ? { predictionsPerSecond: readRate(options.rate) } : {}),
  };
  const answer = await api.call((http) =>
    http.POST('/api/v1/rollouts', {
      params: { query },
      headers: { 'content-type': 'text/yaml' },
      // The file as it was written; the document describes what it says once it is read.
      body: text as unknown as Api['RolloutFile'],
      bodySerializer: () => text,
    }),
  );
  if (context.output === 'json') printJson(terminal, answer);
  else
    print(terminal, [
      ...answer.warnings.map((warning) => warningLine(context, warning, options.file)),
      appliedLine(spec, answer),
      ...(spec.canary ? forecastLines(context, spec, answer.estimate) : []),
    ]);
  return EXIT.ok;
}

function appliedLine(spec: RolloutSpec, { dryRun, changed, rollout }: Api['Applied']): string {
  if (dryRun)
    return `${spec.model}: the file is right, and would ${changed ? 'be carried out' : 'change nothing'}; nothing was done`;
  if (!changed) return `${spec.model}: ${rollout ?? spec.stable.version} stands like that already, nothing was done`;
  return spec.canary
    ? `${spec.model}: ${rollout} begins as soon as ${spec.canary.version} is ready; watch it with canaryctl get ${spec.model} -w`
    : `${spec.model}: registered, ${spec.stable.version} gets all the traffic`;
}

function forecastLines(context: CommandContext, spec: RolloutSpec, estimate: DurationEstimate | null): string[] {
  if (!estimate) return ['how long it takes depends on the traffic, which is not known yet: see canaryctl lint --rate'];
  const warnings = estimate.warnings.map((warning) => `  ${warningLine(context, warning)}`);
  return [...estimateLines(spec, estimate), ...warnings];
}

async function lint(context: CommandContext, options: FileOptions): Promise<number> {
  const { terminal } = context;
  const rates = options.rate === undefined ? EXAMPLE_RATES : [readRate(options.rate)];
  const { value: spec, warnings } = parse(await readFile(terminal, options.file), options.file);
  const estimates = spec.canary ? rates.map((rate) => estimateDuration(spec, rate)) : [];
  if (context.output === 'json') {
    printJson(terminal, { ok: true, spec, warnings, estimates });
    return EXIT.ok;
  }
  print(terminal, [
    ...warnings.map((warning) => warningLine(context, warning, options.file)),
    `${options.file}: right, ${spec.canary ? `${spec.steps.length} steps from ${spec.stable.version} to ${spec.canary.version}` : `registers ${spec.model}`}`,
    ...estimates.flatMap((estimate) => forecastLines(context, spec, estimate)),
  ]);
  return EXIT.ok;
}

/** The spec of a rollout file; a wrong one is refused with line and column. */
export async function checkedRolloutFile(terminal: Terminal, file: string): Promise<RolloutSpec> {
  return parse(await readFile(terminal, file), file).value;
}

async function readFile(terminal: Terminal, path: string): Promise<string> {
  try {
    return await terminal.readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError('unreadable-file', `${path} cannot be read (${code}): give a file, or - for standard input`);
  }
}

function parse(text: string, file: string): { readonly value: RolloutSpec; readonly warnings: readonly Problem[] } {
  const parsed = parseRolloutSpec(text);
  if (parsed.ok) return parsed;
  throw new CliError('bad-rollout-file', `${file} was refused`, { problems: parsed.problems, file });
}

function readRate(text: string): number {
  const rate = Number(text);
  if (text.trim() !== '' && Number.isFinite(rate) && rate >= 0) return rate;
  throw new CliError('bad-rate', `--rate ${text}: write predictions per second as a number, e.g. 200`, {
    exit: EXIT.usage,
  });
}

const warningLine = ({ screen }: CommandContext, warning: Problem, file?: string): string =>
  `${screen.colors.yellow('warning')} ${problemLine(warning, file)}`;
