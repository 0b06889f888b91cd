// The dashboard as people use it: filters, drill-down, keyboard, addresses.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, withPage } from "./browser.mjs";

const sees = (page, selector) => page.locator(selector).filter({ visible: true }).count();
const address = async (page) => Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)));
const CELL = '[data-open="16/0/feature/fuel"]';

describe("dashboard", () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());
  const dashboard = (name, hash, look) => test(name, () => withPage(browser, "dashboard", { hash }, look));

  dashboard("shows all models, windows and runs at first", "", async (page) => {
    assert.equal(await sees(page, ".card"), 2);
    assert.equal(await sees(page, ".timeline"), 2);
    assert.equal(await page.locator(".outcomes td.heat").count(), 62);
    assert.equal(await page.locator("#champions tbody tr").count(), 4);
    assert.equal(await page.locator("#runs tbody tr").count(), 8);
    assert.equal(await page.locator("#filters output").textContent(), "62 windows");
    assert.deepEqual(await address(page), {});
  });

  dashboard("filters by model, feature and time work together, and the address keeps them", "", async (page) => {
    await page.selectOption("[name=model]", "xgboost");
    assert.equal(await sees(page, ".card"), 1);
    assert.equal(await sees(page, ".timeline"), 1);
    assert.equal(await page.locator("#champions tbody tr").count(), 2);
    assert.equal(await page.locator("#runs tbody tr").count(), 4);
    await page.selectOption("[name=feature]", "fuel");
    const lines = await page.locator(".windows tr.line th").allTextContents();
    assert.deepEqual(lines, ["fuel"]);
    await page.fill("[name=from]", "2026-11-10");
    await page.fill("[name=to]", "2026-11-12");
    const windows = await page.locator(".outcomes td.heat").count();
    assert(windows > 2 && windows < 8, `${windows} windows`);
    assert.deepEqual(await address(page), { model: "xgboost", feature: "fuel", from: "2026-11-10", to: "2026-11-12" });
    assert.equal(await page.locator("#filters output").textContent(), `${windows} of 62 windows`);

    // Another user opens the link.
    await page.reload();
    assert.equal(await page.locator("[name=feature]").inputValue(), "fuel");
    assert.equal(await page.locator(".outcomes td.heat").count(), windows);

    await page.click("button[type=reset]");
    assert.deepEqual(await address(page), {});
    assert.equal(await page.locator(".outcomes td.heat").count(), 62);
  });

  dashboard("a period and dates exclude each other", "#from=2026-11-10", async (page) => {
    await page.selectOption("[name=last]", "7");
    assert.deepEqual(await address(page), { last: "7" });
    const week = await page.locator(".outcomes td.heat").count();
    await page.selectOption("[name=last]", "1");
    const day = await page.locator(".outcomes td.heat").count();
    assert(day > 0 && day < week && week < 62, `${day}, ${week}`);
    await page.fill("[name=to]", "2026-11-01");
    assert.deepEqual(await address(page), { to: "2026-11-01" });
    assert.match(await page.locator(".timeline .empty").first().textContent(), /None of its 31 windows lies in the period/);
  });

  dashboard("a feature's trend stands beside the predictions", "#feature=odometer_mi", async (page) => {
    const labels = await page.locator(".timeline").first().locator(".picture-row .label").allTextContents();
    assert.equal(labels.filter((label) => /^(Predictions|Distribution|odometer_mi|Error)/.test(label)).length, 4);
  });

  dashboard("a cell opens its distributions and leads to the data behind it", "", async (page) => {
    await page.click(CELL);
    const detail = page.locator(".detail");
    assert.equal(await detail.locator("h3").textContent(), "fuel");
    assert.match(await detail.locator(".finding-line").textContent(), /Drifted.*× the threshold/);
    const hydrogen = detail.locator(".categories tr", { hasText: "hydrogen" });
    assert.match(await hydrogen.textContent(), /new/);
    const texts = await detail.locator(".sources").textContent();
    for (const part of ["/input/data/", "sources.json", "report.html", "Champion"]) assert(texts.includes(part), part);
    assert.equal((await address(page)).open, "16/0/feature/fuel");
    await detail.getByRole("button", { name: "newer" }).click();
    assert.equal((await address(page)).open, "17/0/feature/fuel");
    assert.match(await page.locator(".sources").textContent(), /Scoring run/);
  });

  dashboard("a number's distributions are a histogram", "#open=16%2F0%2Ffeature%2Fodometer_mi", async (page) => {
    const label = await page.locator(".detail .histogram").getAttribute("aria-label");
    assert.match(label, /Baseline: median [\d,]+.*This window: median [\d,]+/);
    assert.equal(await page.locator(".detail .bars path").count(), 2);
    assert.match(await page.locator(".detail .facts").textContent(), /Missing1\.\d %3\d/);
  });

  dashboard("a window opens what drifted in it", "", async (page) => {
    await page.click('[data-open="15/1/"]');
    const found = await page.locator(".detail .found li").allTextContents();
    assert.match(found[0], /^odometer_mi/);
    await page.locator(".detail .found button").first().click();
    assert.equal(await page.locator(".detail h3").textContent(), "odometer_mi");
  });

  dashboard("a window that could not be analysed says why", "#open=9%2F1%2F", async (page) => {
    assert.match(await page.locator(".detail").textContent(), /Error.*no capacity/);
  });

  dashboard("the keyboard reaches every cell", "", async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.dataset.open ?? document.activeElement.tagName);
    await page.locator('.outcomes td[tabindex="0"]').first().focus();
    assert.equal(await focused(), "30/0/");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await focused(), "29/0/");
    await page.keyboard.press("ArrowDown");
    assert.match(await focused(), /^29\/0\/prediction/);
    await page.keyboard.press("Home");
    assert.match(await focused(), /^0\/0\/prediction/);
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "H3");
    await page.keyboard.press("Escape");
    assert.match(await focused(), /^0\/0\/prediction/);
    assert.equal(await page.locator(".detail").count(), 0);
  });

  dashboard("no finding is told by its colour alone", "", async (page) => {
    const cells = await page.locator("td.heat").evaluateAll((all) => all.map((cell) => [cell.className, cell.textContent, cell.title]));
    assert(cells.length > 500);
    for (const [name, sign, title] of cells) {
      assert(title, name);
      if (!/clean|none/.test(name)) assert.notEqual(sign, "", `${name}: ${title}`);
    }
    assert(cells.some(([, sign]) => sign === "6"));
  });

  dashboard("runs are shown by kind", "#model=linear-learner", async (page) => {
    const words = await page.locator("#runs tbody").textContent();
    for (const part of ["Exported", "over the threshold", "no better than the champion", "drift"]) assert(words.includes(part), part);
    await page.getByRole("button", { name: /Batch scoring/ }).click();
    assert.equal(await page.locator("#runs tbody tr").count(), 4);
    assert.equal((await address(page)).kind, "scoring");
    await page.getByRole("button", { name: /Monitoring/ }).click();
    await page.getByRole("button", { name: /Show all 31 runs/ }).click();
    assert.equal(await page.locator("#runs tbody tr").count(), 31);
    assert.match(await page.locator("#runs tbody").textContent(), /failed/i);
  });

  dashboard("an address of nothing shows everything", "#model=gone&feature=x&from=yesterday&last=9&open=99%2F7%2F&kind=%3Cb%3E", async (page) => {
    assert.equal(await page.locator(".outcomes td.heat").count(), 62);
    assert.equal(await page.locator("#runs tbody tr").count(), 8);
    assert.equal(await page.locator(".detail").count(), 0);
  });

  test("a fresh use case says what will appear", () => withPage(browser, "fresh", {}, async (page) => {
    const words = await page.locator("main").textContent();
    for (const part of ["No monitoring run has looked", "no champion yet", "training/incoming/", "no run has passed the gate"]) assert(words.includes(part), part);
  }));

  test("hostile names are text, wherever they stand", () => withPage(browser, "hostile", {}, async (page) => {
    await page.locator("tr.line td.heat.two, tr.line td.heat.three").first().click();
    assert.match(await page.locator(".detail h3").textContent(), /<img src=x/);
    assert.equal((await page.locator(".detail").count()), 1);
    await page.selectOption("[name=model]", { index: 1 });
    await page.reload();
    assert.equal(await sees(page, ".card"), 1);
    assert.equal(await page.evaluate(() => window.hit), undefined);
    assert.equal(await page.locator("img, b img").count(), 0);
  }));
});
