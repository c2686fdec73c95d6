import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { configurationTable } from './configuration-table.js';

const README = new URL('../../README.md', import.meta.url).pathname;

test('the README has the configuration as the code has it', async () => {
  const parts = /^([\s\S]*<!-- configuration -->\n)[\s\S]*(\n<!-- \/configuration -->[\s\S]*)$/.exec(
    readFileSync(README, 'utf8'),
  );
  const table = await format(configurationTable(), { ...(await resolveConfig(README)), parser: 'markdown' });
  await expect(`${parts![1]}\n${table}${parts![2]}`).toMatchFileSnapshot(README);
});
