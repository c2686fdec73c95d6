/**
 * The deterministic simulation: routers, evaluators and controllers on simulated machines, under the faults of a seed.
 * See docs/faults.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.js';
import { makePlan } from './plan/make-plan.js';
import type { Plan } from './plan/plan.js';
import { shrink } from './plan/shrink.js';
import { Pool } from './pool.js';
import type { RunResult } from './run.js';
import { faultText } from './world/faults.js';

const HELP = `usage: npm run test:simulation -- [options]

  --seeds N      how many schedules to run (default 200)
  --from N       the first of them (default 1)
  --seed N       only this one
  --plan FILE    only the plan in this file, as a failing seed leaves it
  --trace        print the history
  --no-shrink    do not look for the shortest history of a failing seed
  --mutants      find a seed for each fault of mutants.ts, from --from on, in at most --seeds
  --only TEXT     of these only those whose name has this in it
  --workers N    threads (default: one for each core)
  --help

Exit code 0: every invariant held in every schedule; 1: not so; 130: stopped by Ctrl-C.
`;

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    plan: { type: 'string' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: true },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});

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
    const whole = options.plan === undefined ? `--seed ${plan.seed}` : `--plan ${options.plan}`;
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

function wholeNumber(name: 'seeds' | 'from' | 'seed' | 'workers', text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n >= (name === 'seed' || name === 'from' ? 0 : 1)) return n;
  process.stderr.write(`--${name}: ${text} is no whole number\n\n${HELP}`);
  return process.exit(2);
}

async function trace(pool: Pool, plan: Plan): Promise<number> {
  const { result, lines } = await pool.run({ plan, print: options.trace });
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
      const plan = makePlan(seed, focus);
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

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(HELP);
  const seed = options.seed === undefined ? null : wholeNumber('seed', options.seed);
  const one =
    options.plan === undefined
      ? seed !== null && makePlan(seed)
      : (JSON.parse(readFileSync(options.plan, 'utf8')) as Plan);
  const [from, seeds] = [wholeNumber('from', options.from), wholeNumber('seeds', options.seeds)];
  const workers = one && options.trace ? 1 : Math.min(wholeNumber('workers', options.workers), one ? 1 : seeds);
  const pool = new Pool(workers);
  try {
    if (options.mutants) {
      process.exitCode = await findMutants(pool, options.only, { from, seeds });
      return;
    }
    if (one && options.trace) {
      process.exitCode = await trace(pool, one);
      return;
    }
    const plans = one ? [one] : Array.from({ length: seeds }, (_, i) => makePlan(from + i));
    const campaign = new Campaign(pool, plans);
    process.once('SIGINT', () => campaign.stop());
    process.exitCode = await campaign.run(workers);
  } finally {
    await pool.close();
  }
}

await main();
