import type { Page } from 'playwright-core';

const TABS_MAX = 80;

/** Goes on with the Tab key, and with nothing else, until this is focused. */
export async function tabTo(
  page: Page,
  wanted: { readonly role: string; readonly name: RegExp | string },
): Promise<void> {
  const passed: string[] = [];
  for (let i = 0; i < TABS_MAX; i++) {
    await page.keyboard.press('Tab');
    const focused = page.locator(':focus');
    if ((await focused.count()) === 0) continue;
    const found = page.getByRole(wanted.role as 'button', { name: wanted.name, exact: true }).and(focused);
    if ((await found.count()) > 0) return;
    passed.push(
      await focused.evaluate((element) => (element as unknown as { outerHTML: string }).outerHTML.slice(0, 60)),
    );
  }
  throw new Error(
    `the Tab key does not come to ${wanted.role} ${String(wanted.name)}; it passed ${passed.join(' | ')}`,
  );
}
