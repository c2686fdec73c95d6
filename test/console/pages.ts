import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { keepScreenshots, RULES_OF_COLOURS, type Scheme, seriousIssues, type TestBrowser } from './browser.js';
import { everyState } from './fleet-scenes.js';
import { CONSOLE, openStage, type Stage } from './scene-stage.js';

const FILE = `model: welcome
stable: { version: v1, url: http://127.0.0.1:9/v1 }
canary: { version: v2, url: http://127.0.0.1:9/v2 }
prediction: { pointer: /outputs/0/data/0, kind: class }
steps:
  - { traffic_split: { v1: 0.9, v2: 0.1 } }
  - { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: 10m } }
`;

const EVERY_LOOK = ['1440 light', '1440 dark', '360 light', '360 dark'];
const BOTH_ENDS = ['1440 light', '360 dark'];

/** What is kept as pictures and judged by axe. */
const LOOKED_AT: readonly (readonly [name: string, path: string, looks: readonly string[]])[] = [
  ['fleet', '/', EVERY_LOOK],
  ['rollout-rolled-back', '/models/digits', EVERY_LOOK],
  ['rollout-open', '/models/fraud', EVERY_LOOK],
  ['new', '/new?model=welcome', EVERY_LOOK],
  ['rollout-waits-for-person', '/models/ranking', BOTH_ENDS],
  ['rollout-past', '/models/digits/rollouts/digits-1', BOTH_ENDS],
  ['no-rollout', '/models/welcome', BOTH_ENDS],
  ['absent', '/models/nobody', BOTH_ENDS],
];

/** The pages as somebody finds them, on a real controller with models in every state. */
export function pagesSuite(browser: () => TestBrowser): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(everyState(Date.now()));
  });
  afterEach(() => browser().closePages());
  afterAll(() => stage.close());

  const open = async (path: string, options: Parameters<TestBrowser['page']>[0] = {}): Promise<Page> => {
    const page = await browser().page(options);
    await page.goto(stage.url + path);
    await page.getByText('Live', { exact: true }).or(page.getByRole('heading', { name: 'New rollout' })).first().waitFor(); // prettier-ignore
    return page;
  };
  const names = (page: Page): Promise<string[]> => page.locator('.model-name').allTextContents();

  it('the console weighs less than 250 kB, and asks for nothing from elsewhere', async () => {
    const sizes = readdirSync(join(CONSOLE, 'assets'))
      .filter((name) => !name.endsWith('.gz'))
      .map((name) => gzipSync(readFileSync(join(CONSOLE, 'assets', name))).length);
    const total = sizes.reduce((sum, size) => sum + size, gzipSync(readFileSync(join(CONSOLE, 'index.html'))).length);
    process.stderr.write(`the console is ${(total / 1000).toFixed(1)} kB compressed\n`);
    expect(total).toBeLessThan(250_000);
  });

  it('the fleet shows every model with its status, traffic, worst check and last reason, what needs a person first', async () => {
    const page = await open('/');
    const row = (model: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name: model, exact: true }) }); // prettier-ignore
    expect(await page.title()).toBe('Models · Model Canary');
    expect((await names(page)).slice(0, 3).sort()).toEqual(['ranking', 'spam', 'vision-tags']);
    expect(await row('fraud').innerText()).toMatch(/v1 → v2[^]*Progressing[^]*step 2 of 3[^]*set 50.%, actual 49\.\d.%[^]*latency p99[^]*limit \+20.ms[^]*Traffic changed/); // prettier-ignore
    expect(await row('digits').innerText()).toMatch(/Rolled back[^]*v1 gets everything[^]*latency p99[^]*Accuracy is higher by 2\.1 points/); // prettier-ignore
    expect(await row('churn').innerText()).toMatch(/Undone[^]*customers complain[^]*by ann/);
    expect(await row('vision-tags').innerText()).toContain('answered 503');
  });

  it('the fleet is filtered, searched and sorted, and the address keeps what was chosen', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: /^Rolled back/ }).click();
    expect((await names(page)).sort()).toEqual(['churn', 'digits', 'translation']);
    await page.getByRole('searchbox').fill('accuracy');
    expect(await names(page)).toEqual(['translation']);
    expect(new URL(page.url()).search).toBe('?show=rolled-back&q=accuracy');
    await page.reload();
    await page.getByRole('link', { name: 'translation' }).waitFor();
    expect(await names(page)).toEqual(['translation']);
    await page.getByRole('searchbox').fill('nothing like that');
    await page.getByText('No model fits').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Sorted by').selectOption('name');
    const sorted = await names(page);
    expect(sorted).toHaveLength(9);
    expect(sorted).toEqual([...sorted].sort());
  });

  it('a rollback is understood from its page alone, at an address that stays', async () => {
    const page = await open('/models/digits');
    const headline = page.getByRole('region', { name: 'How it stands' });
    expect(await headline.innerText()).toMatch(/Rolled back[^]*at step 1 of 3[^]*p99 latency is 145 ms against 84 ms \[\+54 ms, \+68 ms\], limit x1\.2 or \+20 ms/); // prettier-ignore
    const failed = page.getByRole('row', { name: /latency p99/ });
    expect(await failed.innerText()).toMatch(/84.ms[^]*145.ms[^]*\+61.ms[^]*\+20.ms[^]*Beyond limit/);
    expect(await page.locator('.step-ended-here').innerText()).toContain('v2 gets 10');
    const moments = await page.locator('.moment').allInnerTexts();
    expect(moments.map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([expect.stringMatching(/^Rolled back by the data/), expect.stringMatching(/^Started by ann/)]); // prettier-ignore
    await page.locator('.moment summary').first().click();
    expect(await page.locator('.moment table').innerText()).toContain('accuracy');
    expect(await page.getByRole('img', { name: /^latency p99, difference\. First:/ }).count()).toBe(1);
    await page.getByRole('link', { name: 'digits-1' }).click();
    await page.getByText('Aborted by ann: wrong artefact').first().waitFor();
    expect(new URL(page.url()).pathname).toBe('/models/digits/rollouts/digits-1');
    expect(await page.title()).toBe('digits-1 · Model Canary');
    expect(await page.getByRole('group', { name: /What can be done/ }).count()).toBe(0);
  });

  it('all charts of a rollout share the cursor, which the arrow keys move', async () => {
    const page = await open('/models/fraud');
    const evidence = page.getByRole('img', { name: /^Evidence against the canary/ });
    await evidence.focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.locator('.readout-time').count()).toBeGreaterThan(3);
    const times = new Set(await page.locator('.chart:has([aria-label^="Evidence"], [aria-label*="difference"]) .readout-time').allInnerTexts()); // prettier-ignore
    expect(times.size).toBe(1);
  });

  it('a file is checked while it is written: findings with their place, and the forecast beside it', async () => {
    const page = await open('/new', { mayFail: ['422'] });
    const file = page.getByRole('textbox', { name: 'Rollout file, YAML' });
    await file.fill(FILE.replace('v1: 0.9, v2: 0.1', 'v1: 90, v2: 10'));
    const place = page.getByRole('button', { name: /^line 6, column \d+$/ }).first();
    await place.waitFor();
    expect(await page.locator('.findings').innerText()).toContain('fractions');
    await place.click();
    expect(await file.evaluate((area) => (area as unknown as { selectionStart: number }).selectionStart)).toBeGreaterThan(FILE.indexOf('steps:')); // prettier-ignore
    await file.fill(FILE);
    await page.getByText('The file is right.').waitFor();
    await page.getByLabel('Predictions per second').fill('500');
    await expect.poll(() => page.locator('.forecast').innerText()).toMatch(/About \d+m in all[^]*At 500 predictions\/s[^]*v2 gets 10[^]*for the (evidence|labels)/); // prettier-ignore
    await page.getByLabel('Predictions per second').fill('5');
    await expect.poll(() => page.locator('.forecast').innerText()).toMatch(/At 5 predictions\/s/);
    await expect.poll(() => page.locator('.findings').innerText()).toMatch(/Warning/);
  });

  it('the fields write a file that is right, from what is known of the model', async () => {
    const page = await open('/new?model=welcome', { mayFail: ['422'] });
    await page.getByLabel('Its address').nth(1).fill('http://127.0.0.1:9/v2');
    await page.getByText('The file is right.').waitFor();
    await page.getByRole('button', { name: 'Add a pause' }).click();
    await page.getByLabel('v2 gets').first().fill('101');
    await page.getByText('The file cannot be carried out yet.').waitFor();
    await page.getByLabel('v2 gets').first().fill('12.5');
    await page.getByText('The file is right.').waitFor();
    const text = await page.getByRole('textbox', { name: 'Rollout file, YAML' }).inputValue();
    expect(text).toContain('{ traffic_split: { v1: 0.875, v2: 0.125 }');
    expect(text).toContain('{ pause: {} }');
    await page.getByRole('button', { name: /^Start the rollout of welcome/ }).waitFor();
  });

  it('nothing is wider than a telephone, and all of it can be read and judged in both schemes', async () => {
    const issues: string[] = [];
    const look = async (width: 360 | 1440, inOrder: readonly Scheme[]): Promise<void> => {
      const page = await browser().page({ width, mayFail: ['422', '404'] });
      for (const [name, path, looks] of LOOKED_AT) {
        const schemes = inOrder.filter((scheme) => looks.includes(`${width} ${scheme}`));
        const told = (found: readonly string[], scheme: Scheme) => found.map((issue) => `${name}, ${scheme}, ${width}: ${issue}`); // prettier-ignore
        const [first, ...others] = schemes;
        await page.emulateMedia({ colorScheme: first! });
        await page.goto(stage.url + path);
        await page.locator('h1').first().waitFor();
        await settled(page);
        const widest = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (widest > width) issues.push(`${name} is ${widest} wide on a screen of ${width}`);
        issues.push(...told(await seriousIssues(page), first!));
        for (const scheme of others) {
          // A scheme has other colours and nothing else.
          await page.emulateMedia({ colorScheme: scheme });
          issues.push(...told(await seriousIssues(page, RULES_OF_COLOURS), scheme));
        }
        await keepScreenshots(page, `${name}-${width}`, schemes);
      }
    };
    // Each scheme is there from the beginning once, and changed to once.
    await Promise.all([look(1440, ['light', 'dark']), look(360, ['dark', 'light'])]);
    expect(issues).toEqual([]);
  });

  it('a rollout prints as one page, on white, with its address', async () => {
    const page = await open('/models/digits', { scheme: 'dark' });
    await page.getByRole('img', { name: /^latency p99, difference/ }).waitFor();
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(1);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.print-foot').innerText()).toContain('/models/digits/rollouts/digits-2');
    expect(await page.getByRole('button', { name: 'Set traffic' }).isVisible()).toBe(false);
  });
}

/** Fonts are there, and what is asked for has come. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  await page.evaluate('document.fonts.ready');
  await page.locator('.quiet.page-wait').waitFor({ state: 'detached' });
  if (new URL(page.url()).pathname === '/new') await page.getByText(/The file (is right|cannot be)/).waitFor();
  if (/models\/(digits|fraud|ranking)/.test(page.url())) await page.locator('.chart canvas').first().waitFor();
}
