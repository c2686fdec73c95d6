import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import AxeSource from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Chromium heeds the last list alone, so these are Playwright's, and what a window does beside its page. */
const FEATURES_OFF = [
  ...['AimEnabled', 'AvoidCorsURLLoaderRestartOnRedirect', 'AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsFirstBalancedModeAutoEnable', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter', 'NetworkTimeServiceQuerying', 'OptimizationHints', 'PaintHolding', 'PreconnectToSearch', 'ThirdPartyStoragePartitioning'], // prettier-ignore
  // The suggestions of the address bar are a page of 150 scripts, twice as dear as ours, in every window.
  ...['PreloadTopChromeWebUI', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'WebUIOmniboxPopup'],
  // A process in advance for every page.
  'SpareRendererForSitePerProcess',
];
/** Nothing in the background that would look for hosts of its own. */
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--disable-features=${FEATURES_OFF.join(',')}`]; // prettier-ignore
export const SCREENSHOTS = fileURLToPath(new URL('../../.cache/console-screenshots/', import.meta.url));
/** On a machine that does other things at the same time. */
const PATIENCE_MS = 45_000;

export type Scheme = 'light' | 'dark';

export interface PageOptions {
  readonly width?: 360 | 1440;
  readonly scheme?: Scheme;
  /** What may go wrong on this page: parts of what the browser says. */
  readonly mayFail?: readonly string[];
}

/** A real Chromium, and what its pages complain of. */
export class TestBrowser {
  private readonly contexts: BrowserContext[] = [];
  /** Errors of pages: scripts that threw, requests that failed, what the policy forbade. */
  readonly complaints: string[] = [];
  /** Hosts that pages have asked for something. */
  readonly hosts = new Set<string>();

  private constructor(private readonly browser: Browser) {}

  static async open(): Promise<TestBrowser> {
    if (!existsSync(CHROMIUM))
      throw new Error(
        `there is no ${CHROMIUM}: the tests of the console need Chromium. Debian, Ubuntu: apt-get install chromium; elsewhere set CHROMIUM to its program`,
      );
    mkdirSync(SCREENSHOTS, { recursive: true });
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args: FLAGS }));
  }

  async page({ width = 1440, scheme = 'light', mayFail = [] }: PageOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width, height: width === 360 ? 740 : 900 },
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    this.contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const complain = (text: string): void => {
      if (!mayFail.some((part) => text.includes(part))) this.complaints.push(`${page.url()}: ${text}`);
    };
    page.on('pageerror', (error) => complain(error.message));
    page.on('console', (message) => message.type() === 'error' && complain(message.text()));
    page.on('request', (request) => this.hosts.add(new URL(request.url()).hostname));
    return page;
  }

  /** Before what they look at goes away: they would complain. */
  async closePages(): Promise<void> {
    await Promise.all(this.contexts.splice(0).map((context) => context.close()));
  }

  async close(): Promise<void> {
    await this.closePages();
    await this.browser.close();
  }
}

/** The whole page as somebody who scrolls sees it, kept for looking at; in these schemes, or as it is. */
export async function keepScreenshots(
  page: Page,
  name: string,
  schemes: readonly (Scheme | null)[] = [null],
): Promise<void> {
  const { width } = page.viewportSize()!;
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  // Rows that are off the screen are drawn when they come near it: so the screen is made as high as the page.
  await page.setViewportSize({ width, height: Math.min(height, 8_000) });
  for (const scheme of schemes) {
    if (scheme) await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: `${SCREENSHOTS}${name}${scheme ? `-${scheme}` : ''}.png`, animations: 'disabled' });
  }
  await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
}

type AxeViolations = readonly {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}[];

/** Rules of axe that ask for colours. */
export const RULES_OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** What axe finds of serious and critical issues, by all its rules or by these: rule, and the first element of each. */
export async function seriousIssues(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Through the debugger: the page's own policy lets no script in.
  await page.evaluate(AxeSource.source);
  // An element is told by its HTML; a selector that fits it alone is dear.
  const options = { resultTypes: ['violations'], selectors: false, ...(rules ? { runOnly: rules } : {}) };
  const found = await page.evaluate<AxeViolations>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.replaceAll('\n', ' ')}`)); // prettier-ignore
}
