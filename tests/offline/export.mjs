// Two check-ups taken out as files: node export.mjs ADDRESS FOLDER

import assert from "node:assert/strict";
import { WOMAN, assess, keep, pageOf, withBrowser } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await pageOf(context, address);
  await assess(page, WOMAN);
  await keep(page, '=cmd|"calc"');
  await page.locator(".send button[type=button]").click();
  // Nothing that was said of one person is said of the next.
  const left = () => [...new FormData(document.querySelector("form"))].filter(([name, value]) =>
    value && name !== "index_date" && !name.endsWith(".unit"));
  assert.deepEqual(await page.evaluate(left), []);
  assert.equal(await page.locator("#results").count(), 0);
  await assess(page, { age: "70", sex: "male", systolic_bp: "150", diastolic_bp: "80" });
  await keep(page, "Trần <Văn> & B");
  await page.locator('a[href="#records"]').click();
  for (const kind of ["csv", "json", "xml"]) {
    const download = page.waitForEvent("download");
    await page.locator(`#export-${kind}`).click();
    await (await download).saveAs(`${folder}/out.${kind}`);
  }
});
