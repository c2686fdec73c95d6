import type { Parsed } from '../result.js';
import { closestName } from './closest-name.js';
import { Findings, type Path, show } from './findings.js';
import type { Weights } from './rollout-spec.js';

/** Weights are held as basis points: four decimals of a fraction. */
const BASIS_POINTS = 10_000;

/**
 * Reads weights by version, as in traffic_split or in a change of traffic by hand: a fraction for each of `versions`,
 * with at most four decimals, that sum to exactly 1. Refusals say what to write instead.
 */
export function parseWeights(input: unknown, versions: readonly string[], field = 'weights'): Parsed<Weights> {
  const findings = new Findings(() => undefined);
  const weights = readWeights(input, versions, [field], findings);
  return weights ? { ok: true, value: weights } : { ok: false, problems: findings.problems };
}

/** As parseWeights, into findings; undefined if something was refused. */
export function readWeights(
  input: unknown,
  versions: readonly string[],
  path: Path,
  findings: Findings,
): Weights | undefined {
  const example = exampleOf(versions);
  const field = path.join('.');
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    findings.refuse(path, 'wrong-value', `${field}: ${show(input)} is not a map: write ${example}`);
    return undefined;
  }
  const problemsBefore = findings.problems.length;
  const entries = Object.entries(input);
  const numbers: [string, number][] = [];
  for (const [version, value] of entries) {
    const wrong = notANumber(value);
    if (wrong) findings.refuse([...path, version], wrong.code, `${field}.${version}: ${show(value)} ${wrong.text}`);
    else numbers.push([version, value as number]);
  }
  const unknown = entries.map(([version]) => version).filter((version) => !versions.includes(version));
  // A version that is missing was most likely meant by the unknown name.
  const missing = unknown.length > 0 ? [] : versions.filter((version) => !Object.hasOwn(input, version));
  // The sum of what is there says nothing while one is missing.
  if (numbers.length === entries.length && missing.length === 0) refuseWrongSum(numbers, versions, path, findings);
  else for (const [version, value] of numbers) refuseAboveOne(version, value, path, findings);
  for (const version of unknown) refuseUnknownVersion(version, versions, path, findings);
  for (const version of missing)
    findings.refuse(
      [...path, version],
      'missing',
      `${field}.${version} is missing: name every version, e.g. ${example}`,
    );
  if (findings.problems.length > problemsBefore) return undefined;
  return Object.fromEntries(numbers.map(([version, value]) => [version, basisPoints(value) / BASIS_POINTS]));
}

function refuseUnknownVersion(version: string, versions: readonly string[], path: Path, findings: Findings): void {
  const meant = closestName(version, versions);
  findings.refuse(
    [...path, version],
    'unknown-version',
    `${path.join('.')}: there is no version ${show(version)} here: ${meant ? `did you mean ${meant}?` : `write ${versions.join(' and ')}`}`,
    'key',
  );
}

/** What is wrong with a single weight, apart from being above 1, which the sum tells better. */
function notANumber(value: unknown): { code: string; text: string } | undefined {
  if (typeof value === 'string') {
    const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(value)?.[1];
    if (percent !== undefined && Number(percent) <= 100)
      return { code: 'percentage', text: `is a percentage: write the fraction ${decimal(Number(percent) / 100)}` };
    if (value.trim() !== '' && Number.isFinite(Number(value)))
      return { code: 'wrong-value', text: `is text: write ${value.trim()} without quotes` };
  }
  if (typeof value !== 'number' || !Number.isFinite(value))
    return { code: 'wrong-value', text: 'is not a number: write a fraction such as 0.1' };
  if (value < 0) return { code: 'negative', text: 'is negative: write a fraction from 0 to 1' };
  if (value <= 1 && Math.abs(value * BASIS_POINTS - basisPoints(value)) > 1e-6)
    return {
      code: 'too-many-decimals',
      text: `has more than four decimals: write ${decimal(basisPoints(value) / BASIS_POINTS)}`,
    };
  return undefined;
}

function refuseWrongSum(
  numbers: readonly [string, number][],
  versions: readonly string[],
  path: Path,
  findings: Findings,
): void {
  const total = numbers.reduce((sum, [, value]) => sum + basisPoints(value), 0);
  const above = numbers.some(([, value]) => value > 1);
  if (total === BASIS_POINTS && !above) return;
  const sum = decimal(total / BASIS_POINTS);
  const field = path.join('.');
  const written = numbers.map(([, value]) => decimal(value)).join(' and ');
  const remedy = proposal(numbers, versions, total);
  const message =
    above && numbers.length > 1
      ? `${field}: ${written} are not fractions of the traffic (they sum to ${sum}, not to 1): write ${remedy}`
      : `${field}: ${written} sum to ${sum}, not to 1: write ${remedy}`;
  findings.refuse(path, above ? 'not-fractions' : 'wrong-sum', message);
}

/** Parts of a whole (10 and 90, 1 and 9) are scaled; of fractions the last one is kept and the first gives way. */
function proposal(numbers: readonly [string, number][], versions: readonly string[], total: number): string {
  if (total === 0 || numbers.length === 1) return exampleOf(versions);
  const [first, last] = [numbers[0]!, numbers.at(-1)!];
  const scaled = numbers.map(([, value]) => Math.round((value * BASIS_POINTS * BASIS_POINTS) / total));
  const kept = Math.min(basisPoints(last[1]), BASIS_POINTS);
  const points = numbers.some(([, value]) => value > 1) || numbers.length > 2 ? scaled : [BASIS_POINTS - kept, kept];
  points[0] = BASIS_POINTS - points.slice(1).reduce((sum, value) => sum + value, 0);
  const fractions = points.map((value) => decimal(value / BASIS_POINTS));
  const known = versions.includes(first[0]) && versions.includes(last[0]);
  if (known) return numbers.map(([version], i) => `${version}: ${fractions[i]}`).join(', ');
  return fractions.join(' and ');
}

function refuseAboveOne(version: string, value: number, path: Path, findings: Findings): void {
  if (value <= 1) return;
  const field = `${path.join('.')}.${version}`;
  findings.refuse(
    [...path, version],
    'not-fractions',
    `${field}: ${decimal(value)} is above 1: write a fraction such as 0.1`,
  );
}

const basisPoints = (value: number): number => Math.round(value * BASIS_POINTS);
/** Without the noise of binary fractions. */
const decimal = (value: number): string => String(Number(value.toFixed(8)));

function exampleOf(versions: readonly string[]): string {
  const [stable, canary] = versions;
  if (stable === undefined) return '{ v1: 0.9, v2: 0.1 }';
  return canary === undefined ? `{ ${stable}: 1 }` : `{ ${stable}: 0.9, ${canary}: 0.1 }`;
}
