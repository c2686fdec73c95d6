import { type CheckResult, formatDuration, isAgreement, isCeiling, roughDuration, type Weights } from '@app/shared';

/** 18204 -> `18,204`. */
export const countText = (count: number): string => Math.round(count).toLocaleString('en-US');

/** .1 -> `10`, .125 -> `12.5`: per cent, without noise. */
export const percentText = (fraction: number, decimals = 2): string =>
  String(Number((fraction * 100).toFixed(decimals)));

/** `v1 90 % · v2 10 %`, stable first. */
export function weightsText(weights: Weights): string {
  return Object.entries(weights)
    .map(([version, weight]) => `${version} ${percentText(weight)} %`)
    .join(' · ');
}

/** Whose token it was, and who is said to have asked. */
export const whoText = ({ actor, onBehalfOf }: { readonly actor: string; readonly onBehalfOf?: string }): string =>
  onBehalfOf === undefined ? actor : `${actor} on behalf of ${onBehalfOf}`;

/** A figure of one arm: `0.912`, `84ms`; `-` where there is none. */
export function valueText(value: number | null | undefined, unit: CheckResult['unit']): string {
  if (value === null || value === undefined) return '-';
  if (unit === 'number') return shortNumber(value);
  return unit === 'ms' ? `${shortMs(value)}ms` : value.toFixed(3);
}

const UNIT_TEXT = { ms: 'ms', fraction: 'pp', number: '' } as const satisfies Record<CheckResult['unit'], string>;

/** With its sign: `-0.5pp`, `+4ms`, `+0.12`. */
export function differenceText(value: number | null, unit: CheckResult['unit']): string {
  return value === null ? '-' : `${signed(value, unit)}${UNIT_TEXT[unit]}`;
}

/** `[-1.1,+0.1]`, in points or milliseconds. */
export function intervalText(interval: CheckResult['interval'], unit: CheckResult['unit']): string {
  return interval === null ? '' : `[${signed(interval[0], unit)},${signed(interval[1], unit)}]`;
}

/** Of a ceiling the figure itself is limited, of the others the difference. A latency's is known once control's is. */
export function limitText(check: CheckResult): string {
  if (check.unit === 'ms' && check.limit === 0) return '-';
  if (isAgreement(check)) return check.gating || check.limit > 0 ? `> ${valueText(check.limit, check.unit)}` : '-';
  if (isCeiling(check)) return `< ${valueText(check.limit, check.unit)}`;
  return differenceText(check.limit, check.unit);
}

function signed(value: number, unit: CheckResult['unit']): string {
  const text = unit === 'ms' ? shortMs(value) : unit === 'number' ? shortNumber(value) : (value * 100).toFixed(1);
  return value >= 0 && !text.startsWith('-') ? `+${text}` : text;
}

const shortMs = (ms: number): string => (Math.abs(ms) < 10 ? String(Number(ms.toFixed(1))) : String(Math.round(ms)));

/** Three digits, or all of a larger whole part. */
function shortNumber(value: number): string {
  return Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : countText(value);
}

/** `14:02:11` in the person's time zone; with the date if it was another day. */
export function timeText(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const time = at.toTimeString().slice(0, 8);
  if (at.toDateString() === now.toDateString()) return time;
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

/** `45s`, `12m`, `4h40m`. */
export const sinceText = (ms: number): string => (ms < 1000 ? formatDuration(0) : roughDuration(ms));
