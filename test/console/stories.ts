import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type KafkaWorld, startKafkaWorld } from '../e2e/driver/kafka-world.js';
import { keepScreenshots, type TestBrowser } from './browser.js';
import { CutProxy } from './cut-proxy.js';
import { TrafficOf } from './traffic.js';

/** How long the data may take to decide, on a machine that does other things too. */
const VERDICT_MS_MAX = 150_000;

/** The stories of the demo, watched and acted on through the page: the services are processes, Kafka and Redis real. */
export function storiesSuite(browser: () => TestBrowser): void {
  let world: KafkaWorld;
  let wire: CutProxy;
  const models = new Set<TrafficOf>();
  beforeAll(async () => {
    world = await startKafkaWorld({ routers: 1, evaluators: 1, controllers: 1 });
    wire = await CutProxy.open(world.controllerUrl());
  });
  afterAll(async () => {
    await Promise.all([...models].map((model) => model.close()));
    await wire?.close();
    await world?.close();
  });

  const traffic = async (
    model: string,
    canary: ConstructorParameters<typeof TrafficOf>[2] = {},
  ): Promise<TrafficOf> => {
    const made = new TrafficOf(world, model, canary);
    models.add(made);
    await made.start();
    return made;
  };
  const decision = (page: Page, word: string) => page.locator('.moment', { has: page.getByText(word, { exact: true }) }).first(); // prettier-ignore
  const status = (page: Page, word: string, timeout = VERDICT_MS_MAX) => page.locator('.headline-status strong', { hasText: word }).waitFor({ timeout }); // prettier-ignore
  const act = async (
    page: Page,
    button: string,
    { reason, confirm }: { reason: string; confirm?: string },
  ): Promise<void> => {
    await page
      .getByRole('group', { name: /What can be done/ })
      .getByRole('button', { name: button, exact: true })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Reason/).fill(reason);
    if (confirm !== undefined) await dialog.getByLabel(/^Type /).fill(confirm);
    await dialog.getByRole('button', { name: button, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  /** From the file that is pasted to the first step. */
  const begin = async (page: Page, model: TrafficOf): Promise<void> => {
    await page.goto(`${wire.url}/new`);
    await page.getByRole('textbox', { name: 'Rollout file, YAML' }).fill(model.file());
    await page.getByText('The file is right.').waitFor();
    await page.getByRole('button', { name: `Start the rollout of ${model.name}` }).click();
    await status(page, 'Progressing');
    expect(new URL(page.url()).pathname).toBe(`/models/${model.name}`);
  };

  /** What goes on after its story would only slow the others down. */
  const leave = async (page: Page, model: TrafficOf): Promise<void> => {
    await page.close();
    models.delete(model);
    await model.close();
  };

  describe.concurrent('a rollout', () => {
    it('is begun from a pasted file, paused, resumed and promoted through the page, and undone with a confirmation', async () => {
      const model = await traffic('promoted');
      const page = await browser().page();
      await begin(page, model);
      await act(page, 'Pause', { reason: 'busy hours' });
      await status(page, 'Paused');
      expect(await decision(page, 'Paused').innerText()).toContain('busy hours');
      await act(page, 'Resume', { reason: 'calm again' });
      await decision(page, 'Resumed').waitFor();
      await act(page, 'Promote to next step', { reason: 'seen enough' });
      await page.locator('.step-present', { hasText: 'v2 gets 100' }).waitFor();
      await status(page, 'Promoted');
      expect(await page.locator('.headline').innerText()).toMatch(/v2 gets everything/);
      await act(page, 'Undo promotion', { reason: 'customers complain', confirm: model.name });
      await status(page, 'Promoted, then undone');
      expect(await page.locator('.headline').innerText()).toMatch(/customers complain[^]*v1 gets everything/);
      await leave(page, model);
    });

    it('of a version that is wrong more often is rolled back by the data, and the page says why', async () => {
      const model = await traffic('wrong', { accuracy: 0.5 });
      const page = await browser().page();
      await begin(page, model);
      await status(page, 'Rolled back');
      expect(await page.locator('.headline').innerText()).toMatch(
        /accuracy is \d[\d.]* % [^]*limit[^]*evidence [\d,]+ to 1/i,
      );
      expect(
        await page
          .getByRole('row', { name: /^accuracy/ })
          .first()
          .innerText(),
      ).toContain('Beyond limit');
      expect((await decision(page, 'Rolled back').innerText()).replaceAll(/\s+/g, ' ')).toMatch(
        /^Rolled back by the data/,
      );
      await page.getByRole('img', { name: /^accuracy, difference\. First:/ }).waitFor();
      await keepScreenshots(page, 'story-rolled-back-1440-light');
      await leave(page, model);
    });

    it('is aborted with its name typed, and its page says whose word it was', async () => {
      const model = await traffic('aborted');
      const page = await browser().page({ width: 360 });
      await begin(page, model);
      await act(page, 'Abort', { reason: 'wrong artefact', confirm: model.name });
      await status(page, 'Aborted');
      expect(await page.locator('.headline').innerText()).toMatch(/aborted by anonymous: wrong artefact/i);
      await leave(page, model);
    });
  });

  it('goes on being watched when the wire is cut and the controller restarts: nothing is missed and nothing lost', async () => {
    await browser().closePages();
    const model = await traffic('watched');
    const page = await browser().page({ mayFail: ['net::', 'Failed to load resource'] });
    await begin(page, model);
    const beginning = await beginningOf(page);
    const resumed: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/api/v1/events') resumed.push(request.headers()['last-event-id']);
    });

    wire.cut();
    await page.getByText(/No connection to the controller/).waitFor();
    await model.command('pause', 'while nobody watches');
    await model.command('resume', 'before anybody looks');
    wire.mend(world.controllerUrl());
    await page.getByText('Live', { exact: true }).waitFor();
    await decision(page, 'Resumed').waitFor();
    expect(await decision(page, 'Paused').innerText()).toContain('while nobody watches');
    expect(resumed.at(-1)).toMatch(/^[a-z0-9.-]+$/);

    wire.cut();
    await world.running('controller')[0]!.stop();
    await world.start('controller');
    wire.mend(world.controllerUrl());
    await page.getByText('Live', { exact: true }).waitFor();
    await model.command('pause', 'after the restart');
    await page
      .getByText(/after the restart/)
      .first()
      .waitFor();
    await page.reload();
    expect(Math.abs((await beginningOf(page)) - beginning)).toBeLessThanOrEqual(2);
    expect(await page.locator('.moment').count()).toBe(4);
  });
}

/** When the first verdict stands that the chart of the evidence has, in seconds of the day. */
async function beginningOf(page: Page): Promise<number> {
  const chart = page.getByRole('img', { name: /^Evidence against the canary\. First:/ });
  const readout = page.locator('.chart', { has: chart }).locator('.readout-time');
  // While a page grows it moves below the mouse, and a mouse that leaves a chart takes the cursor of all along.
  await page.mouse.move(0, 0);
  await vi.waitFor(
    async () => {
      await chart.press('Home');
      await readout.waitFor({ timeout: 1_000 });
    },
    { timeout: 30_000 },
  );
  const time = await readout.innerText();
  const [hours, minutes, seconds] = time.trim().split(':').map(Number) as [number, number, number];
  return (hours * 60 + minutes) * 60 + seconds;
}
