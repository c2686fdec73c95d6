import { expect, it } from 'vitest';
import { freePort } from '../../deploy/local/ports.js';

it('no port is given twice, also while nothing listens on it yet', async () => {
  const ports = await Promise.all(Array.from({ length: 400 }, () => freePort()));
  expect(new Set(ports).size).toBe(ports.length);
});
