import { ManualClock } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { EXAMPLE } from '../testing/example-model.js';
import { runAtTerminal } from '../testing/fake-terminal.js';

const { view, decisions, NOW_MS } = EXAMPLE;

async function report(format: string, reason = 'accuracy 71.2 % against 80.9 %, limit -2 points'): Promise<string> {
  const told = decisions.map((d) => (d.action === 'rolled-back' ? { ...d, reason: { ...d.reason, text: reason } } : d));
  const { exit, out } = await runAtTerminal(['report', 'digits', '-o', format], {
    clock: new ManualClock(NOW_MS),
    fetch: async ({ url }) => Response.json(url.includes('/history') ? { model: 'digits', decisions: told } : view),
  });
  expect(exit).toBe(0);
  return out;
}

describe('canaryctl report', () => {
  it('is a page of Markdown: what, why, checks with numbers, limits and intervals, decisions', async () => {
    expect(await report('md')).toBe(
      [
        '# digits: digits-4, v3 beside v1',
        '',
        '- **Status:** Rolled back (v3 at step 1/2)',
        '- **Traffic:** v1 100 % · v3 0 %',
        '- **Begun:** 2026-11-22 13:00:00 UTC',
        '- **Ended:** 2026-11-22 13:10:00 UTC',
        '- **Asked for by:** ci on behalf of ada: release 47',
        '- **Steps:** 10 % → 100 %',
        '',
        '## Why',
        '',
        'accuracy 71.2 % against 80.9 %, limit -2 points',
        '',
        '## Checks',
        '',
        '| Check | Stable | Canary | Difference [95 % interval] | Limit | n | Verdict |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        '| accuracy | 0.809 | 0.712 | -9.7pp \\[-16.2,-3.2\\] | -2.0pp | 243 | FAIL |',
        '| latency p99 | 84ms | 88ms | +4ms \\[+1,+7\\] | +20ms | 260 | pass |',
        '',
        '## Decisions',
        '',
        '| When | What | Traffic | By | Why |',
        '| --- | --- | --- | --- | --- |',
        '| 2026-11-22 13:00:00 UTC | started | v1 90 % · v3 10 % | ci on behalf of ada | v3 gets 10 % |',
        '| 2026-11-22 13:10:00 UTC | rolled back | v1 100 % | system | accuracy 71.2 % against 80.9 %, limit -2 points |',
        '',
        '_Made by canaryctl at 2026-11-22 13:20:00 UTC._',
        '',
      ].join('\n'),
    );
  });

  it('is an HTML page that fetches and runs nothing', async () => {
    const html = await report('html');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/<script|<link|<img|\bsrc=|\bon\w+=|url\(|@import/i);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('<td>accuracy</td><td>0.809</td><td>0.712</td><td>-9.7pp [-16.2,-3.2]</td>');
    expect(html).toContain('<tr class="failed">');
  });

  it('shows what people wrote as text', async () => {
    const evil = '<script>alert(1)</script> **bold** | [x](javascript:alert(1))\nsecond line';
    expect(await report('html', evil)).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    const markdown = await report('md', evil);
    expect(markdown).toContain(
      '\\<script\\>alert(1)\\</script\\> \\*\\*bold\\*\\* \\| \\[x\\](javascript:alert(1)) second line',
    );
  });

  it('is data with -o json', async () => {
    expect(JSON.parse(await report('json'))).toMatchObject({
      title: 'digits: digits-4, v3 beside v1',
      checks: [{ check: 'accuracy', result: 'FAIL' }, { check: 'latency p99' }],
      decisions: [{ action: 'started' }, { action: 'rolled back' }],
    });
  });
});
