import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actingSuite } from './acting.js';
import { TestBrowser } from './browser.js';
import { pagesSuite } from './pages.js';
import { storiesSuite } from './stories.js';

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.open();
});
afterAll(() => browser?.close());

describe('the pages', () => pagesSuite(() => browser));

describe('acting', () => actingSuite(() => browser));

describe('on a real Kafka and Redis', () => storiesSuite(() => browser));

it('no page has complained, and none has asked for anything from elsewhere', () => {
  expect(browser.complaints).toEqual([]);
  expect([...browser.hosts]).toEqual(['127.0.0.1']);
});
