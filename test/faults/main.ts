/**
 * Breaks real processes on purpose and lets an oracle count everything again: see `npm run test:faults -- --help`.
 * Progress goes to standard error, the table and the last line (or JSON) to standard output.
 */
import { mkdirSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { tableLines } from '../../apps/cli/src/views/table.js';
import { churn } from './scenarios/churn.js';
import { stopControllers } from './scenarios/controller-zombies.js';
import { CANARY_FAULTS, casesOf, USUAL_ERRORS } from './scenarios/decision-cases.js';
import { timeDecisions } from './scenarios/decision-times.js';
import { killEvaluators } from './scenarios/evaluator-kills.js';
import { stopKafka } from './scenarios/kafka-stop.js';
import { runOutages } from './scenarios/outages.js';
import type { ScenarioContext, ScenarioResult } from './scenarios/scenario.js';
import { kindsOf, runSeeds, seedsOf } from './scenarios/seeds.js';
import { soak } from './scenarios/soak.js';
import { FAULT_KINDS, FAULT_TEXT } from './schedule/schedule.js';

interface Common {
  readonly keep?: string;
  readonly json?: boolean;
}

interface DecisionTimesChoice {
  readonly runs: number;
  readonly faults: string;
  readonly aborts: number;
  readonly tables: number;
  readonly rate: number;
  readonly routers: number;
  readonly max?: number;
  readonly ownErrors: number;
}

const program = new Command('npm run test:faults --')
  .description(
    'Breaks real processes on purpose: Kafka, Redis, routers, evaluators, controllers and the ways between them.',
  )
  .option('--json', 'print all figures as JSON')
  .option('--keep <folder>', 'leave the logs of the services there')
  .helpCommand(false);

program
  .command('seeds', { isDefault: true })
  .description('Seeded load under a seeded schedule of faults, judged by an oracle. The default.')
  .option('--seed <n>', 'one seed')
  .option('--seeds <a-b>', 'several, one after the other', '1')
  .option('--brokers <n>', '1, or 3 that replicate everything', oneOrThree, 1)
  .option('--duration <seconds>', 'how long faults go on', positive, 60)
  .option('--rate <n>', 'predictions a second, of all models', positive, 200)
  .option('--only <faults>', `comma-separated: ${FAULT_KINDS.join(', ')}`)
  .addHelpText(
    'after',
    `\nFaults:\n${FAULT_KINDS.map((kind) => `  ${kind.padEnd(16)} ${FAULT_TEXT[kind]}`).join('\n')}`,
  )
  .action((options: { seed?: string; seeds: string; brokers: number; duration: number; rate: number; only?: string }) =>
    show((context) =>
      runSeeds(
        {
          seeds: seedsOf(options.seed ?? options.seeds),
          brokers: options.brokers,
          durationMs: options.duration * 1000,
          kinds: kindsOf(options.only),
          predictionsPerSecond: options.rate,
        },
        context,
      ),
    ),
  );

program
  .command('evaluator-kills')
  .description('kill -9 of an evaluator at random moments under a flood of outcomes; every count is exact.')
  .option('--times <n>', 'kills', positive, 100)
  .option('--evaluators <n>', 'that share the work', positive, 1)
  .option('--rate <n>', 'outcomes a second', positive, 5_000)
  .option('--seed <n>', 'of the traffic and the moments', positive, 1)
  .action(({ times, evaluators, rate, seed }: { times: number; evaluators: number; rate: number; seed: number }) =>
    show((context) => killEvaluators({ times, evaluators, outcomesPerSecond: rate, seed }, context)),
  );

for (const { name, outage, description } of [
  { name: 'kafka-restarts', outage: 'kafka', description: 'Kafka killed and restarted, again and again.' },
  { name: 'redis-restarts', outage: 'redis', description: 'Redis killed and restarted empty, again and again.' },
  { name: 'flushes', outage: 'flush', description: 'FLUSHALL, again and again.' },
] as const)
  program
    .command(name)
    .description(`${description} Each heals by itself within 30 s, and nothing is lost, doubled or decided otherwise.`)
    .option('--times <n>', 'how often', positive, 10)
    .option('--rate <n>', 'predictions a second, of all models', positive, 200)
    .option('--seed <n>', 'of traffic and moments', positive, 1)
    .action(({ times, rate, seed }: { times: number; rate: number; seed: number }) =>
      show((context) => runOutages({ outage, times, predictionsPerSecond: rate, seed }, context)),
    );

program
  .command('controller-zombies')
  .description('Controllers stopped in the middle of transitions, while another one takes over, and continued.')
  .option('--times <n>', 'transitions', positive, 100)
  .option('--stopped <seconds>', 'for so long at least; a takeover takes some 7 s', positive, 60)
  .option('--seed <n>', 'of the moments', positive, 1)
  .action(({ times, stopped, seed }: { times: number; stopped: number; seed: number }) =>
    show((context) => stopControllers({ times, stoppedMs: stopped * 1000, seed }, context)),
  );

program
  .command('decision-times')
  .description(
    'From a canary that goes wrong to weight 0 at every router, and from an abort by hand to 50 routing tables.',
  )
  .option('--runs <n>', 'of each fault', positive, 50)
  .option('--faults <list>', `comma-separated: ${CANARY_FAULTS.join(', ')}`, CANARY_FAULTS.join(','))
  .option('--aborts <n>', 'by hand; 0: none', Number, 20)
  .option('--tables <n>', 'routing tables that an abort has to reach', positive, 50)
  .option('--rate <n>', 'predictions a second', positive, 500)
  .option('--routers <n>', 'that share them', positive, 2)
  .option('--own-errors <share>', 'of both versions when all is well; 0: none', share, USUAL_ERRORS)
  .option('--max <share>', 'errors of the canary that end it whatever stable does, e.g. 0.1 (default: 0.5)', positive)
  .action((options: DecisionTimesChoice) =>
    show((context) => {
      const faults = CANARY_FAULTS.filter((fault) => options.faults.split(',').includes(fault));
      const { max: maxErrors, rate: predictionsPerSecond, ownErrors, runs } = options;
      const cases = casesOf(faults, ownErrors, runs);
      return timeDecisions({ ...options, cases, predictionsPerSecond, maxErrors }, context);
    }),
  );

program
  .command('kafka-stop')
  .description('Kafka stopped under predictions, which do not notice; then everything is delivered.')
  .option('--runs <n>', 'interleaved', positive, 5)
  .option('--seconds <n>', 'stopped, and as long before', positive, 60)
  .option('--rate <n>', 'predictions a second', positive, 1_000)
  .action(({ runs, seconds, rate }: { runs: number; seconds: number; rate: number }) =>
    show((context) => stopKafka({ runs, seconds, predictionsPerSecond: rate }, context)),
  );

program
  .command('soak')
  .description('Rollouts of many models under a fault every 10 s, for long: nothing grows.')
  .option('--minutes <n>', 'how long', positive, 30)
  .option('--rate <n>', 'predictions a second, of all models', positive, 150)
  .option('--models <n>', 'with rollouts', positive, 8)
  .option('--seed <n>', 'of traffic and faults', positive, 1)
  .action(({ minutes, rate, models, seed }: { minutes: number; rate: number; models: number; seed: number }) =>
    show((context) => soak({ minutes, predictionsPerSecond: rate, models, seed }, context)),
  );

program
  .command('churn')
  .description(
    'Very many connections to a router, used well and badly: no descriptor, memory or outcome is left behind.',
  )
  .option('--connections <n>', 'how many', positive, 100_000)
  .option('--at-once <n>', 'of these', positive, 64)
  .option('--seed <n>', 'of what clients do', positive, 1)
  .action(({ connections, atOnce, seed }: { connections: number; atOnce: number; seed: number }) =>
    show((context) => churn({ connections, concurrency: atOnce, seed }, context)),
  );

await program.parseAsync();

async function show(run: (context: ScenarioContext) => Promise<ScenarioResult>): Promise<void> {
  const { keep, json } = program.opts<Common>();
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { passed, head, rows, problems, summary, figures } = await run({ say, keepIn: keep ?? null });
  const lines = json
    ? [JSON.stringify({ passed, summary, problems, figures })]
    : [
        ...tableLines(
          head.map((name) => name.toUpperCase()),
          rows,
        ),
        ...problems,
        summary,
      ];
  process.stdout.write(`${lines.join('\n')}\n`);
  // Sockets of services that are gone may keep this process for a while.
  process.exit(passed ? 0 : 1);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('a number from 0 to 1');
  return value;
}

function oneOrThree(text: string): number {
  if (text !== '1' && text !== '3') throw new InvalidArgumentError('1 or 3');
  return Number(text);
}
