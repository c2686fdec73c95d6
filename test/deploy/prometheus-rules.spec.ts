import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { seriesNames } from '../generated/metrics.js';
import { hasPromtool, promtool } from './promtool.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = `${ROOT}deploy/prometheus/`;
const read = (name: string): unknown => parse(readFileSync(FOLDER + name, 'utf8'));

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
const rulesOf = (name: string): Rule[] =>
  (read(name) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
const alerts = rulesOf('alert-rules.yaml');
const recorded = rulesOf('recording-rules.yaml');

describe('the rules for Prometheus', () => {
  test('use metrics that there are', () => {
    const known = new Set([...seriesNames(), ...recorded.map(({ record }) => record)]);
    for (const { alert, record, expr } of [...alerts, ...recorded]) {
      const used = expr.match(/model_canary[a-zA-Z0-9_:]*/g) ?? [];
      expect(used.length, alert ?? record).toBeGreaterThan(0);
      expect(
        used.filter((name) => !known.has(name)),
        alert ?? record,
      ).toEqual([]);
    }
  });

  test('each alert has a severity, tells its value and the limit, and has a page that shows its expression', () => {
    for (const { alert, expr, labels, annotations } of alerts) {
      expect(['critical', 'warning', 'info'], alert).toContain(labels?.['severity']);
      expect(annotations?.['summary'], alert).toMatch(/^\S.+\S$/);
      expect(annotations?.['description'], alert).toMatch(/limit|expected|alert above/);
      if (!expr.startsWith('absent')) expect(annotations?.['description'], alert).toContain('$value');
      const page = annotations?.['runbook'] ?? '';
      expect(page).toBe(`docs/runbooks/${alert}.md`);
      const text = readFileSync(ROOT + page, 'utf8');
      expect(text, page).toContain(expr);
      for (const heading of ['## What it means for users', '## Look', '## Do']) expect(text, page).toContain(heading);
    }
  });

  test('every page of docs/runbooks is one of an alert, and names only alerts and variables that there are', () => {
    const names = alerts.map(({ alert }) => alert!);
    expect(readdirSync(`${ROOT}docs/runbooks`).sort()).toEqual(names.map((name) => `${name}.md`).sort());
    for (const name of names) {
      const text = readFileSync(`${ROOT}docs/runbooks/${name}.md`, 'utf8');
      for (const [mentioned] of text.matchAll(/\bModelCanary\w+/g)) expect(names, name).toContain(mentioned);
    }
  });

  test('each alert is tested once firing and once quiet', () => {
    const { tests } = read('alert-rules.test.yaml') as { tests: { name: string }[] };
    const names = tests.map(({ name }) => name);
    for (const { alert } of alerts)
      expect(names).toEqual(expect.arrayContaining([`${alert} fires`, `${alert} stays quiet`]));
    expect(existsSync(`${FOLDER}recording-rules.test.yaml`)).toBe(true);
  });

  test.runIf(hasPromtool)('are right by promtool', () => {
    const { status, output } = promtool(['check', 'rules', 'alert-rules.yaml', 'recording-rules.yaml'], {
      cwd: FOLDER,
    });
    expect(status, output).toBe(0);
  });
});
