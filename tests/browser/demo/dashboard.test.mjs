// The dashboard that the demo has left: it answers people's questions about real runs.
//
// With BROWSER_PICTURES=<folder> the test writes the README's pictures of it to that folder.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { faint, launch, overflow, withPage } from "../browser.mjs";

const MODELS = ["xgboost", "linear-learner"];
// The model that has learned the changed world; the other's candidate was worse than the naive baseline and was rejected.
const LEARNED = MODELS[0];
const pictures = process.env.BROWSER_PICTURES;
const picture = (page, name) => pictures && page.screenshot({ path: join(pictures, `${name}.png`) });

// The findings of a model's newest drifted window, opened at one of its features.
const openDrift = async (page, feature) => {
  await page.locator(".outcomes td.outcome-drifted").last().click();
  const found = await page.locator(".detail .found li").allTextContents();
  await page.locator(".detail .found button", { hasText: feature }).click();
  assert.equal(await page.locator(".detail h3").textContent(), feature);
  return found;
};

describe("the demo's dashboard", () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());
  const dashboard = (name, options, look) => test(name, () => withPage(browser, "dashboard", options, look));

  for (const model of MODELS) {
    dashboard(`${model}: an ordinary day is clean, the changed world drifts, and the day after where it has learned is clean`, { hash: `#model=${model}` }, async (page) => {
      await page.setViewportSize({ width: 1280, height: 1180 });
      const outcomes = await page.locator(".outcomes td.heat").evaluateAll((cells) => cells.map((cell) => cell.classList[1]));
      assert(outcomes.length >= (model === LEARNED ? 3 : 2), outcomes.join());
      assert.equal(outcomes[0], "outcome-clean");
      assert(outcomes.includes("outcome-drifted"), outcomes.join());
      if (model === LEARNED) assert.equal(outcomes.at(-1), "outcome-clean");
      if (model === MODELS[0]) await picture(page, "dashboard");
    });

    dashboard(`${model}: what drifted, since when, and which data was behind it`, { hash: `#model=${model}` }, async (page) => {
      const found = await openDrift(page, "fuel");
      for (const feature of ["fuel", "odometer_mi", "RMSE"]) assert(found.some((line) => line.startsWith(feature)), `${feature} in ${found}`);
      assert.match(await page.locator(".detail .categories tr", { hasText: "hydrogen" }).textContent(), /new/);
      const sources = await page.locator(".sources").textContent();
      for (const part of [`/monitoring/${model}/`, "/input/data/", "sources.json", "report.html", "Champion"]) assert(sources.includes(part), part);
    });
  }

  dashboard("a batch leads to its scoring run", { hash: "#model=xgboost" }, async (page) => {
    await page.locator(".outcomes td.heat").first().click();
    assert.match(await page.locator(".sources").textContent(), /Scoring run/);
  });

  dashboard("the day after, the world is what the newest champion has learned", {}, async (page) => {
    for (const model of MODELS) {
      assert((await page.locator("#champions tbody tr", { hasText: model }).count()) >= (model === LEARNED ? 2 : 1), model);
      assert.equal(await page.locator("#champions tbody tr", { hasText: model }).filter({ hasText: "serves" }).count(), 1);
      const newest = page.locator("#runs tbody tr", { hasText: model }).first();
      const decided = model === LEARNED ? /drift.*Exported.*better than champion/s : /drift.*Rejected/s;
      assert.match(await newest.textContent(), decided);
    }
  });

  dashboard("missing odometers are seen before and now", { scheme: "dark", hash: "#model=xgboost" }, async (page) => {
    await page.setViewportSize({ width: 1280, height: 760 });
    await openDrift(page, "odometer_mi");
    assert.match(await page.locator(".detail .facts").textContent(), /Missing[0-3]\.\d %\d\d\.\d %/);
    await page.locator(".detail .finding-line").evaluate((line) => scrollTo(0, line.getBoundingClientRect().top + scrollY - 90));
    await picture(page, "dashboard-drill-down");
  });

  for (const width of [1280, 390]) {
    for (const scheme of ["light", "dark"]) {
      dashboard(`it can be read at ${width} px in ${scheme} colours`, { width, scheme }, async (page) => {
        assert.equal(await overflow(page), 0);
        assert.deepEqual(await faint(page), []);
      });
    }
  }
});
