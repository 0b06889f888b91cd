// Every page, at both widths and in both colour schemes: nothing goes wrong, nothing overflows, all of it is readable.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { faint, launch, overflow, withPage } from "./browser.mjs";

const OPENED = "#open=16%2F0%2Ffeature%2Ffuel";
const PAGES = [["dashboard", ""], ["dashboard", OPENED], ["dashboard", "#open=9%2F1%2F"], ["dashboard", "#kind=scoring&feature=odometer_mi"], ["fresh", ""], ["decided", ""], ["index", ""], ["hostile", ""], ["drift", ""]];

describe("pages", () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());

  for (const [name, hash] of PAGES) {
    for (const width of [1280, 390]) {
      for (const scheme of ["light", "dark"]) {
        test(`${name}${hash} is readable at ${width} px in ${scheme} colours`, () =>
          withPage(browser, name, { width, scheme, hash }, async (page) => {
            assert.equal(await overflow(page), 0);
            assert.deepEqual(await faint(page), []);
          }));
      }
    }
  }

  test("without its script the dashboard still says what is now", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await withPage({ newPage: () => page }, "dashboard", {}, async () => {
      assert.equal(await page.locator(".card").count(), 2);
      assert.match(await page.locator("noscript").textContent(), /script/);
    });
    await context.close();
  });
});
