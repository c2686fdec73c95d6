import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { ROOT } from './processes.mjs';
import { say } from './say.mjs';

const AUDIT_MS_MAX = 60_000;
/** What must not be shipped; the rest is told by `npm audit` to whoever asks. */
const SEVERITIES = ['high', 'critical'];

/**
 * Whether known vulnerabilities of the production dependencies stand in the way. A registry that offers no audit (a
 * mirror, or no network) is said and is no failure: what it does not know it cannot tell.
 * @returns {Promise<boolean>} false: there are some, and they were said
 */
export async function auditDependencies() {
  const { kind, lines } = auditResult(await npmAudit());
  const head = {
    clean: 'Dependencies audited: no high or critical vulnerability known.',
    vulnerable: 'Dependencies with known vulnerabilities (npm audit --omit=dev):',
    unavailable: 'Dependencies NOT audited: the registry offers no audit here.',
  };
  say([head[kind], ...lines].join('\n  '));
  return kind !== 'vulnerable';
}

/**
 * What npm's answer means.
 * @param {string} output of `npm audit --json`
 * @returns {{ kind: 'clean' | 'vulnerable' | 'unavailable', lines: readonly string[] }}
 */
export function auditResult(output) {
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    return { kind: 'unavailable', lines: [output.trim().split('\n').at(-1) || 'npm did not answer in time'] };
  }
  if (!report.vulnerabilities) return { kind: 'unavailable', lines: [String(report.message ?? 'no report')] };
  const found = Object.values(report.vulnerabilities).filter(({ severity }) => SEVERITIES.includes(severity));
  const lines = found.map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
  return { kind: found.length > 0 ? 'vulnerable' : 'clean', lines };
}

/** @returns {Promise<string>} */
function npmAudit() {
  // The npm that runs us, as in install.mjs.
  const ours = process.env.npm_execpath;
  const direct = ours && basename(ours) === 'npm-cli.js';
  const [command, first] = direct ? [process.execPath, [ours]] : ['npm', []];
  const args = [...first, 'audit', '--omit=dev', '--json', '--fetch-retries=0'];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'], timeout: AUDIT_MS_MAX });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', () => resolve(output));
  });
}
