// Answers of the page to many records: node answers.mjs ADDRESS CASES ANSWERS [offline]

import { readFile, writeFile } from "node:fs/promises";
import { pageOf, withBrowser } from "./browser.mjs";

const [address, casesFile, answersFile, cut] = process.argv.slice(2);
const cases = JSON.parse(await readFile(casesFile, "utf8"));

await withBrowser(async (context) => {
  let page = await pageOf(context, address);
  if (cut) {
    await page.evaluate(() => navigator.serviceWorker.ready);
    await context.setOffline(true);
    await page.close();
    page = await pageOf(context, address);
  }
  const answers = await page.evaluate(async (given) => {
    const { answer } = await import("./js/engine.js");
    const found = [];
    for (const { record, lang } of given) found.push(await answer(record, lang));
    return found;
  }, cases);
  if (page.errors.length) throw new Error(page.errors.join("\n"));
  await writeFile(answersFile, JSON.stringify(answers));
});
