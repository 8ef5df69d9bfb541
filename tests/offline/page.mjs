// The page as people use it, on a small phone: node page.mjs ADDRESS [SHOTS]

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { WOMAN, assess, fill, keep, pageOf, withBrowser } from "./browser.mjs";

const [address, shots] = process.argv.slice(2);
const axe = await readFile(`${process.env.CDSS_NODE_MODULES}/axe-core/axe.min.js`, "utf8");

async function accessible(page, what) {
  await page.evaluate(axe); // by the protocol, which no content security policy stops
  const found = await page.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
  assert.deepEqual(found.violations.map((v) => `${what}: ${v.id} ${v.nodes[0].html}`), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${what} is ${wide} px too wide`);
}
const shot = (page, name) => shots && page.screenshot({ path: `${shots}/offline-${name}.png` });

for (const colorScheme of ["light", "dark"])
  await withBrowser(async (context) => {
    const page = await pageOf(context, address);
    assert.equal(await page.evaluate(() => document.documentElement.lang), "vi");
    await accessible(page, "form");
    await shot(page, `form-vi-${colorScheme}`);

    // What is wrong is said at once and in words, and nothing is assessed.
    await fill(page, { age: "12", weight: "1,234", systolic_bp: "cao", height: "155" });
    await page.locator("#value-height").press("Tab");
    assert.match(await page.locator("#wrong-age").textContent(), /phải nằm trong khoảng 18 đến 110 tuổi/);
    assert.match(await page.locator("#wrong-weight").textContent(), /hai số khác nhau/);
    assert.match(await page.locator("#wrong-systolic_bp").textContent(), /phải là một số/);
    await page.locator("form[data-checkup] button[type=submit]").click();
    await page.locator("#answer p.problem").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "value-age");
    await accessible(page, "wrong");
    await shot(page, `wrong-vi-${colorScheme}`);

    // Values that contradict each other are told all together.
    await fill(page, { ...WOMAN, diastolic_bp: "150" });
    await page.locator("form[data-checkup] button[type=submit]").click();
    await page.locator("#answer", { hasText: "Huyết áp tâm trương: mâu thuẫn với: Huyết áp tâm thu" }).waitFor();

    // Results: decimal comma, focus on them, and other words for the same numbers.
    await assess(page, WOMAN);
    assert.equal(await page.evaluate(() => document.activeElement.id), "results");
    const said = await page.locator("#answer").textContent();
    assert.match(said, /Chưa được kiểm chứng tại Việt Nam/);
    assert.match(said, /\d,\d%/);
    assert.match(said, /\d+ trong 100 người/);
    await accessible(page, "results");
    await shot(page, `results-vi-${colorScheme}`);
    await page.locator(".panel").first().scrollIntoViewIfNeeded();
    await shot(page, `panel-vi-${colorScheme}`);
    await page.locator("#lang-en").click();
    await page.waitForSelector("#results");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    assert.equal(await page.locator("#value-weight").inputValue(), "66,5");
    const english = await page.locator("#answer").textContent();
    const numbers = (text) => text.match(/\d+[.,]\d%/g).map((each) => each.replace(",", "."));
    assert.deepEqual(numbers(english), numbers(said));
    await accessible(page, "results in English");

    // A change takes away what is no longer true; another view keeps what was typed.
    await page.locator("#lang-vi").click();
    await page.waitForSelector("#results");
    await keep(page, "P-1");
    await shot(page, `saved-vi-${colorScheme}`);
    await page.locator("#value-age").fill("55");
    assert.equal(await page.locator("#results").count(), 0);
    await page.locator('a[href="#records"]').click();
    await page.waitForSelector("#counts");
    await accessible(page, "records");
    await shot(page, `records-vi-${colorScheme}`);
    await page.locator('a[href="#about"]').click();
    await page.locator("main table").waitFor();
    await accessible(page, "about");
    await shot(page, `about-vi-${colorScheme}`);
    await page.locator('a[href="#checkup"]').click();
    assert.equal(await page.locator("#value-age").inputValue(), "55");

    // By keyboard alone, from the top.
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.locator("#value-age").focus();
    for (const key of ["6", "0"]) await page.keyboard.press(key);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#results");
    assert.match(await page.locator("#answer").textContent(), /là thông tin bắt buộc nhưng chưa biết/);
    // This launcher has no /v1: the page goes on without a server.
    assert.deepEqual(page.errors.filter((error) => !/status of (404|501)/.test(error)), []);
  }, { colorScheme });
