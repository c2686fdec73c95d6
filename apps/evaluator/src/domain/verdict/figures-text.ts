/** Figures as a person reads them. */

/** 12,345 */
export function count(value: number): string {
  const text = Math.round(value).toString();
  return Math.abs(value) < 999 ? text : text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** 0.0213 -> 2.13 % */
export function percent(share: number): string {
  const value = share * 100;
  return `${trimmed(value, Math.abs(value) >= 10 ? 1 : 2)} %`;
}

/** A difference of shares in points, with its sign: 0.0213 -> +2.13 */
export function points(share: number): string {
  const value = share * 100;
  return `${value < 0 ? '' : '+'}${trimmed(value, Math.abs(value) >= 10 ? 1 : 2)}`;
}

/** 1.2 s, 52 ms, 3.4 ms */
export function milliseconds(value: number | null): string {
  if (value === null) return 'not known';
  const size = Math.abs(value);
  if (size >= 10_000) return `${trimmed(value / 1000, 1)} s`;
  return `${trimmed(value, size >= 10 ? 0 : 1)} ms`;
}

/** 45 s, 12 min, 3.5 h */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${trimmed(seconds, seconds < 10 ? 1 : 0)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${trimmed(minutes, 0)} min` : `${trimmed(minutes / 60, 1)} h`;
}

const ZERO = 48;
const POINT = 46;

/** Fixed digits, without zeros that say nothing, and without a minus before 0. */
function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  let end = text.length;
  if (text.includes('.')) {
    while (text.charCodeAt(end - 1) === ZERO) end--;
    if (text.charCodeAt(end - 1) === POINT) end--;
  }
  const short = text.slice(0, end);
  return short === '-0' ? '0' : short;
}
