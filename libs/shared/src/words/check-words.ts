import type { CheckResult } from '../contracts/rollout-verdict.js';

/** What checks are called wherever a person reads of them. */
export type NamedCheck = Pick<CheckResult, 'check' | 'segment' | 'unit'>;

/** `latency.p99` -> `latency p99`, `errorRate` -> `error rate`. */
export function checkName(check: string): string {
  return check
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace('.', ' ')
    .toLowerCase();
}

/** The same of a check as it stands in a verdict, with the part of the traffic it is about: `error rate, x-country=de`. */
export function checkTitle({ check, segment, unit }: NamedCheck): string {
  if (unit === 'number') return `mean ${check.replace('custom.', '')}`;
  if (segment === undefined) return checkName(check);
  // Inside a segment it is the shares above the thresholds of all traffic that are compared.
  const slow = check.startsWith('latency.') ? ' slow' : '';
  return `${checkName(check)}${slow}, ${segment}`;
}

/** Of a ceiling the figure itself is limited, of the others the difference. */
export const isCeiling = ({ check }: Pick<CheckResult, 'check'>): boolean => check.includes('Ceiling');

/** How often the answers to copies say the same: the figure itself has a least value, where one is asked for. */
export const isAgreement = ({ check }: Pick<CheckResult, 'check'>): boolean => check === 'shadow.agreement';

/** The one with most evidence against the canary; a failed one before all others. */
export function worstCheck(checks: readonly CheckResult[]): CheckResult | undefined {
  const badness = (check: CheckResult): number =>
    check.result === 'fail' ? Infinity : (check.evidence.fail ?? -Infinity);
  return checks.filter((check) => check.result !== 'no-data').sort((a, b) => badness(b) - badness(a))[0];
}
