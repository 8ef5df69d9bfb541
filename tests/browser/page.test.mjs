// The page in a real browser. Started by tests/test_page_browser.py, which says where everything is.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { visit } from "./budget.mjs";

const { PAGE, SHOTS, CHROMIUM, NODE_MODULES, BUNDLE, CHECK_UP } = process.env;
const require = createRequire(`${NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const SMOKER = {
  age: "62", sex: "male", height: "165", weight: "74", waist: "95", systolic_bp: "156",
  diastolic_bp: "94", smoking: "current", bp_treated: "no", diabetes: "no", prior_cvd: "no",
  total_cholesterol: "6,2", hba1c: "6,1",
};
const FEW = { age: "54", sex: "female", height: "155", weight: "66", systolic_bp: "128", diastolic_bp: "82" };
const REFUSED = { age: "86", sex: "female", systolic_bp: "136", diastolic_bp: "70", diabetes: "yes", prior_cvd: "yes" };
const HIGH = {
  age: "71", sex: "male", height: "163", weight: "79", systolic_bp: "206", diastolic_bp: "122",
  smoking: "current", diabetes: "no", prior_cvd: "no", total_cholesterol: "7,9", urgent_symptoms: "yes",
};

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

// A page, and everything that must not happen on it.
async function open(lang, { width = 1280, scripts = true, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, javaScriptEnabled: scripts, colorScheme: dark ? "dark" : "light",
  });
  const page = await context.newPage();
  page.wrong = [];
  page.on("request", (request) => request.url().startsWith(PAGE) || page.wrong.push(`asked ${request.url()}`));
  page.on("pageerror", (error) => page.wrong.push(error.message));
  page.on("console", (said) => {
    if (said.type() === "error" && !/status of 422/.test(said.text())) page.wrong.push(said.text());
  });
  await page.goto(`${PAGE}/page?lang=${lang}`);
  return page;
}

async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const radio = page.locator(`input[type=radio][name="${name}"][value="${value}"]`);
    if (await radio.count()) await radio.check();
    else {
      const input = page.locator(`[name="${name}"]`);
      if ((await input.evaluate((it) => it.tagName)) === "SELECT") await input.selectOption(value);
      else await input.fill(value);
    }
  }
}

async function assess(page, values) {
  await fill(page, values);
  await page.locator(".send button.main").first().click();
  await page.waitForLoadState("load");
}

// A picture to be looked at, and what holds of every page.
async function look(page, name) {
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} px too wide`);
  // As high as the page is: what is fixed to the edge of a screen covers nothing for good.
  const { width } = page.viewportSize();
  await page.setViewportSize({ width, height: Math.ceil((await page.locator("body").boundingBox()).height) });
  await page.evaluate(axe);
  const found = await page.evaluate((values) => axe.run({ runOnly: { type: "tag", values } }), RULES);
  await page.setViewportSize({ width, height: 900 });
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`), [], name);
  assert.deepEqual(page.wrong, [], name);
}

const pages = (pdf) => (pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g) ?? []).length;
const main = (page) => page.locator("main").innerText();

for (const lang of ["vi", "en"]) {
  for (const width of [1280, 360]) {
    test(`by hand, ${lang}, ${width} px`, async () => {
      const page = await open(lang, { width });
      await look(page, `form-${lang}-${width}`);
      await assess(page, SMOKER);
      assert.match(await main(page), lang === "vi" ? /18 trong 100 người/ : /18 in 100 people/);
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      await page.screenshot({ path: `${SHOTS}/first-screen-${lang}-${width}.png` });
      await look(page, `results-${lang}-${width}`);
      if (width === 360) {
        // In ten seconds: how high, compared with whom, why, how sure, what is missing, what to do.
        const first = await page.locator(".first .say").first().boundingBox();
        assert.ok(first.y < 900, `what to do stands at ${first.y} px`);
        assert.ok(await page.locator(".glance li").first().locator(".brief:visible").count() >= 2);
        const { height } = await page.locator("body").boundingBox();
        assert.ok(height < 7000, `${height} px long`);
      }
    });
  }
}

const VISITS = {
  "earlier.0.date": "2024-11-12", "earlier.0.systolic_bp": "142", "earlier.0.weight": "71", "earlier.0.hba1c": "5,7",
  "earlier.1.date": "2025-11-18", "earlier.1.systolic_bp": "149", "earlier.1.weight": "73", "earlier.1.hba1c": "5,9",
};
const SITUATIONS = [
  ["few", FEW, "en", 1280, true], ["refused", REFUSED, "vi", 360, true], ["high", HIGH, "vi", 360, true],
  ["dark", SMOKER, "en", 1280, true], ["trend", { ...SMOKER, ...VISITS }, "vi", 1280, true],
  ["refused-wide", REFUSED, "en", 1280], ["high-wide", HIGH, "en", 1280], ["dark-phone", SMOKER, "vi", 360],
  ["few-phone", FEW, "vi", 360],
];
for (const [name, values, lang, width, opened] of SITUATIONS) {
  test(`a situation: ${name}`, async () => {
    const page = await open(lang, { dark: name.startsWith("dark"), width });
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
    await assess(page, values);
    if (name === "trend") assert.equal(await page.locator(".trends figure").count(), 3);
    await page.screenshot({ path: `${SHOTS}/situation-${name}-closed.png`, fullPage: true });
    if (!opened) return assert.deepEqual(page.wrong, []);
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
    await look(page, `situation-${name}`);
  });
}

test("what is wrong is told at once, and again by the server", async () => {
  const page = await open("vi");
  await page.locator("#f-systolic_bp").fill("1420");
  await page.locator("#f-diastolic_bp").focus();
  assert.equal(await page.locator("#e-systolic_bp").innerText(), "60 đến 300 mmHg");
  await page.locator('[name="total_cholesterol.unit"]').selectOption("mg/dL");
  await page.locator("#f-total_cholesterol").fill("5,9");
  await page.locator("#f-age").focus();
  assert.match(await page.locator("#e-total_cholesterol").innerText(), /mg\/dL/);
  await assess(page, { age: "54" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "problems");
  assert.equal(await page.locator("#f-systolic_bp").inputValue(), "1420");
  await look(page, "wrong");
});

test("another language loses nothing", async () => {
  const page = await open("vi");
  await fill(page, SMOKER);
  await page.getByRole("button", { name: "English" }).click();
  await page.waitForSelector('html[lang="en"]');
  assert.equal(await page.locator("#f-total_cholesterol").inputValue(), "6,2");
  await page.locator(".send button.main").click();
  await page.getByRole("button", { name: "Tiếng Việt" }).click();
  await page.waitForSelector('html[lang="vi"]');
  assert.match(await main(page), /18 trong 100 người/);
});

test("with the keyboard only", async () => {
  const page = await open("en");
  await page.locator("#f-age").focus();
  await page.keyboard.type("54");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowLeft"); // from "not known" to the choice before it
  await page.locator("#f-systolic_bp").focus();
  await page.keyboard.type("128");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".glance");
  assert.match(await main(page), /female, 54 years/);
});

for (const [name, file] of [["bundle", BUNDLE], ["check-up", CHECK_UP]]) {
  test(`a ${name} is dropped on the page`, async () => {
    const page = await open("en");
    const content = fs.readFileSync(file, "utf8");
    const carried = await page.evaluateHandle((text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "dropped"));
      return data;
    }, content);
    await page.locator("body").dispatchEvent("dragover", { dataTransfer: carried });
    await page.locator("body").dispatchEvent("drop", { dataTransfer: carried });
    await page.waitForSelector(".received");
    assert.notEqual(await page.locator("#f-systolic_bp").inputValue(), "");
    await look(page, `dropped-${name}`);
    await page.locator(".send button.main").click();
    await page.waitForSelector(".glance");
  });
}

test("what if", async () => {
  const page = await open("vi");
  await assess(page, SMOKER);
  const slider = page.locator(".lever", { has: page.locator('[name="if.systolic_bp"]') }).locator("[type=range]");
  await slider.focus();
  for (let at = 0; at < 26; at += 1) await page.keyboard.press("ArrowLeft");
  await page.locator('[name="if.smoking"]').selectOption("former");
  await page.waitForSelector(".changes");
  assert.equal(await page.locator('[name="if.systolic_bp"]').inputValue(), "130");
  await page.waitForFunction(() => /17,8%\s+8,3%/.test(document.querySelector(".changes").innerText));
  await page.locator(".what-if").screenshot({ path: `${SHOTS}/what-if.png` });
});

test("an opinion is kept without leaving the page", async () => {
  const page = await open("en");
  await assess(page, SMOKER);
  await page.locator("#j-diabetes").selectOption("patient_declines");
  await page.locator("#judge").click();
  await page.waitForSelector(".done");
  assert.match(await page.locator("#kept").innerText(), /Kept: Diabetes/);
});

test("a link to what is missing opens the question", async () => {
  const page = await open("en");
  await assess(page, FEW);
  await page.locator('.missing a[href="#f-uacr"]').first().click();
  await page.waitForFunction(() => document.activeElement?.id === "f-uacr");
});

test("each prints to one page", async () => {
  const page = await open("vi");
  const pdf = async (name) => pages(await page.pdf({ path: `${SHOTS}/${name}.pdf`, preferCSSPageSize: true, printBackground: true }));
  assert.equal(await pdf("print-form"), 1);
  await assess(page, SMOKER);
  assert.equal(await pdf("print-results"), 1);
  for (const [name, values] of [["high", HIGH], ["refused", REFUSED], ["trend", { ...SMOKER, ...VISITS }]]) {
    await page.goto(`${PAGE}/page?lang=vi`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
    await assess(page, values);
    assert.equal(await pdf(`print-${name}`), 1, name);
  }
  await page.goto(`${PAGE}/page?lang=vi`);
  await assess(page, SMOKER);
  await page.locator("#note").fill("Đo huyết áp mỗi sáng.");
  await page.locator('[formaction="/page/hand-out"]').click();
  await page.waitForSelector(".hand-out");
  await look(page, "hand-out");
  assert.equal(await pdf("print-hand-out"), 1);
});

test("without scripts", async () => {
  const page = await open("vi", { scripts: false, width: 360 });
  await assess(page, { age: "640", systolic_bp: "abc" });
  assert.match(await main(page), /phải nằm trong khoảng 18 đến 110/);
  await assess(page, SMOKER);
  assert.match(await main(page), /18 trong 100 người/);
  await page.locator(".what-if summary").click();
  await page.locator('[name="if.systolic_bp"]').fill("130");
  await page.locator("#simulate").click();
  await page.waitForSelector(".changes");
  await page.locator("#j-cardiovascular").selectOption("accepted");
  await page.locator("#judge").click();
  await page.waitForSelector(".done");
  await page.goto(`${PAGE}/page?lang=vi`);
  await page.locator("#drop summary").click();
  await page.locator("#file").setInputFiles(CHECK_UP);
  await page.locator("#read").click();
  await page.waitForSelector(".received");
  assert.equal(await page.locator("#f-systolic_bp").inputValue(), "142");
  assert.deepEqual(page.wrong, []);
});

test("no address ever holds a value", async () => {
  const page = await open("vi");
  const seen = [];
  page.on("request", (request) => seen.push(request.url()));
  await page.reload();
  await assess(page, SMOKER);
  await page.locator('[name="if.systolic_bp"]').fill("130");
  await page.locator("#simulate").click();
  await page.waitForSelector(".changes");
  for (const url of seen) assert.match(url, /\/page(\?lang=vi|\/(assess|what-if)|\/static\/[a-z.]+\?[0-9a-f]{12})?$/);
});

test("little is loaded, and nothing from elsewhere", async () => {
  const { form, results } = await visit(browser, PAGE, "vi", 1);
  assert.deepEqual([...form.outside, ...results.outside], []);
  assert.ok(form.requests >= 3 && results.requests >= 3);
  const bytes = form.bytes + results.bytes;
  assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes, compressed`);
});
