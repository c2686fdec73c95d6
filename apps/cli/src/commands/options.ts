import { parseDuration } from '@app/shared';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';

/** Milliseconds of an option such as `--timeout 30m`. */
export function readDurationOption(name: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return durationMs;
  throw new CliError('bad-duration', `${name} ${text}: write a duration such as 30s, 5m or 2h`, { exit: EXIT.usage });
}
