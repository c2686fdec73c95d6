import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SERVICE_FLAGS } from '../../deploy/local/service-flags.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const instructions = read('deploy/Dockerfile').replaceAll('\\\n', ' ').split('\n');

test('what the image is built of is sent to the builder', () => {
  const sent = read('.dockerignore').split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1).replace(/\/\*\*$/, '')] : [])); // prettier-ignore
  const copied = instructions.flatMap((line) => {
    const [instruction, ...paths] = line.trim().split(/\s+/);
    return instruction === 'COPY' && !paths[0]!.startsWith('--from') ? paths.slice(0, -1) : [];
  });
  expect(copied.length).toBeGreaterThan(5);
  expect(copied.filter((path) => !sent.includes(path))).toEqual([]);
});

test('what is compiled for a machine is not left out: it comes as optional packages', () => {
  expect(instructions.filter((line) => line.includes('npm ci'))).toHaveLength(2);
  expect(instructions.filter((line) => line.includes('--omit=optional'))).toEqual([]);
});

test.each(Object.entries(SERVICE_FLAGS))('the %s is measured as its image runs it', (service, flags) => {
  const from = instructions.findIndex((line) => line.endsWith(` AS ${service}`));
  const stage = instructions.slice(from + 1, instructions.indexOf('', from));
  const command = JSON.stringify([...flags, `dist/services/${service}/main.js`]).replaceAll(',', ', ');
  expect(stage).toContain(`CMD ${command}`);
});
