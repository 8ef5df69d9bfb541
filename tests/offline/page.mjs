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
/** On a phone and on a desk; goes back to the phone. */
async function onBoth(page, what, shown = null) {
  for (const [size, width] of [["desk", 1280], ["phone", 360]]) {
    await page.setViewportSize({ width, height: 740 });
    await accessible(page, `${what}, ${size}`);
    if (shown) await shot(page, `${shown}-${size}`, true);
  }
}
const shot = (page, name, fullPage = false) => shots && page.screenshot({ path: `${shots}/offline-${name}.png`, fullPage, scale: "css" });

/** The risk on a line with the bands of the guideline in force, and what belongs to the band. */
async function looked(page) {
  const answer = page.locator("#q-cardiovascular");
  assert.match(await answer.locator(".number strong").textContent(), /\d+ trong (100|1\.000) người/);
  assert.equal(await answer.locator("svg.line rect.band").count(), 5);
  assert.match(await answer.locator("svg.line").getAttribute("aria-label"), /Người bệnh này: \d+,\d%/);
  const band = await answer.locator(".chip").first().textContent();
  assert.match(await answer.locator(".act").last().textContent(), new RegExp(`^${band}: .*WHO`));
  assert.match(await answer.locator(".others").first().textContent(), /who-2019/);
  const reached = await page.evaluate(() => document.querySelector("#q-cardiovascular tr.here th").textContent);
  assert.equal(reached, band);
}

/** Other values within limits, told beside those of today and as no promise. */
async function simulated(page) {
  await page.evaluate(() => document.querySelectorAll(".what-if details").forEach((node) => (node.open = true)));
  const input = page.locator("#i-total_cholesterol");
  const [low] = (await page.locator("#n-total_cholesterol").textContent()).match(/[\d,]+(?= đến)/);
  const percent = (cell) => Number(cell.replace(",", ".").replace("%", ""));
  const row = page.locator("#simulated tbody tr").first();
  await input.fill("0,1");
  await row.waitFor();
  const least = await row.locator("td").nth(1).textContent();
  await input.fill(low);
  await page.waitForTimeout(600);
  const [before, after] = await row.locator("td.num").allTextContents();
  assert.equal(after, least); // what lies outside is taken as the end of the range
  assert.ok(percent(after) < percent(before), `${before} ${after}`);
  assert.match(await page.locator(".what-if").textContent(), /Mô phỏng: kết quả của cùng các mô hình.*Không phải lời hứa/s);
}

/** Two days of raised pressure are more than one, and are drawn over time. */
async function twoDays(page) {
  assert.equal(await page.locator(".trends").count(), 0);
  assert.equal(await page.locator('[data-rule="BPS-06"]').count(), 0);
  const day = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  await fill(page, { "earlier.0.date": day, "earlier.0.systolic_bp": "150", "earlier.0.weight": "70,5" });
  await page.locator("form[data-checkup] button[type=submit]").click();
  await page.waitForSelector(".trends figure");
  assert.ok(await page.locator('[data-rule="BPS-06"]').count() > 0);
  assert.equal(await page.locator(".trends svg").count(), 2);
  await fill(page, { "earlier.0.systolic_bp": "15" });
  await page.locator("form[data-checkup] button[type=submit]").click();
  await page.locator('#answer .problems a').first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-earlier.0.systolic_bp");
  await fill(page, { "earlier.0.systolic_bp": "150" });
  await page.locator("form[data-checkup] button[type=submit]").click();
  await page.waitForSelector("#results");
}

for (const colorScheme of ["light", "dark"])
  await withBrowser(async (context) => {
    const page = await pageOf(context, address);
    assert.equal(await page.evaluate(() => document.documentElement.lang), "vi");
    await onBoth(page, "form");
    await shot(page, `form-vi-${colorScheme}`);

    // What is wrong is said at once and in words, and nothing is assessed.
    await fill(page, { age: "12", weight: "1,234", systolic_bp: "cao", height: "155" });
    await page.locator("#f-height").press("Tab");
    assert.match(await page.locator("#e-age").textContent(), /phải nằm trong khoảng 18 đến 110 tuổi/);
    assert.match(await page.locator("#e-weight").textContent(), /hai số khác nhau/);
    assert.match(await page.locator("#e-systolic_bp").textContent(), /phải là một số/);
    await page.locator("form[data-checkup] button[type=submit]").click();
    await page.locator("#answer .problems").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "f-age");
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
    await shot(page, `results-vi-${colorScheme}`);
    await page.locator("article").first().scrollIntoViewIfNeeded();
    await shot(page, `panel-vi-${colorScheme}`);
    await looked(page);
    await simulated(page);
    await page.evaluate(() => document.querySelectorAll("#answer details").forEach((node) => (node.open = true)));
    await onBoth(page, "all of the results", `all-vi-${colorScheme}`);
    await page.locator("#lang-en").click();
    await page.waitForSelector("#results");
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    assert.equal(await page.locator("#f-weight").inputValue(), "66,5");
    const english = await page.locator("#answer").textContent();
    const numbers = (text) => text.match(/\d+[.,]\d%/g).map((each) => each.replace(",", "."));
    assert.deepEqual(numbers(english), numbers(said));
    await accessible(page, "results in English");
    await shot(page, `all-en-${colorScheme}`, true);
    await twoDays(page);

    // A change takes away what is no longer true; another view keeps what was typed.
    await page.locator("#lang-vi").click();
    await page.waitForSelector("#results");
    await keep(page, "P-1");
    await shot(page, `saved-vi-${colorScheme}`);
    await page.locator("#f-age").fill("55");
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
    assert.equal(await page.locator("#f-age").inputValue(), "55");

    // By keyboard alone, from the top.
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.locator("#f-age").focus();
    for (const key of ["6", "0"]) await page.keyboard.press(key);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#results");
    assert.match(await page.locator("#answer").textContent(), /là thông tin bắt buộc nhưng chưa biết/);
    // This launcher has no /v1: the page goes on without a server.
    assert.deepEqual(page.errors.filter((error) => !/status of (404|501)/.test(error)), []);
  }, { colorScheme });
