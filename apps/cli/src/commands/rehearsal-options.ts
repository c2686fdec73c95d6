import { availableParallelism } from 'node:os';
import {
  AS_GOOD_AS_STABLE,
  type Degradation,
  estimateDuration,
  parseDuration,
  type RehearsalRequest,
  type RehearsedTraffic,
  type RolloutSpec,
} from '@app/shared';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import { readDurationOption } from './options.js';

/** The options of `simulate` as commander gives them. */
export interface SimulateOptions {
  readonly file: string;
  readonly rate: string;
  readonly errors: string;
  readonly latency: string;
  readonly accuracy: string;
  readonly labelsAfter: string;
  readonly labelsMissing: string;
  readonly users?: string;
  readonly degrade: readonly string[];
  readonly runs?: string;
  readonly for?: string;
  readonly within?: string;
  readonly jobs?: string;
  readonly seed: string;
}

/** Without --runs and --for it takes so long. */
const DEFAULT_FOR_MS = 20_000;
/** A rollout that takes so many times what a good canary should is given up. */
const GIVEN_UP_AFTER = 5;
const GIVEN_UP_LEAST_MS = 1_800_000;

/** What to rehearse. Throws CliError (usage) that names the option, what is wrong and how it is written. */
export function readRehearsal(spec: RolloutSpec, options: SimulateOptions): RehearsalRequest {
  const traffic = readTraffic(options);
  const canary = options.degrade.reduce(readDegradation, AS_GOOD_AS_STABLE);
  const { deadlineMs } = spec.canary!;
  if (traffic.latency.p99Ms * canary.latencyRatio >= deadlineMs)
    throw wrong(
      '--latency',
      options.latency,
      `a p99 below canary.deadline, ${deadlineMs} ms: slower ones are timeouts; say them as --degrade errors=+0.05`,
    );
  const { totalMs } = estimateDuration(spec, traffic.predictionsPerSecond);
  const runs = options.runs === undefined ? null : readCount('--runs', options.runs);
  const unlimited = runs === null ? DEFAULT_FOR_MS : null;
  return {
    spec,
    traffic,
    canary,
    runs,
    forMs: options.for === undefined ? unlimited : readDurationOption('--for', options.for),
    jobs: options.jobs === undefined ? availableParallelism() : readCount('--jobs', options.jobs),
    seed: readCount('--seed', options.seed),
    withinMs:
      options.within === undefined
        ? Math.max(GIVEN_UP_LEAST_MS, GIVEN_UP_AFTER * (totalMs ?? 0))
        : readDurationOption('--within', options.within),
  };
}

function readTraffic(options: SimulateOptions): RehearsedTraffic {
  const predictionsPerSecond = Number(options.rate);
  if (!(predictionsPerSecond > 0 && predictionsPerSecond <= RATE_MAX))
    throw wrong('--rate', options.rate, 'predictions per second, above 0, e.g. 200');
  return {
    predictionsPerSecond,
    errorRate: readShare('--errors', options.errors),
    latency: readLatency(options.latency),
    accuracy: readShare('--accuracy', options.accuracy),
    labelsAfterMs: readDurationOption('--labels-after', options.labelsAfter),
    labelsMissing: readShare('--labels-missing', options.labelsMissing),
    users: options.users === undefined ? null : readCount('--users', options.users),
  };
}

const RATE_MAX = 1_000_000;
const COUNT_MAX = 1_000_000;

function readLatency(text: string): RehearsedTraffic['latency'] {
  const [, p50, p99] = /^p50=([\d.]+)(?:ms)?,p99=([\d.]+)(?:ms)?$/.exec(text) ?? [];
  const latency = { p50Ms: Number(p50), p99Ms: Number(p99) };
  if (latency.p50Ms > 0 && latency.p99Ms > latency.p50Ms) return latency;
  throw wrong('--latency', text, 'milliseconds, p99 above p50, e.g. p50=50,p99=200');
}

const DEGRADATIONS = 'errors=+0.05, accuracy=-0.02, latency=x1.3 or dead-after=100s';

/** One --degrade more; several add up, and ratios multiply. */
function readDegradation(canary: Degradation, text: string): Degradation {
  const [, what, value = ''] = /^([a-z-]+)=(.+)$/.exec(text) ?? [];
  const difference = /^[+-](?:\d+\.?\d*|\.\d+)$/.test(value) && Math.abs(Number(value)) <= 1 ? Number(value) : null;
  const ratio = /^x(?:\d+\.?\d*|\.\d+)$/.test(value) && Number(value.slice(1)) > 0 ? Number(value.slice(1)) : null;
  const deadAfterMs = parseDuration(value);
  if (what === 'errors' && difference !== null) return { ...canary, errors: canary.errors + difference };
  if (what === 'accuracy' && difference !== null) return { ...canary, accuracy: canary.accuracy + difference };
  if (what === 'latency' && ratio !== null) return { ...canary, latencyRatio: canary.latencyRatio * ratio };
  if (what === 'dead-after' && deadAfterMs !== undefined) return { ...canary, deadAfterMs };
  throw wrong('--degrade', text, DEGRADATIONS);
}

function readShare(name: string, text: string): number {
  const share = Number(text);
  if (text.trim() !== '' && share >= 0 && share <= 1) return share;
  throw wrong(name, text, 'a fraction from 0 to 1, e.g. 0.02');
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= COUNT_MAX) return count;
  throw wrong(name, text, `a whole number from 1 to ${COUNT_MAX.toLocaleString('en-US')}`);
}

function wrong(name: string, text: string, remedy: string): CliError {
  return new CliError('bad-option', `${name} ${text}: write ${remedy}`, { exit: EXIT.usage });
}
