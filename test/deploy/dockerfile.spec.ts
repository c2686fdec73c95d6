import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SERVICE_FLAGS } from '../benchmark/router/contestants.js';

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

test('the router is measured as its image runs it', () => {
  const from = instructions.findIndex((line) => line.endsWith(' AS router'));
  const stage = instructions.slice(from + 1, instructions.indexOf('', from));
  const command = JSON.stringify([...SERVICE_FLAGS, 'dist/services/router/main.js']).replaceAll(',', ', ');
  expect(stage).toContain(`CMD ${command}`);
});
