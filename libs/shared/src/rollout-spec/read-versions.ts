import { type Findings, type Path, show } from './findings.js';
import { readDuration } from './read-duration.js';
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
