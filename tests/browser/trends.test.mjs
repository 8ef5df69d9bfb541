// The report on trends in a real browser. Started by tests/test_trends_page.py.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { REPORTS, SHOTS, CHROMIUM, NODE_MODULES } = process.env;
const require = createRequire(`${NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

for (const lang of ["en", "vi"]) {
  for (const [width, dark] of [[1280, false], [360, true]]) {
    test(`${lang} at ${width} px, ${dark ? "dark" : "light"}`, async () => {
      const context = await browser.newContext({
        viewport: { width, height: 900 }, colorScheme: dark ? "dark" : "light", bypassCSP: true,
      });
      const page = await context.newPage();
      const asked = [];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (said) => said.type() === "error" && asked.push(said.text()));
      const url = pathToFileURL(`${REPORTS}/report.${lang}.html`).href;
      await page.goto(url);
      await page.screenshot({ path: `${SHOTS}/${lang}-${width}.png` });
      if (process.env.ALL) await page.screenshot({ path: `${SHOTS}/${lang}-${width}-all.png`, fullPage: true });

      assert.deepEqual(asked, [url]);
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      assert.ok((await page.locator("svg.map").count()) > 1);
      assert.equal(await page.locator("article:has(svg):not(:has(table))").count(), 0);
      assert.ok(await page.locator("header .synthetic").isVisible());
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} px too wide`);
      await page.evaluate(() => document.querySelectorAll("details").forEach((it, at) => { it.open = at < 8; }));
      await page.evaluate(axe);
      const found = await page.evaluate((values) => axe.run({ runOnly: { type: "tag", values } }), RULES);
      assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 160)}`), []);
      await context.close();
    });
  }
}
