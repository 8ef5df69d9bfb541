// The device is full: nothing is said to be kept that is not, and nothing kept is lost.
//   node full.mjs ADDRESS FOLDER

import assert from "node:assert/strict";
import { WOMAN, assess, keep, withProfile } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);

/** Keep a check-up in a browser started anew, as a browser looks at its quota when it starts. */
const visit = (quota, patient, look) =>
  withProfile(folder, async (context) => {
    const page = context.pages()[0] ?? (await context.newPage());
    const devtools = await context.newCDPSession(page);
    if (quota !== null)
      await devtools.send("Storage.overrideQuotaForOrigin", { origin: new URL(address).origin, quotaSize: quota });
    await page.goto(address);
    await page.waitForSelector("html[data-ready]");
    await assess(page, WOMAN);
    await keep(page, patient);
    await look(page);
  });

const full = async (page) => {
  const said = await page.locator("#answer .wrong, #answer fieldset p.problem").allTextContents();
  assert.match(said.join(" "), /đã đầy/);
  assert.equal(await page.locator("fieldset p.good").count(), 0);
};
const kept = (count) => async (page) => {
  assert.match(await page.locator("fieldset p.good").textContent(), /Đã lưu/);
  await page.locator('a[href="#records"]').click();
  await page.waitForSelector("#entries");
  assert.equal(await page.locator("#entries tbody tr").count(), count);
};

await visit(1, "first", full);
await visit(null, "first", kept(1));
await visit(1, "second", full);
await visit(null, "second", kept(2));
