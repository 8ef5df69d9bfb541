// The page opened from an EMR. Started by tests/test_smart_browser.py, which says where everything is.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

const { PAGE, EMR, HERE, CARD, SHOTS, CHROMIUM, NODE_MODULES } = process.env;
const require = createRequire(`${NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const ELSEWHERE = EMR.replace("127.0.0.1", "localhost"); // the same EMR, to a browser another site

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

// A browser of somebody, and everything that must not happen in it.
async function somebody({ lang = "en-GB", width = 1280 } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, ignoreHTTPSErrors: true, locale: lang,
  });
  const page = await context.newPage();
  page.wrong = [];
  const allowed = [PAGE, EMR, ELSEWHERE, HERE];
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (!allowed.includes(asked.origin)) page.wrong.push(`asked ${request.url()}`);
    if (/Bearer|access-|eyJ/.test(JSON.stringify(request.headers()) + request.url() + (request.postData() ?? ""))) {
      page.wrong.push(`the browser has a token: ${asked.pathname}`);
    }
  });
  page.on("pageerror", (error) => page.wrong.push(error.message));
  return page;
}

async function open(page, launch, emr = EMR) {
  await page.goto(`${emr}/chart`);
  await page.getByRole("link", { name: launch, exact: true }).click();
  await page.waitForLoadState("load");
}

async function look(page, name) {
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  await page.evaluate(axe);
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: "tag", values } }), RULES);
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`), [], name);
  assert.deepEqual(page.wrong, [], name);
}

// What follows the results, which need a session: in the page itself, or in a frame.
async function use(frame) {
  await frame.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  await frame.locator("#i-systolic_bp").fill("125");
  await frame.locator("#simulate").click();
  await frame.waitForSelector("#simulated table.changes");
  await frame.locator("[name='feedback.cardiovascular']").selectOption("accepted");
  await frame.locator("#judge").click();
  await frame.waitForSelector("#kept .done");
}

const main = (page) => page.locator("main").innerText();

test("who was not sent by an EMR is told so", async () => {
  const page = await somebody();
  const answer = await page.goto(`${PAGE}/page`);
  assert.equal(answer.status(), 401);
  assert.match(await main(page), /You are not logged in/);
  await look(page, "smart-no-session");
});

for (const [lang, width] of [["en-GB", 1280], ["vi-VN", 360]]) {
  test(`from the chart, ${lang}`, async () => {
    const page = await somebody({ lang, width });
    await open(page, "chart");
    assert.ok(page.url().startsWith(`${PAGE}/page/patient/`), page.url());
    assert.match(await main(page), lang === "vi-VN" ? /Từ bệnh án điện tử: \d+ giá trị/ : /From the EMR: \d+ values/);
    await look(page, `smart-results-${lang}`);
    await page.reload();
    await use(page);
    await look(page, `smart-used-${lang}`);
    const [cookie, ...more] = (await page.context().cookies(PAGE)).filter((each) => each.name === "__Host-cdss");
    assert.deepEqual(more, []);
    assert.ok(cookie.httpOnly && cookie.secure && cookie.expires === -1);
    assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
    await page.locator("[formaction='/page/hand-out']").click();
    await page.waitForLoadState("load");
    assert.match(await page.locator("body").innerText(), lang === "vi-VN" ? /Tim mạch|tim/ : /Your heart/);
    assert.deepEqual(page.wrong, []);
  });
}

test("from a card: the page says which, and that it says the same", async () => {
  const page = await somebody();
  await open(page, "card");
  assert.match(await main(page), /Opened from a card \(assessment [0-9a-f]{32}\)\. The answer is the same as on the card\./);
  await look(page, "smart-card");
});

for (const [launch, said] of [["denied", /did not allow access/], ["nobody", /No patient is open/]]) {
  test(`a launch that fails: ${launch}`, async () => {
    const page = await somebody();
    await open(page, launch);
    assert.match(await main(page), said);
    await look(page, `smart-${launch}`);
  });
}

test("in a frame of the EMR, another site", async () => {
  const page = await somebody();
  await page.goto(`${ELSEWHERE}/frame`);
  const frame = page.frame("app");
  await frame.waitForSelector("#opened");
  assert.match(await frame.locator("main").innerText(), /From the EMR/);
  await use(frame);
  await page.screenshot({ path: `${SHOTS}/smart-frame.png` });
  assert.deepEqual(page.wrong, []);
});

test("in a frame of anybody else it does not show", async () => {
  const page = await somebody();
  await page.goto(`${EMR}/frame`);
  await page.waitForLoadState("networkidle");
  assert.ok(!(await page.frame("app").content()).includes("check-up"));
});

test("a form of another site is refused", async () => {
  const page = await somebody();
  await open(page, "chart");
  const known = await page.locator("input[name=assessment_id]").inputValue();
  assert.match(known, /^[0-9a-f]{32}$/);
  await page.goto(`${EMR}/chart`);
  await page.evaluate((to) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action: `${to}/page/assess` });
    document.body.append(form);
    form.submit();
  }, PAGE);
  await page.waitForURL(`${PAGE}/page/assess`);
  assert.match(await main(page), /page of another site/);
});

test("on a machine of one's own a card opens the same patient", async () => {
  const page = await somebody();
  await page.goto(CARD);
  assert.match(await main(page), /Opened from a card/);
  await look(page, "card-results");
  await use(page);
  await page.goto(`${HERE}/page/card/guessed`);
  assert.match(await main(page), /opened too long ago/);
  await look(page, "card-gone");
});
