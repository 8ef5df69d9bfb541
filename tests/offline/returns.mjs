// The network is cut, a check-up is kept, the page is closed; later it is opened again, still without
// a network, and the network returns.

import assert from "node:assert/strict";
import { PASSPHRASE, WOMAN, assess, keep, pageOf, withBrowser } from "./browser.mjs";

const [address] = process.argv.slice(2);

await withBrowser(async (context) => {
  let page = await pageOf(context, address);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.close();

  await context.setOffline(true);
  page = await context.newPage();
  await page.goto(address);
  await assess(page, WOMAN);
  await keep(page, "=HYPERLINK()");
  await page.close();

  page = await context.newPage();
  await page.goto(`${address}/#records`);
  await page.locator("#passphrase").fill("somebody else's passphrase");
  await page.locator("main button.main").click();
  await page.locator("main .wrong:not(:empty)").waitFor();
  await page.locator("#passphrase").fill(PASSPHRASE);
  await page.locator("main button.main").click();
  await page.waitForSelector("#entries");
  assert.match(await page.locator("#entries").textContent(), /đang chờ gửi/);
  await page.locator("[role=status]", { hasText: "không trả lời" }).waitFor();

  await context.setOffline(false); // the browser says "online": no button is pressed
  await page.locator("#entries", { hasText: "đã gửi" }).waitFor();
});
