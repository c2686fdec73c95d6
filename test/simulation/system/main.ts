/**
 * The deterministic simulation: routers, evaluators and controllers on simulated machines, under the faults of a seed.
 * See docs/faults.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { wholeNumber } from '../../fixtures/whole-number.js';
import { MUTANTS } from './mutants.js';
import { makePlan, type PlanSize } from './plan/make-plan.js';
import type { Plan } from './plan/plan.js';
import { shrink } from './plan/shrink.js';
import { Pool } from './pool.js';
import type { RunResult } from './run.js';
import { faultText } from './world/faults.js';

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly plan?: string;
  readonly trace?: boolean;
  readonly shrink: boolean;
  readonly small?: boolean;
  readonly mutants?: boolean;
  readonly only?: string;
  readonly workers: number;
}

const program = new Command('npm run test:simulation --')
  .description('Runs routers, evaluators and controllers under seeded faults, in simulated time.')
  .option('--seeds <n>', 'how many schedules to run', wholeNumber(1), 200)
  .option('--from <n>', 'the first of them', wholeNumber(0), 1)
  .option('--seed <n>', 'only this one', wholeNumber(0))
  .option('--plan <file>', 'only the plan in this file, as a failing seed leaves it')
  .option('--small', 'small schedules: one partition and model, at most two of each service and four faults')
  .option('--trace', 'print the history')
  .option('--no-shrink', 'do not look for the shortest history of a failing seed')
  .option('--mutants', 'find a seed for each fault of mutants.ts, from --from on, in at most --seeds')
  .option('--only <text>', 'of these only those whose name has this in it')
  .option('--workers <n>', 'threads; by default one for each core', wholeNumber(1), availableParallelism())
  .allowExcessArguments(false)
  .addHelpText(
    'after',
    '\nExit code 0: every invariant held in every schedule; 1: not so, or a bad option; 130: stopped by Ctrl-C.',
  );
const options = program.parse().opts<Options>();
const size: PlanSize = options.small ? 'small' : 'usual';

/** History lines that are printed of a failing seed; the rest can be had with --trace. */
const LINES_MAX = 160;
const FAILURES_MAX = 5;
const PLANS = '.cache/simulation';

interface Failure {
  readonly plan: Plan;
  readonly result: RunResult;
}

class Campaign {
  private readonly startedMs = performance.now();
  private readonly failures: Failure[] = [];
  private done = 0;
  private steps = 0;
  private simulatedMs = 0;
  private predictions = 0;
  private stopped = false;

  constructor(
    private readonly pool: Pool,
    private readonly plans: readonly Plan[],
  ) {}

  stop(): void {
    this.stopped = true;
  }

  async run(workers: number): Promise<number> {
    const timer = setInterval(() => this.progress(), process.stderr.isTTY ? 500 : 10_000);
    let next = 0;
    const work = async (): Promise<void> => {
      while (!this.stopped && this.failures.length < FAILURES_MAX) {
        const plan = this.plans[next++];
        if (!plan) return;
        const { result } = await this.pool.run({ plan, print: false });
        this.count(plan, result);
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    clearInterval(timer);
    if (process.stderr.isTTY) process.stderr.write('\n');
    this.summarise();
    for (const failure of this.failures.slice(0, 1)) if (!this.stopped) await this.explain(failure);
    if (this.stopped) return 130;
    return this.failures.length === 0 ? 0 : 1;
  }

  private count(plan: Plan, result: RunResult): void {
    this.done++;
    this.steps += result.steps;
    this.simulatedMs += result.simulatedMs;
    this.predictions += result.predictions;
    if (!result.violation) return;
    this.failures.push({ plan, result });
    const { rule, text, atMs } = result.violation;
    say(`seed ${plan.seed} FAILED at ${(atMs / 1000).toFixed(3)} s: ${ruleName(rule)}: ${text}`);
  }

  private progress(): void {
    const perMinute = (this.done / (performance.now() - this.startedMs)) * 60_000;
    const line = `${this.done} of ${this.plans.length} schedules, ${Math.round(perMinute)} a minute, ${this.failures.length} failed`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}  ` : `${line}\n`);
  }

  private summarise(): void {
    const seconds = (performance.now() - this.startedMs) / 1000;
    const per = (n: number): string => Math.round(n).toLocaleString('en');
    console.log(
      `${this.done} schedules in ${seconds.toFixed(1)} s (${per((this.done / seconds) * 60)} a minute): ` +
        `${per(this.simulatedMs / 60_000)} minutes of simulated time, ${per(this.steps)} steps, ${per(this.predictions)} predictions`,
    );
    const seeds = this.failures.map(({ plan }) => plan.seed).sort((a, b) => a - b);
    console.log(seeds.length === 0 ? 'every invariant held' : `FAILED: seeds ${seeds.join(', ')}`);
  }

  private async explain({ plan, result }: Failure): Promise<void> {
    const { rule } = result.violation!;
    let smallest = plan;
    if (options.shrink) {
      say(`looking for the shortest history of seed ${plan.seed} ...`);
      const fails = async (candidate: Plan): Promise<boolean> => {
        if (this.stopped) return false;
        return (await this.pool.run({ plan: candidate, print: false })).result.violation?.rule === rule;
      };
      smallest = (await shrink(plan, fails)).plan;
    }
    const { result: last, lines } = await this.pool.run({ plan: smallest, print: true });
    const file = `${PLANS}/seed-${plan.seed}.json`;
    mkdirSync(PLANS, { recursive: true });
    writeFileSync(file, JSON.stringify(smallest, null, 1));
    printPlan(smallest);
    printLines(lines);
    if (last.violation) console.log(`\n${ruleName(last.violation.rule)}: ${last.violation.text}`);
    console.log(`\nthis history:      npm run test:simulation -- --plan ${file} --trace`);
    const ofSeed = `--seed ${plan.seed}${size === 'small' ? ' --small' : ''}`;
    const whole = options.plan === undefined ? ofSeed : `--plan ${options.plan}`;
    console.log(`the whole of it:   npm run test:simulation -- ${whole} --trace`);
  }
}

function printPlan({ seed, shape, judge, models, faults }: Plan): void {
  const { routers, evaluators, controllers, dataPartitions, controlPartitions } = shape;
  console.log(
    `\nseed ${seed}: ${routers} routers, ${evaluators} evaluators, ${controllers} controllers, ${dataPartitions} data and ${controlPartitions} control partitions, ${judge}`,
  );
  for (const { model, story, rate, applyMs } of models)
    console.log(`  ${model}: ${story}, ${rate} predictions/s, applied at ${(applyMs / 1000).toFixed(1)} s`);
  for (const fault of faults) console.log(`  ${faultText(fault)}`);
  console.log('');
}

/** The end of a history tells most; verdicts repeat themselves. */
function printLines(lines: readonly string[]): void {
  const shown = lines.filter((line) => !line.includes(' verdict  '));
  if (shown.length > LINES_MAX) console.log(`... ${shown.length - LINES_MAX} lines before`);
  for (const line of shown.slice(-LINES_MAX)) console.log(line.slice(0, 300));
}

const ruleName = (rule: string): string => (/^\d+$/.test(rule) ? `invariant ${rule}` : rule);
const say = (text: string): void => void process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${text}\n`);

async function trace(pool: Pool, plan: Plan): Promise<number> {
  const { result, lines } = await pool.run({ plan, print: options.trace ?? false });
  printPlan(plan);
  for (const line of lines) console.log(line);
  const { violation } = result;
  const figures = Object.entries(result).filter(([name]) => !['violation', 'decisions', 'stepsOf'].includes(name));
  console.log(`\n${JSON.stringify(Object.fromEntries(figures))}`);
  console.log(violation ? `FAILED: ${ruleName(violation.rule)}: ${violation.text}` : 'every invariant held');
  return violation ? 1 : 0;
}

/** Which seed finds which fault that was put into a service. */
async function findMutants(
  pool: Pool,
  only: string,
  { from, seeds }: { from: number; seeds: number },
): Promise<number> {
  let missed = 0;
  const find = async ({ name, changes, focus }: (typeof MUTANTS)[number]): Promise<void> => {
    for (let seed = from; seed < from + seeds; seed++) {
      const plan = makePlan(seed, { focus, size });
      const { result } = await pool.run({ plan, print: false, mutant: { name, changes } });
      if (!result.violation) continue;
      const { violation } = (await pool.run({ plan, print: false })).result;
      if (violation) {
        console.log(`${String(seed).padStart(5)}  ${name}: FAILS WITHOUT IT: ${violation.text}`);
        continue;
      }
      const { rule, text } = result.violation;
      return console.log(`${String(seed).padStart(5)}  ${name}: ${ruleName(rule)}: ${text.slice(0, 120)}`);
    }
    missed++;
    console.log(`    -  ${name}: not found`);
  };
  await Promise.all(MUTANTS.filter(({ name }) => name.includes(only)).map(find));
  return missed === 0 ? 0 : 1;
}

function readPlan(file: string): Plan {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Plan;
  } catch (error) {
    return program.error(`error: no plan can be read from ${file}: ${(error as Error).message}`);
  }
}

async function main(): Promise<void> {
  const { seed, from, seeds, plan } = options;
  const one = plan === undefined ? seed !== undefined && makePlan(seed, { size }) : readPlan(plan);
  const workers = one && options.trace ? 1 : Math.min(options.workers, one ? 1 : seeds);
  const pool = new Pool(workers);
  try {
    if (options.mutants) {
      process.exitCode = await findMutants(pool, options.only ?? '', { from, seeds });
      return;
    }
    if (one && options.trace) {
      process.exitCode = await trace(pool, one);
      return;
    }
    const plans = one ? [one] : Array.from({ length: seeds }, (_, i) => makePlan(from + i, { size }));
    const campaign = new Campaign(pool, plans);
    process.once('SIGINT', () => campaign.stop());
    process.exitCode = await campaign.run(workers);
  } finally {
    await pool.close();
  }
}

await main();
