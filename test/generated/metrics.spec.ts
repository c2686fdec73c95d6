import { format } from 'prettier';
import { describe, expect, test } from 'vitest';
import { type MetricEntry, metricsByService } from './metrics.js';

const FILE = new URL('../../docs/metrics.md', import.meta.url).pathname;
const services = metricsByService();
const all = Object.values(services).flat();
/** Those of every process: prom-client's own, and what runs. */
const isOfEvery = ({ name }: MetricEntry): boolean =>
  Object.values(services).every((list) => list.some((one) => one.name === name));

const HEAD = `# Metrics

<!-- Made from the code by \`npm run generate\`. -->

Every service answers \`GET /metrics\` in Prometheus' text format. One prefix, base units (seconds, bytes, ratios), \`_total\` for what
only rises. Ready alert and recording rules are in [deploy/prometheus](../deploy/prometheus), dashboards in
[deploy/grafana](../deploy/grafana), what to do about an alert in [runbooks](runbooks).
`;

test('docs/metrics.md lists every metric of every service', async () => {
  const sections = [
    ...Object.entries(services).map(([service, list]) =>
      section(
        `The ${service}`,
        list.filter((one) => !isOfEvery(one)),
      ),
    ),
    section('Every process', services.controller.filter(isOfEvery)),
  ];
  const text = await format([HEAD, ...sections].join('\n'), { parser: 'markdown', printWidth: 120 });
  await expect(text).toMatchFileSnapshot(FILE);
});

function section(title: string, entries: readonly MetricEntry[]): string {
  const rows = entries.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`,
  );
  return [`## ${title}`, '', '| Metric | Type | Labels | Meaning |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

describe('every metric', () => {
  test('has the prefix, a unit of Prometheus, and a help text', () => {
    expect(all.length).toBeGreaterThan(60);
    for (const { name, help } of all) {
      expect(name).toMatch(/^model_canary_[a-z0-9_]+$/);
      expect(name).not.toMatch(/_(ms|millis|milliseconds|kb|mb|percent)(_|$)/);
      expect(help, name).toMatch(/^\S.{10,}/);
    }
  });

  test('that only rises ends in _total, and no other does', () => {
    for (const { name, type } of all) expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
  });

  test('has no ids as labels', () => {
    const labels = new Set(all.flatMap((entry) => entry.labels));
    for (const label of labels) expect(label).not.toMatch(/id$|^rollout$|^user|^request|^bucket$|^prediction/);
  });

  test('means the same in every service that has it', () => {
    const meanings = new Map<string, Set<string>>();
    for (const { name, help, type, labels } of all) {
      const seen = meanings.get(name) ?? new Set();
      meanings.set(name, seen.add(JSON.stringify([help, type, labels])));
    }
    expect([...meanings].filter(([, seen]) => seen.size > 1)).toEqual([]);
  });
});
