// What the server refuses, or does not allow, stays on the device: node refused.mjs ADDRESS WHAT

import assert from "node:assert/strict";
import { WOMAN, assess, keep, withBrowser } from "./browser.mjs";

const [address, what] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await context.newPage();
  await page.goto(address);
  await page.locator("#lang-en").click();
  await assess(page, WOMAN);
  await keep(page, "P-1");
  await page.locator('a[href="#records"]').click();
  await page.waitForSelector("#entries");
  if (what === "refused") {
    await page.locator("#entries", { hasText: "refused by the server; stays here" }).waitFor();
    assert.match(await page.locator("#counts").textContent(), /^0 wait to be sent, 0 sent, 1 could not be sent$/);
  } else {
    await page.locator("[role=status]", { hasText: "does not accept this station's key" }).waitFor();
    assert.match(await page.locator("#counts").textContent(), /^1 wait to be sent/);
  }
});
