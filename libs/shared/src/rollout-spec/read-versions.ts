import { show } from './check-shape.js';
import { formatDuration, parseDuration } from './duration.js';
import type { Findings, Path } from './findings.js';
import type { FileVersion } from './rollout-file.js';
import type { VersionSpec } from './rollout-spec.js';

export const DEFAULT_DEADLINE_MS = 10_000;
export const DEFAULT_MAX_CONCURRENCY = 1024;

export function readVersion(file: FileVersion, path: Path, findings: Findings): VersionSpec {
  return {
    version: file.version,
    url: readUrl(file.url, [...path, 'url'], findings),
    deadlineMs: readDuration(
      file.deadline,
      DEFAULT_DEADLINE_MS,
      { minMs: 1, maxMs: 3_600_000 },
      [...path, 'deadline'],
      findings,
    ),
    maxConcurrency: file.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY,
  };
}

/** A base URL without a slash at its end, so that paths can be appended. */
function readUrl(text: string, path: Path, findings: Findings): string {
  const refuse = (text: string): string => {
    findings.refuse(path, 'bad-url', `${path.join('.')}: ${text}`);
    return '';
  };
  const example = 'write for instance http://10.0.0.5:9001';
  if (/\s/.test(text) || !URL.canParse(text)) return refuse(`${show(text)} is not a URL: ${example}`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse(`${show(url.protocol)} is not possible, only http and https: ${example}`);
  // The text is not shown: it holds a password.
  if (url.username !== '' || url.password !== '')
    return refuse(
      'a URL with credentials would be readable by all: give them to the router as a header from a secret file',
    );
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text))
    return refuse(`${show(text)} has a query or a fragment: write the base URL only, paths are appended to it`);
  return url.href.replace(/\/+$/, '');
}

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
