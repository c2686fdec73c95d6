import { estimateDuration, parseDuration, parseRolloutSpec } from '@app/shared';
import { CliError } from '../cli-error.js';
import type { CommandContext, CommandTable } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson, problemLine, type Terminal } from '../terminal.js';
import { estimateLines } from '../views/estimate-view.js';
import { type RolloutAnswers, rolloutFileText } from '../views/rollout-file-text.js';

interface InitOptions {
  readonly file: string;
  readonly model?: string;
  readonly stable?: string;
  readonly canary?: string;
  readonly pointer?: string;
  readonly labelsWithin?: string;
  readonly steps?: string;
  readonly bake?: string;
  readonly rate?: string;
  readonly force?: true;
}

export function addInitCommand(table: CommandTable): void {
  table
    .add<InitOptions>(
      'init',
      {
        summary: 'write a rollout file with comments: what is not given as an option is asked for at a terminal',
        example:
          'canaryctl init\ncanaryctl init --model digits --stable v1=http://v1:9001 --canary v2=http://v2:9001 --pointer /outputs/0/data/0',
      },
      init,
    )
    .option('-f, --file <file>', 'the file to write, - for standard output', 'rollout.yaml')
    .option('--model <name>', 'the model')
    .option('--stable <version=url>', 'the version that serves, and its model server')
    .option('--canary <version=url>', 'the version to be tried, and its model server')
    .option('--pointer <pointer>', 'JSON pointer to the predicted class in an answer; "" for none')
    .option('--labels-within <duration>', 'how long the truth about a prediction may take')
    .option('--steps <shares>', 'shares of the canary in per cent, rising to 100')
    .option('--bake <duration>', 'how long it serves everybody before it is promoted')
    .option('--rate <predictions/s>', 'traffic of the model, to say how long it will take')
    .option('--force', 'write over a file that is there');
}

async function init({ terminal, output, screen }: CommandContext, options: InitOptions): Promise<number> {
  const text = rolloutFileText(await answersOf(terminal, options));
  const parsed = parseRolloutSpec(text);
  if (!parsed.ok)
    throw new CliError(
      'bad-answers',
      `this makes no rollout file:\n${parsed.problems.map((p) => `  ${p.message}`).join('\n')}`,
      {
        exit: EXIT.usage,
      },
    );
  if (output === 'json') printJson(terminal, { file: options.file, text, spec: parsed.value });
  if (options.file === '-') {
    if (output !== 'json') terminal.stdout.write(text);
    return EXIT.ok;
  }
  await write(terminal, options, text);
  if (output === 'json') return EXIT.ok;
  const rate = options.rate === undefined ? undefined : Number(options.rate);
  print(terminal, [
    `${options.file} is written; look through it, then: canaryctl apply -f ${options.file} --dry-run`,
    ...parsed.warnings.map((warning) => `${screen.colors.yellow('warning')} ${problemLine(warning, options.file)}`),
    ...(rate !== undefined && rate >= 0 ? estimateLines(parsed.value, estimateDuration(parsed.value, rate)) : []),
  ]);
  return EXIT.ok;
}

async function write(terminal: Terminal, { file, force }: InitOptions, text: string): Promise<void> {
  try {
    await terminal.writeFile(file, text, { overwrite: force === true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' ? 'is there already: --force writes over it, -f names another' : `cannot be written (${code})`;
    throw new CliError('unwritable-file', `${file} ${why}`);
  }
}

interface Question {
  readonly option: string;
  readonly text: string;
  /** Taken for an empty answer, and without a terminal; undefined: it must be answered. */
  readonly fallback?: string;
  /** What is wrong with an answer, or null. */
  readonly check: (answer: string) => string | null;
}

const notEmpty = (answer: string): string | null => (answer === '' ? 'it needs one' : null);
const versionAt = (answer: string): string | null =>
  /^[^=\s]+=https?:\/\/\S+$/.test(answer) ? null : 'write version=url, e.g. v1=http://10.0.0.5:9001';
const durationText = (answer: string): string | null =>
  parseDuration(answer) === undefined ? 'write a duration, e.g. 5m' : null;

const QUESTIONS = {
  model: { option: '--model', text: 'Name of the model', check: notEmpty },
  stable: { option: '--stable', text: 'Version that serves now, as version=url', check: versionAt },
  canary: { option: '--canary', text: 'Version to be tried, as version=url', check: versionAt },
  pointer: {
    option: '--pointer',
    text: 'JSON pointer to the predicted class in an answer (- for none: accuracy is not compared)',
    fallback: '-',
    check: (answer) => (/^(-|\/.*|)$/.test(answer) ? null : 'write a JSON pointer, e.g. /outputs/0/data/0, or -'),
  },
  labelsWithin: {
    option: '--labels-within',
    text: 'How long the truth about a prediction may take',
    fallback: '5m',
    check: durationText,
  },
  steps: {
    option: '--steps',
    text: "The canary's shares in per cent, step by step",
    fallback: '10,50,100',
    check: (answer) => (sharesOf(answer) ? null : 'write rising numbers that end with 100, e.g. 5,25,100'),
  },
  bake: {
    option: '--bake',
    text: 'How long it serves everybody before it is promoted',
    fallback: '10m',
    check: durationText,
  },
} as const satisfies Record<string, Question>;

async function answersOf(terminal: Terminal, options: InitOptions): Promise<RolloutAnswers> {
  const answer = async (name: keyof typeof QUESTIONS): Promise<string> =>
    answerTo(terminal, QUESTIONS[name], options[name]);
  const model = await answer('model');
  const stable = placeOf(await answer('stable'));
  const canary = placeOf(await answer('canary'));
  if (canary.version === stable.version)
    throw new CliError('usage', `--canary: ${canary.version} is the stable version too; give it a name of its own`, {
      exit: EXIT.usage,
    });
  const given = await answer('pointer');
  const pointer = given === '-' ? '' : given;
  return {
    model,
    stable,
    canary,
    pointer,
    labelsWithin: pointer === '' ? '5m' : await answer('labelsWithin'),
    shares: sharesOf(await answer('steps'))!,
    bake: await answer('bake'),
  };
}

async function answerTo(terminal: Terminal, question: Question, given: string | undefined): Promise<string> {
  if (given !== undefined) {
    const problem = question.check(given);
    if (problem) throw new CliError('usage', `${question.option} ${given}: ${problem}`, { exit: EXIT.usage });
    return given;
  }
  if (!terminal.isInteractive) {
    if (question.fallback !== undefined) return question.fallback;
    throw new CliError('usage', `${question.option} is missing (there is no terminal to ask at)`, { exit: EXIT.usage });
  }
  for (;;) {
    const shown = question.fallback === undefined ? '' : ` [${question.fallback}]`;
    const answer = (await terminal.ask(`${question.text}${shown}: `)).trim() || (question.fallback ?? '');
    const problem = question.check(answer);
    if (!problem) return answer;
    terminal.stderr.write(`  ${problem}\n`);
  }
}

function placeOf(text: string): { version: string; url: string } {
  const at = text.indexOf('=');
  return { version: text.slice(0, at), url: text.slice(at + 1) };
}

function sharesOf(text: string): number[] | undefined {
  const shares = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const rising = shares.every((share, i) => share > (shares[i - 1] ?? 0));
  return rising && shares.at(-1) === 100 ? shares : undefined;
}
