import { describe, expect, it } from 'vitest';
import { auditResult } from './audit.mjs';

const report = (...severities: string[]): string =>
  JSON.stringify({
    vulnerabilities: Object.fromEntries(
      severities.map((severity, i) => [`package-${i}`, { name: `package-${i}`, severity, range: '<2.0.0' }]),
    ),
  });

describe('an audit of the dependencies', () => {
  it('fails for what is high or critical, and names it', () => {
    expect(auditResult(report('low', 'critical', 'high'))).toEqual({
      kind: 'vulnerable',
      lines: ['package-1 <2.0.0: critical', 'package-2 <2.0.0: high'],
    });
  });

  it('is clean with less than that', () => {
    expect(auditResult(report('low', 'moderate')).kind).toBe('clean');
    expect(auditResult(report()).kind).toBe('clean');
  });

  it('did not take place where the registry offers none, or nobody answers', () => {
    const refused = JSON.stringify({
      message: '405 Method Not Allowed - POST ...',
      error: { summary: '', detail: '' },
    });
    expect(auditResult(refused)).toEqual({ kind: 'unavailable', lines: ['405 Method Not Allowed - POST ...'] });
    expect(auditResult('').kind).toBe('unavailable');
    expect(auditResult('npm: not found').lines).toEqual(['npm: not found']);
  });
});
