import { expect, test } from 'vitest';
import { hasPromtool, promtool } from '../deploy/promtool.js';

const FOLDER = new URL('../../deploy/prometheus', import.meta.url).pathname;

test.runIf(hasPromtool)('alerts fire and stay quiet as their tests say, by promtool', () => {
  const { status, output } = promtool(['test', 'rules', 'alert-rules.test.yaml', 'recording-rules.test.yaml'], {
    cwd: FOLDER,
  });
  expect(status, output).toBe(0);
});
