// The pages of the models in a real browser. Started by tests/test_models_page.py.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

const { PAGE, SHOTS, CHROMIUM, NODE_MODULES } = process.env;
const require = createRequire(`${NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PATHS = [
  ["index", "/models", ["vi", "en"]],
  ["trained", "/models/diabetes-incident", ["vi", "en"]],
  ["held", "/models/diabetes-undiagnosed", ["en"]],
  ["equation", "/models/who-2019-lab-vnm", ["vi"]],
  ["checklist", "/models/cvd-death/tripod.md", ["vi"]],
];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

for (const [name, path, langs] of PATHS) {
  for (const lang of langs) {
    test(`${name}, ${lang}`, async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      const wrong = [];
      page.on("request", (request) => request.url().startsWith(PAGE) || wrong.push(`asked ${request.url()}`));
      page.on("console", (said) => said.type() === "error" && wrong.push(said.text()));
      page.on("response", (answer) => answer.ok() || wrong.push(`${answer.status()} ${answer.url()}`));
      await page.goto(`${PAGE}${path}?lang=${lang}`);
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${width}: ${wide} px too wide`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
        await page.evaluate(axe);
        const found = await page.evaluate((values) => axe.run({ runOnly: { type: "tag", values } }), RULES);
        assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}`), []);
        await page.screenshot({ path: `${SHOTS}/models-${name}-${lang}-${width}.png`, fullPage: name !== "checklist" });
      }
      const images = page.locator("img");
      for (const image of await images.all()) {
        await image.scrollIntoViewIfNeeded();
        await image.evaluate((it) => it.decode());
        assert.ok(await image.evaluate((it) => it.naturalWidth > 0 && it.alt.length > 10));
      }
      if (name === "trained") assert.equal(await images.count(), 4);
      assert.deepEqual(wrong, []);
      await context.close();
    });
  }
}

test("a report runs nothing, and its pictures are shown", async () => {
  const page = await browser.newPage();
  let alerted = false;
  page.on("dialog", (dialog) => { alerted = true; return dialog.dismiss(); });
  await page.goto(`${PAGE}/models`);
  await page.locator('a[href="/models/reports/da-nang/cvd-death/report.html"]').click();
  await page.waitForSelector("h1");
  assert.ok(!alerted);
  for (const image of await page.locator("img").all()) {
    await image.evaluate((it) => it.decode());
    assert.ok(await image.evaluate((it) => it.naturalWidth > 0));
  }
});
