import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { seriousIssues, type TestBrowser } from './browser.js';
import { manyModels } from './fleet-scenes.js';
import { tabTo } from './keyboard.js';
import { Scene } from './scene.js';
import { openStage, type Stage } from './scene-stage.js';

const TOKENS = { read: 'read-token-of-the-wall', operate: 'operate-token-of-ops', admin: 'admin-token-of-the-boss' };
const TOKEN_LIST = JSON.stringify(
  Object.entries(TOKENS).map(([role, token]) => ({ name: `${role}-team`, role, token })),
);

const underWay = (model: string): Scene =>
  new Scene(model, { beginsAtMs: Date.now() - 60_000 }).registered().started().watched(50);

/** What people do on the pages, and what they may not. */
export function actingSuite(browser: () => TestBrowser): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage([underWay('by-keyboard'), underWay('by-two'), underWay('watched')], {
      CONTROLLER_TOKENS: TOKEN_LIST,
    });
  });
  afterEach(() => browser().closePages());
  afterAll(() => stage.close());

  const signIn = async (page: Page, token: string): Promise<void> => {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
  };
  const actions = (page: Page) => page.getByRole('group', { name: /What can be done/ });

  it('a token is asked for, kept in the tab alone, and decides what is offered', async () => {
    const page = await browser().page({ mayFail: ['401'] });
    await page.goto(`${stage.url}/models/watched`);
    await page.getByLabel('Token').fill('not-a-token-of-anybody');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('does not know this token').waitFor();
    expect(await seriousIssues(page)).toEqual([]);
    await signIn(page, TOKENS.operate);
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.locator('.who').innerText()).toBe('operate-team');
    const promoteFully = actions(page).getByRole('button', { name: 'Promote fully' });
    expect(await promoteFully.getAttribute('aria-disabled')).toBe('true');
    expect(await actions(page).innerText()).toContain('Promote fully: This needs the role admin; yours is operate.');
    await promoteFully.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
    const stored = await page.evaluate<string>('JSON.stringify(localStorage) + document.cookie');
    expect(stored).not.toContain(TOKENS.operate);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, TOKENS.read);
    expect([await actions(page).count(), await page.getByRole('link', { name: 'New rollout' }).count()]).toEqual([
      0, 0,
    ]);
    expect(await page.locator('.who').innerText()).toBe('read-team, looking only');
  });

  it('a console that is read-only offers no actions, whoever looks', async () => {
    const wall = await openStage([underWay('watched')], { CONSOLE_READ_ONLY: 'true' });
    try {
      const page = await browser().page();
      await page.goto(`${wall.url}/models/watched`);
      await page.getByText('Live', { exact: true }).waitFor();
      expect([await actions(page).count(), await page.getByRole('link', { name: 'New rollout' }).count()]).toEqual([
        0, 0,
      ]);
      await page.goto(`${wall.url}/new`);
      await page.getByText('Looking only').waitFor();
    } finally {
      await browser().closePages();
      await wall.close();
    }
  });

  it('everything can be done by keyboard alone: signing in, pausing with a reason, aborting with a confirmation', async () => {
    const page = await browser().page({ mayFail: ['401'] });
    await page.goto(stage.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await tabTo(page, { role: 'textbox', name: 'Token' });
    await page.keyboard.type(TOKENS.admin);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'by-keyboard' }).waitFor();
    await tabTo(page, { role: 'link', name: 'by-keyboard' });
    await page.keyboard.press('Enter');
    await actions(page).waitFor();

    await tabTo(page, { role: 'button', name: 'Pause' });
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Pause: by-keyboard' });
    await dialog.waitFor();
    expect(await seriousIssues(page)).toEqual([]);
    await tabTo(page, { role: 'textbox', name: /^Reason/ });
    await tabTo(page, { role: 'button', name: 'Pause' });
    await page.keyboard.press('Enter');
    await dialog.getByText('Say why').waitFor();
    await tabTo(page, { role: 'textbox', name: /^Reason/ });
    await page.keyboard.type('busy hours');
    await tabTo(page, { role: 'textbox', name: /^Your name/ });
    await page.keyboard.type('ada');
    await tabTo(page, { role: 'button', name: 'Pause' });
    await page.keyboard.press('Enter');
    await page.getByText('Paused by admin-team on behalf of ada').first().waitFor();
    await dialog.waitFor({ state: 'detached' });
    expect(await page.locator('.headline').innerText()).toMatch(/Paused[^]*busy hours[^]*Waiting for a person/);

    await tabTo(page, { role: 'button', name: 'Abort' });
    await page.keyboard.press('Enter');
    await tabTo(page, { role: 'textbox', name: /^Reason/ });
    await page.keyboard.type('wrong artefact');
    await tabTo(page, { role: 'textbox', name: /^Type by-keyboard/ });
    await page.keyboard.type('by-keybord');
    await tabTo(page, { role: 'button', name: 'Abort' });
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Type by-keyboard to confirm.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').innerText()).toBe('Abort');
    await page.keyboard.press('Enter');
    await tabTo(page, { role: 'textbox', name: /^Reason/ });
    await page.keyboard.type('wrong artefact');
    await tabTo(page, { role: 'textbox', name: /^Type by-keyboard/ });
    await page.keyboard.type('by-keyboard');
    await page.keyboard.press('Enter');
    await page
      .getByText(/Aborted by admin-team on behalf of ada: wrong artefact/)
      .first()
      .waitFor();
    expect(await page.locator('.headline').innerText()).toMatch(/Aborted[^]*v1 gets everything/);
  });

  it('what the controller refuses is told in its words, and the dialog stays', async () => {
    const pages = await Promise.all([0, 1].map(() => browser().page({ mayFail: ['401', '409'] })));
    const [one, other] = pages as [Page, Page];
    for (const page of pages) {
      await page.goto(`${stage.url}/models/by-two`);
      await signIn(page, TOKENS.admin);
      await actions(page).getByRole('button', { name: 'Pause' }).click();
      await page.getByLabel(/^Reason/).fill('both at once');
    }
    const confirm = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await confirm(one);
    await one.getByRole('dialog').waitFor({ state: 'detached' });
    await confirm(other);
    await other.getByRole('dialog').getByText('by-two-1 is paused already; resume, promote or abort it.', { exact: false }).waitFor(); // prettier-ignore
    await other.getByRole('button', { name: 'Cancel' }).click();
    await actions(other).getByRole('button', { name: 'Resume' }).waitFor();
  });

  it('500 models stay smooth: a line that changes is drawn again, the others are not', async () => {
    const models = manyModels(500, Date.now());
    const large = await openStage(models);
    try {
      const page = await browser().page();
      const debug = await page.context().newCDPSession(page);
      // The time of the thread itself: the machine may do other things at the same time.
      await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
      const spent = async (): Promise<Record<string, number>> => {
        const { metrics } = await debug.send('Performance.getMetrics');
        return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
      };
      await page.goto(large.url);
      await page.getByText(/^500 models\./).waitFor();
      const loaded = await spent();
      expect(await page.locator('.fleet-row').count()).toBe(501);
      await page.evaluate(`{
        window.redrawn = new Set();
        new MutationObserver((changes) => {
          for (const { target } of changes) {
            const row = (target.closest ? target : target.parentElement).closest('.fleet-row');
            if (row) window.redrawn.add(row.querySelector('.model-name').textContent);
          }
        }).observe(document.querySelector('.fleet-list'), { subtree: true, childList: true, characterData: true, attributes: true });
      }`);
      const changed = models[3]!.started().watched(4);
      await large.publish([changed]);
      // Not by its role: that would ask 501 rows for their names, again and again.
      await page
        .locator('.fleet-row', { has: page.getByText('model-003', { exact: true }) })
        .getByText('Progressing')
        .waitFor();
      await page.getByRole('searchbox').pressSequentially('model-1', { delay: 5 });
      await expect.poll(() => page.locator('.fleet-row').count()).toBe(101);
      const used = await spent();
      const open = models.filter(({ state }) => state?.rollout?.status === 'progressing').length;
      const redrawn = await page.evaluate<string[]>('[...window.redrawn]');
      expect(redrawn).toContain('model-003');
      expect(redrawn.length).toBeLessThan(2 * open + 20);
      const ms = (from: Record<string, number>, name: string): string => `${Math.round((from[name] ?? 0) * 1000)} ms`;
      process.stderr.write(
        `500 models: ${ms(loaded, 'ScriptDuration')} of script and ${ms(loaded, 'LayoutDuration')} of layout to load, ` +
          `${ms({ s: used['ScriptDuration']! - loaded['ScriptDuration']! }, 's')} of script for changes and a search of 7 letters\n`,
      );
    } finally {
      await browser().closePages();
      await large.close();
    }
  });
}
