// What a first load fetches, and what a later one does: node load.mjs ADDRESS

import { pageOf, withBrowser } from "./browser.mjs";

const [address] = process.argv.slice(2);

await withBrowser(async (context) => {
  const found = { bytes: 0, elsewhere: [], again: 0 };
  let counted = "bytes";
  const seen = new Set();
  context.on("response", async (answer) => {
    if (answer.fromServiceWorker()) return;
    const url = answer.url().split("?")[0];
    if (!url.startsWith(address)) found.elsewhere.push(url);
    if (counted === "again") found.again += url.endsWith("sw.js") ? 0 : 1;
    else if (!seen.has(url)) {
      seen.add(url);
      found.bytes += Number(answer.headers()["content-length"] ?? 0);
    }
  });
  const page = await pageOf(context, address);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  counted = "again";
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  found.shown = await page.evaluate(() =>
    performance.getEntriesByType("paint").find((each) => each.name === "first-contentful-paint").startTime);
  await page.waitForTimeout(500);
  const devtools = await context.newCDPSession(page);
  found.install = (await devtools.send("Page.getInstallabilityErrors")).installabilityErrors
    .map((error) => error.errorId)
    .filter((id) => id !== "in-incognito"); // as every test's context is
  if (page.errors.length) throw new Error(page.errors.join("\n"));
  console.log(JSON.stringify(found));
});
