export interface AuditResult {
  readonly kind: 'clean' | 'vulnerable' | 'unavailable';
  readonly lines: readonly string[];
}

export function auditResult(output: string): AuditResult;
export function auditDependencies(): Promise<boolean>;
