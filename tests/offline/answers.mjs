// Answers to many records, and what the page shows of them: node answers.mjs ADDRESS CASES ANSWERS [cut]

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
    const { answer, look: shown } = await import("./js/engine.js");
    const found = [];
    for (const { record, lang, look } of given)
      found.push({ said: await answer(record, lang), shown: look ? await shown(record, lang) : null });
    return JSON.parse(JSON.stringify(found));
  }, cases);
  if (page.errors.length) throw new Error(page.errors.join("\n"));
  await writeFile(answersFile, JSON.stringify(answers));
});
