// Keeps some check-ups and sends them over a connection that breaks: node queue.mjs ADDRESS COUNT MODES

import assert from "node:assert/strict";
import { WOMAN, assess, keep, pageOf, withBrowser } from "./browser.mjs";

const [address, count, modes] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await pageOf(context, address);
  page.on("dialog", (dialog) => dialog.accept());
  await fetch(`${address}/control?before`); // nothing arrives while check-ups are entered
  for (let number = 1; number <= Number(count); number++) {
    await assess(page, { ...WOMAN, age: String(40 + number) });
    await keep(page, `P-${number}`);
    assert.match(await page.locator("fieldset p.good").textContent(), new RegExp(`số ${number}\\.`));
  }
  await page.locator('a[href="#records"]').click();
  await page.waitForSelector("#counts");
  const counts = async () => (await page.locator("#counts").textContent()).match(/\d+/g).map(Number);
  assert.deepEqual(await counts(), [Number(count), 0, 0]);
  await fetch(`${address}/control?${modes}`);
  for (let attempt = 0; (await counts())[0] > 0; attempt++) {
    assert.ok(attempt < 200, "never all sent");
    await page.locator("#main button.main").click();
    await page.waitForSelector("#main button.main:not([disabled])");
    await page.waitForTimeout(50);
  }
  assert.deepEqual(await counts(), [0, Number(count), 0]);
  // Sending again sends nothing; deleting what was sent leaves nothing behind, and numbers go on.
  await page.locator("#main button.main").click();
  await page.waitForSelector("#main button.main:not([disabled])");
  await page.locator("#main .row button").nth(1).click();
  await page.waitForFunction(() => !document.getElementById("entries"));
  assert.deepEqual(await counts(), [0, 0, 0]);
});
