import { expect, test } from 'vitest';
import { fleet } from '../../deploy/grafana/source/fleet.js';
import { rollout } from '../../deploy/grafana/source/rollout.js';

/** Their sources are held to Grafana's own types by the compiler. */
test.each([
  ['fleet', fleet],
  ['rollout', rollout],
])('deploy/grafana/%s.json is its source', async (name, dashboard) => {
  const file = new URL(`../../deploy/grafana/${name}.json`, import.meta.url).pathname;
  await expect(`${JSON.stringify(dashboard, null, 2)}\n`).toMatchFileSnapshot(file);
});
