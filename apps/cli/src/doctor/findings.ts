import { type Cut, formatDuration, roughDuration, type TopicNames } from '@app/shared';

/** One thing that was looked at. */
export interface Finding {
  /** kebab-case, stable. */
  readonly check: string;
  /** `not-asked`: what it takes to look was not given. */
  readonly status: 'ok' | 'warning' | 'failed' | 'not-asked';
  readonly text: string;
  readonly remedy?: string;
}

export const ok = (check: string, text: string): Finding => ({ check, status: 'ok', text });
export const warning = (check: string, text: string, remedy: string): Finding => ({
  check,
  status: 'warning',
  text,
  remedy,
});
export const failed = (check: string, text: string, remedy: string): Finding => ({
  check,
  status: 'failed',
  text,
  remedy,
});
export const notAsked = (check: string, text: string, remedy: string): Finding => ({
  check,
  status: 'not-asked',
  text,
  remedy,
});

/** Dates in headers and answers are rounded to seconds, and a round trip takes time. */
const SKEW_MS_MAX = 2_000;

export function clockFinding(of: string, skewMs: number): Finding {
  const check = `clock-${of}`;
  const text = `the clock of ${of} is ${formatDuration(Math.abs(Math.round(skewMs)))} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  if (Math.abs(skewMs) <= SKEW_MS_MAX) return ok(check, `the clock of ${of} goes with this machine's, within 2s`);
  return warning(
    check,
    text,
    'let all machines follow NTP: ages, pauses and the times in decisions are told by their clocks (no verdict compares two of them)',
  );
}

export interface RedisFacts {
  readonly version: string;
  readonly timeMs: number;
  /** Undefined: a managed Redis that does not tell. */
  readonly policy: string | undefined;
  readonly usedBytes: number;
  /** 0: no limit. */
  readonly maxBytes: number;
}

const REDIS_MAJOR_MIN = 7;
const MEMORY_USED_MAX = 0.8;

export function redisFindings(facts: RedisFacts): Finding[] {
  const findings: Finding[] = [];
  const major = Number(facts.version.split('.')[0]);
  findings.push(
    major >= REDIS_MAJOR_MIN
      ? ok('redis-version', `Redis ${facts.version}`)
      : failed('redis-version', `Redis ${facts.version} is too old`, `use Redis ${REDIS_MAJOR_MIN} or newer`),
  );
  const remedy = 'redis-cli config set maxmemory-policy noeviction (and in its configuration file)';
  if (facts.policy === undefined)
    findings.push(warning('redis-policy', 'its maxmemory-policy cannot be read', 'make sure that it is noeviction'));
  else if (facts.policy === 'noeviction') findings.push(ok('redis-policy', 'maxmemory-policy is noeviction'));
  else
    findings.push(
      failed('redis-policy', `maxmemory-policy is ${facts.policy}: slots vanish when memory is short`, remedy),
    );
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  if (facts.maxBytes > 0 && facts.usedBytes > MEMORY_USED_MAX * facts.maxBytes)
    findings.push(
      warning(
        'redis-memory',
        `${mib(facts.usedBytes)} of ${mib(facts.maxBytes)} are used; when it is full, outcomes wait in Kafka`,
        'give Redis more memory: 2 MiB for each partition of outcomes, and the windows of each model',
      ),
    );
  else
    findings.push(
      ok(
        'redis-memory',
        `${mib(facts.usedBytes)} used${facts.maxBytes > 0 ? ` of ${mib(facts.maxBytes)}` : ', no limit'}`,
      ),
    );
  return findings;
}

/** How far the evaluator is behind: by the newest cut of each owner, and where the topics end. */
export interface LagFacts {
  readonly nowMs: number;
  readonly topics: TopicNames;
  readonly cuts: readonly Cut[];
  readonly ends: { readonly outcome: readonly number[]; readonly label: readonly number[] };
}

const LAG_RECORDS_MAX = 50_000;
/** Owners without a model cut nothing; with one, at least every second while anything comes. */
const CUT_AGE_MS_MAX = 60_000;

export function lagFindings({ nowMs, topics, cuts, ends }: LagFacts): Finding[] {
  if (cuts.length === 0)
    return [
      warning(
        'evaluator',
        'no cut stands at the end of the verdicts: no evaluator is running, or no model has had traffic',
        'start an evaluator, and send predictions through a router',
      ),
    ];
  const findings: Finding[] = [];
  for (const kind of ['outcome', 'label'] as const) {
    // Each owner cuts for itself; a partition is as far as the one that is farthest behind has come.
    const lags = ends[kind].map((end, p) => Math.max(...cuts.map((cut) => end - (cut.positions[kind][p] ?? 0))));
    const most = Math.max(0, ...lags);
    const text = `verdicts rest on all but ${most.toLocaleString('en-US')} records of ${topics[kind]} (the partition farthest behind)`;
    findings.push(
      most <= LAG_RECORDS_MAX
        ? ok(`lag-${kind}`, text)
        : warning(
            `lag-${kind}`,
            text,
            'start more evaluators (at most one a partition), and see whether Redis is slow',
          ),
    );
  }
  const newest = Math.max(...cuts.map(({ asOf }) => asOf));
  const age = nowMs - newest;
  findings.push(
    age <= CUT_AGE_MS_MAX
      ? ok('evaluator', `the newest cut is ${roughDuration(Math.max(0, age))} old`)
      : warning(
          'evaluator',
          `the newest cut is ${roughDuration(age)} old: no verdict comes`,
          'see whether evaluators are ready (/health/ready says why not), and whether there is traffic',
        ),
  );
  return findings;
}

export interface CoverageFacts {
  readonly model: string;
  readonly version: string;
  readonly routed: number;
  readonly labelled: number;
}

const ROUTED_MIN = 100;
const COVERAGE_MIN = 0.2;

/** Of models whose rollout waits for accuracy. */
export function coverageFindings(facts: readonly CoverageFacts[]): Finding[] {
  return facts.map(({ model, version, routed, labelled }) => {
    const check = `labels-${model}-${version}`;
    const share = routed === 0 ? 0 : labelled / routed;
    const text = `${model} ${version}: ${(share * 100).toFixed(0)} % of ${routed.toLocaleString('en-US')} predictions have a label`;
    if (routed < ROUTED_MIN || share >= COVERAGE_MIN) return ok(check, text);
    return warning(
      check,
      text,
      'send labels to prediction-label within checks.accuracy.labelsWithin, or write accuracy: off; missing labels never pass',
    );
  });
}
