// Two check-ups taken out as files: node export.mjs ADDRESS FOLDER

import { WOMAN, assess, keep, pageOf, withBrowser } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);

await withBrowser(async (context) => {
  const page = await pageOf(context, address);
  await assess(page, WOMAN);
  await keep(page, '=cmd|"calc"');
  await page.locator("button[type=reset]").click();
  await assess(page, { age: "70", sex: "male", systolic_bp: "150", diastolic_bp: "80" });
  await keep(page, "Trần <Văn> & B");
  await page.locator('a[href="#records"]').click();
  for (const kind of ["csv", "json", "xml"]) {
    const download = page.waitForEvent("download");
    await page.locator(`#export-${kind}`).click();
    await (await download).saveAs(`${folder}/out.${kind}`);
  }
});
