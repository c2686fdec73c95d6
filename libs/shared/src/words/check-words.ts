/** A check as far as its name goes. */
export interface NamedCheck {
  readonly check: string;
  /** Only this part of the traffic, as header=value. */
  readonly segment?: string | null;
  readonly unit: 'fraction' | 'ms' | 'number';
}

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
  if (segment === undefined || segment === null) return checkName(check);
  // Inside a segment it is the shares above the thresholds of all traffic that are compared.
  const slow = check.startsWith('latency.') ? ' slow' : '';
  return `${checkName(check)}${slow}, ${segment}`;
}

/** Of a ceiling the figure itself is limited, of the others the difference. */
export const isCeiling = ({ check }: Pick<NamedCheck, 'check'>): boolean => check.includes('Ceiling');

/** How often the answers to copies say the same: the figure itself has a least value, where one is asked for. */
export const isAgreement = ({ check }: Pick<NamedCheck, 'check'>): boolean => check === 'shadow.agreement';

/** What a verdict says of a check. */
export interface JudgedCheck {
  readonly result: 'pass' | 'fail' | 'continue' | 'no-data';
  readonly evidence: { readonly fail: number | null };
}

/** The one with most evidence against the canary; a failed one before all others. */
export function worstCheck<C extends JudgedCheck>(checks: readonly C[]): C | undefined {
  const badness = (check: C): number => (check.result === 'fail' ? Infinity : (check.evidence.fail ?? -Infinity));
  return checks.filter((check) => check.result !== 'no-data').sort((a, b) => badness(b) - badness(a))[0];
}
