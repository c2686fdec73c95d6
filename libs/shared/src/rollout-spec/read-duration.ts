import { formatDuration, parseDuration } from './duration.js';
import { type Findings, type Path, show } from './findings.js';

export interface DurationRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A duration within bounds; `absentMs` if there is none. Refused ones count as absent. */
export function readDuration(
  text: string | undefined,
  absentMs: number,
  range: DurationRange,
  path: Path,
  findings: Findings,
): number {
  if (text === undefined) return absentMs;
  const durationMs = parseDuration(text);
  const field = path.join('.');
  if (durationMs === undefined)
    findings.refuse(
      path,
      'bad-duration',
      `${field}: ${show(text)} is not a duration: write for instance 250ms, 30s, 5m or 1h30m`,
    );
  else if (durationMs < range.minMs)
    findings.refuse(
      path,
      'out-of-range',
      `${field}: ${show(text)} is too short: at least ${formatDuration(range.minMs)}`,
    );
  else if (durationMs > range.maxMs)
    findings.refuse(
      path,
      'out-of-range',
      `${field}: ${show(text)} is too long: at most ${formatDuration(range.maxMs)}`,
    );
  else return durationMs;
  return absentMs;
}
