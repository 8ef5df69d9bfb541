// A headless Chromium for the tests: playwright-core and Debian's browser.

import { createRequire } from "node:module";

const modules = process.env.CDSS_NODE_MODULES;
const { chromium } = createRequire(`${modules}/here.js`)("playwright-core");

/** Run something with a fresh browser context. */
export async function withBrowser(work, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CDSS_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    const context = await browser.newContext({
      viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, ...options,
    });
    return await work(context, browser);
  } finally {
    await browser.close();
  }
}

/** Run something in a browser that keeps what it stores in a folder. */
export async function withProfile(folder, work) {
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CDSS_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    viewport: { width: 360, height: 740 },
  });
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

/** A page that fails the test on any error in it. */
export async function pageOf(context, address) {
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.errors.push(message.text());
  });
  await page.goto(address);
  return page;
}

/** Answer questions of the form; what one of them is folded in is opened. */
export async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const input = page.locator(`[id="f-${name}"]`);
    const kind = await input.evaluate((node) => {
      const folded = node.closest("details");
      if (folded) folded.open = true;
      return node.tagName;
    });
    if (kind === "FIELDSET") await input.locator(`input[value="${value}"]`).check();
    else await (kind === "SELECT" ? input.selectOption(value) : input.fill(value));
  }
}

/** Answer questions, ask, and wait for the results. */
export async function assess(page, values) {
  await fill(page, values);
  await page.locator("form[data-checkup] button[type=submit]").click();
  await page.waitForSelector("#results");
}

export const WOMAN = {
  age: "54", sex: "female", height: "155", weight: "66,5", systolic_bp: "142", diastolic_bp: "88",
  fasting_glucose: "6,1", total_cholesterol: "5,9", waist: "88", smoking: "never", diabetes: "no",
};

export const PASSPHRASE = "mật khẩu của trạm y tế";

/** Keep the assessed check-up; opens or makes the store if needed. */
export async function keep(page, patient) {
  await page.locator("#patient").fill(patient);
  await page.locator("fieldset button.main").click();
  const locked = page.locator("#passphrase");
  const saved = page.locator("fieldset p.good");
  const wrong = page.locator("fieldset p.problem");
  await saved.or(locked).or(wrong).first().waitFor();
  if (await locked.isVisible()) {
    await locked.fill(PASSPHRASE);
    const again = page.locator("#passphrase-again");
    if (await again.isVisible()) await again.fill(PASSPHRASE);
    await page.locator("fieldset form button.main").click();
  }
  await saved.or(wrong).or(page.locator("fieldset form .wrong:not(:empty)")).first().waitFor();
}
