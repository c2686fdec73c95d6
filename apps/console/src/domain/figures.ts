import { formatDuration, isAgreement, isCeiling, roughDuration } from '@app/words';
import type { CheckResult } from './records.js';

/** Numbers as a person reads them. A minus is a real one, and what belongs together does not break. */
type Unit = CheckResult['unit'];
const MINUS = '\u2212';
const NARROW = '\u202f';

/** 18204 -> `18,204`. */
export const countText = (count: number): string => Math.round(count).toLocaleString('en-US');

/** .1 -> `10 %`, .125 -> `12.5 %`. */
export const percentText = (fraction: number, decimals = 2): string =>
  `${Number((fraction * 100).toFixed(decimals))}${NARROW}%`;

export function msText(ms: number): string {
  const size = Math.abs(ms);
  if (size < 10) return `${Number(ms.toFixed(1))}${NARROW}ms`;
  if (size < 1_000) return `${Math.round(ms)}${NARROW}ms`;
  if (size < 100_000) return `${Number((ms / 1000).toFixed(size < 10_000 ? 2 : 1))}${NARROW}s`;
  return roughDuration(ms);
}

/** Three digits, or all of a larger whole part. */
const numberText = (value: number): string =>
  Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : countText(value);

/** A figure of one version: `91.2 %`, `84 ms`; a dash where there is none. */
export function valueText(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'number') return withMinus(numberText(value));
  return withMinus(unit === 'ms' ? msText(value) : percentText(value, Math.abs(value) < 0.1 ? 2 : 1));
}

/** With its sign: `−0.5 points`, `+4 ms`, `+0.12`. */
export function differenceText(value: number | null, unit: Unit): string {
  if (value === null) return '–';
  return signed(value, unit, unit === 'fraction' ? `${NARROW}points` : undefined);
}

/** `−1.1 to +0.1`; empty while it is not known. */
export function intervalText(interval: readonly [number, number] | readonly number[] | null, unit: Unit): string {
  if (!interval) return '';
  const [low, high] = [signed(interval[0], unit, ''), signed(interval[1], unit, '')];
  return `${low} to ${high}`;
}

/** Of a ceiling the figure itself is limited, of the others the difference; `not known yet` before control's latency is. */
export function limitText(check: Pick<CheckResult, 'check' | 'unit' | 'limit' | 'gating'>): string {
  if (!hasLimit(check)) return check.unit === 'ms' ? 'not known yet' : '–';
  if (isAgreement(check)) return `at least ${valueText(check.limit, check.unit)}`;
  if (isCeiling(check)) return `below ${valueText(check.limit, check.unit)}`;
  return differenceText(check.limit, check.unit);
}

/** A latency's limit is known once control's threshold is; of agreement there is one only where it was asked for. */
export function hasLimit({
  check,
  unit,
  limit,
  gating,
}: Pick<CheckResult, 'check' | 'unit' | 'limit' | 'gating'>): boolean {
  if (unit === 'ms' && limit === 0) return false;
  return !isAgreement({ check }) || gating || limit > 0;
}

function signed(value: number, unit: Unit, suffix?: string): string {
  const size = Math.abs(value);
  const text = sizeText(size, unit, suffix);
  const isZero = Number.parseFloat(text) === 0;
  return `${value < 0 && !isZero ? MINUS : '+'}${text}`;
}

function sizeText(size: number, unit: Unit, suffix: string | undefined): string {
  if (unit === 'fraction') return `${pointsText(size)}${suffix ?? ''}`;
  if (unit === 'number') return numberText(size);
  return suffix === '' ? msText(size).replace(`${NARROW}ms`, '') : msText(size);
}

const pointsText = (fraction: number): string => {
  const points = fraction * 100;
  return points < 1 ? String(Number(points.toFixed(2))) : points.toFixed(1);
};

const withMinus = (text: string): string => text.replace(/^-/, MINUS);

/** Evidence is a factor: how many times better one explanation fits than the other. From its logarithm. */
export function evidenceText(ln: number): string {
  const factor = Math.exp(ln);
  if (factor >= 1_000_000) return 'over a million to 1';
  if (factor >= 100) return `${countText(factor)} to 1`;
  return factor < 0.01 ? 'none' : `${Number(factor.toPrecision(2))} to 1`;
}

/** `45s`, `12m`, `4h40m`. */
export const sinceText = (ms: number): string => (ms < 1000 ? formatDuration(0) : roughDuration(ms));

/** `just now`, `12m ago`. */
export const agoText = (ms: number): string => (ms < 5_000 ? 'just now' : `${sinceText(ms)} ago`);

const two = (n: number): string => String(n).padStart(2, '0');

/** `14:02:11` in the reader's time zone; with the date if it was another day. */
export function timeText(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return at.toDateString() === new Date(nowMs).toDateString() ? time : `${dateText(at)} ${time}`;
}

export const dateText = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** `v1 90 %, v2 10 %`. */
export function weightsText(weights: Readonly<Record<string, number>>): string {
  return Object.entries(weights)
    .map(([version, weight]) => `${version} ${percentText(weight)}`)
    .join(', ');
}
