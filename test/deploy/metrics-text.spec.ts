import { silentLogger, systemClock } from '@app/shared';
import { expect, test } from 'vitest';
import { startStandalone } from '../../apps/standalone/src/standalone.js';
import { metricsByService } from '../generated/metrics.js';
import { hasPromtool, promtool } from './promtool.js';

test('what the services answer at /metrics is what their registries promise, and promtool finds nothing to say', async () => {
  const env = { ROUTER_PORT: '0', CONTROLLER_PORT: '0', EVALUATOR_PORT: '0', ROUTER_DRAIN_DELAY_MS: '0' };
  const standalone = await startStandalone({ env, clock: systemClock, logger: silentLogger });
  try {
    const { routerUrl, evaluatorUrl, controllerUrl } = standalone;
    const urls = { router: routerUrl, evaluator: evaluatorUrl, controller: controllerUrl };
    for (const [service, promised] of Object.entries(metricsByService())) {
      const text = await (await fetch(`${urls[service as keyof typeof urls]}/metrics`)).text();
      const answered = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
      expect(answered.sort(), service).toEqual(promised.map(({ name }) => name).sort());
      if (hasPromtool) expect(promtool(['check', 'metrics'], { input: text }).output.trim(), service).toBe('');
    }
  } finally {
    await standalone.close();
  }
});
