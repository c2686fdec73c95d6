import { readFileSync } from 'node:fs';
import { TOPIC_TABLE, topicConfig, TOPICS } from '@app/shared';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';

const DEPLOY = new URL('../../deploy/', import.meta.url).pathname;
const FILES = `${DEPLOY}helm/model-canary/files/`;

test('the chart has the topics as the code has them', async () => {
  const topics = TOPICS.map((role) => {
    const definition = TOPIC_TABLE[role];
    return { name: definition.defaultName, partitions: definition.partitions, config: topicConfig(definition, 1) };
  });
  const text = `# Made from the code by \`npm run generate\`.\n${stringify({ topics })}`;
  await expect(text).toMatchFileSnapshot(`${FILES}topics.yaml`);
});

/** A chart has nothing but what is in its folder. */
test.each([
  ['prometheus', 'recording-rules.yaml'],
  ['prometheus', 'alert-rules.yaml'],
  ['grafana', 'fleet.json'],
  ['grafana', 'rollout.json'],
])('the chart has deploy/%s/%s as it is', async (folder, name) => {
  await expect(readFileSync(`${DEPLOY}${folder}/${name}`, 'utf8')).toMatchFileSnapshot(`${FILES}${name}`);
});
