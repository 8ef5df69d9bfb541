// The server has newer models than the device: said on every view.

import assert from "node:assert/strict";
import { WOMAN, assess, keep, pageOf, withBrowser } from "./browser.mjs";

const [address] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await pageOf(context, address);
  await page.locator("#lang-en").click();
  await page.locator('a[href="#about"]').click();
  await page.locator("main", { hasText: "was not reached" }).waitFor();
  assert.match(await page.locator("main").textContent(), /cvd-death.*1\.1\.0/s);
  await page.locator('a[href="#checkup"]').click();
  await assess(page, WOMAN);
  await keep(page, "P-1");
  await page.waitForTimeout(500);
  for (const view of ["about", "records", "checkup"]) {
    await page.locator(`a[href="#${view}"]`).click();
    await page.locator("main > .notice", { hasText: "cvd-death: 1.1.0 here, 1.10.0 on the server" }).waitFor();
  }
  await page.locator('a[href="#about"]').click();
  await page.locator("main", { hasText: "does not have: stroke-new" }).waitFor();
});
