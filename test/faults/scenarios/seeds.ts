import { FAULT_KINDS, type FaultKind } from '../schedule/schedule.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';
import { runSeed, type SeedResult } from './seed-run.js';

export interface SeedsOptions {
  readonly seeds: readonly number[];
  readonly brokers: number;
  readonly durationMs: number;
  readonly kinds: readonly FaultKind[];
  readonly predictionsPerSecond: number;
}

const HEAD = ['seed', 'brokers', 'faults', 'predictions', 'failed', 'lost', 'dropped', 'outcomes', 'left out', 'labels', 'rollouts', 'decisions', 'verdicts', 'replayed', 'differences', 's']; // prettier-ignore

/** Seed after seed, each on servers of its own. */
export async function runSeeds(options: SeedsOptions, { say, keepIn }: ScenarioContext): Promise<ScenarioResult> {
  const results: SeedResult[] = [];
  for (const seed of options.seeds) {
    say(`seed ${seed}, ${options.brokers} broker${options.brokers === 1 ? '' : 's'}`);
    const result = await runSeed({ ...options, seed, keepIn, say });
    results.push(result);
    say(HEAD.map((name, i) => `${name} ${rowOf(result)[i]}`).join(', '));
    for (const { rule, where, text } of result.differences) say(`  ${rule}: ${where}: ${text}`);
  }
  const failed = results.filter(({ differenceCount }) => differenceCount > 0);
  return {
    passed: failed.length === 0,
    head: HEAD,
    rows: results.map(rowOf),
    problems: failed.flatMap(({ seed, differences }) =>
      differences.map(({ rule, where, text }) => `seed ${seed}: ${rule}: ${where}: ${text}`),
    ),
    summary: `${results.length - failed.length} seeds passed, ${failed.length} failed`,
    figures: results,
  };
}

function rowOf({ seed, brokers, faults, figures, rollouts, replayed, differenceCount, seconds }: SeedResult): string[] {
  const { clients } = figures;
  return [
    seed,
    brokers,
    faults,
    clients?.predictions ?? 0,
    clients?.failedWithRouter ?? 0,
    clients?.lostWithRouter ?? 0,
    clients?.dropped ?? 0,
    figures.outcomes,
    figures.leftOut,
    figures.labels,
    rollouts,
    figures.decisions,
    figures.verdicts.verdicts,
    replayed,
    differenceCount,
    Math.round(seconds),
  ].map((value) => value.toLocaleString('en'));
}

/** `3` or `1-20`. Throws RangeError. */
export function seedsOf(text: string): readonly number[] {
  const [from, to = from] = text.split('-').map(Number);
  if (!Number.isInteger(from) || !Number.isInteger(to) || to! < from!)
    throw new RangeError(`--seeds ${text}: write 3, or 1-20`);
  return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
}

/** Throws RangeError that names what there is. */
export function kindsOf(text: string | undefined): readonly FaultKind[] {
  if (text === undefined) return FAULT_KINDS;
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((one) => one === name);
    if (!kind) throw new RangeError(`there is no fault ${name}; there are ${FAULT_KINDS.join(', ')}`);
    return kind;
  });
}
