import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { seriesNames } from '../generated/metrics.js';
import { hasPromtool, promtool } from './promtool.js';

const DEPLOY = new URL('../../deploy/', import.meta.url).pathname;
const files = readdirSync(`${DEPLOY}grafana`).filter((name) => name.endsWith('.json'));

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}
const dashboards = files.map(
  (file) => [file, JSON.parse(readFileSync(`${DEPLOY}grafana/${file}`, 'utf8')) as Dashboard] as const,
);

const recorded = new Set(
  (
    parse(readFileSync(`${DEPLOY}prometheus/recording-rules.yaml`, 'utf8')) as {
      groups: { rules: { record: string }[] }[];
    }
  ).groups
    .flatMap(({ rules }) => rules)
    .map(({ record }) => record),
);
const expressionsOf = ({ panels, annotations }: Dashboard): string[] => [
  ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...annotations.list.map(({ expr }) => expr),
];

describe('the dashboards', () => {
  test('are two, each under a name and a place of its own', () => {
    expect(files.sort()).toEqual(['fleet.json', 'rollout.json']);
    expect(new Set(dashboards.map(([, { uid }]) => uid)).size).toBe(2);
    for (const [, { uid, schemaVersion }] of dashboards) {
      expect(uid).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
      expect(schemaVersion).toBeGreaterThanOrEqual(36);
    }
  });

  test.each(dashboards)(
    '%s has panels that neither overlap nor share an id, on a data source to be chosen',
    (_, { panels, templating }) => {
      expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
      expect(panels.length).toBeGreaterThan(8);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const taken = new Set<string>();
      for (const { title, gridPos, datasource, targets } of panels) {
        expect(datasource.uid, title).toBe('${datasource}');
        expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken, title).not.toContain(`${x},${y}`);
            taken.add(`${x},${y}`);
          }
      }
    },
  );

  test.each(dashboards)('%s asks for metrics that there are', (_, dashboard) => {
    const known = seriesNames();
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    for (const expr of [...expressionsOf(dashboard), ...definitions]) {
      const used = expr.match(/model_canary[a-zA-Z0-9_:]*/g) ?? [];
      expect(used.length, expr).toBeGreaterThan(0);
      expect(
        used.filter((name) => !known.has(name) && !recorded.has(name)),
        expr,
      ).toEqual([]);
    }
  });

  test.runIf(hasPromtool).each(dashboards)('%s asks in PromQL that promtool parses', (_, dashboard) => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboards-'));
    try {
      // As rules, so that one call parses them all; Grafana puts values in for its variables.
      const rules = expressionsOf(dashboard).map((expr, index) => ({
        record: `panel:${index}:x`,
        expr: expr.replaceAll(/\$\w+/g, 'x'),
      }));
      writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'panels', rules }] }));
      const { status, output } = promtool(['check', 'rules', '--lint=none', 'rules.yaml'], { cwd: folder });
      expect(status, output).toBe(0);
      expect(output).toContain(`${rules.length} rules found`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
