// A newer edition: fetched whole before it is offered; one cut off half-way changes nothing.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { pageOf, withBrowser } from "./browser.mjs";

const [address, folder] = process.argv.slice(2);
const worker = `${folder}/sw.js`;
const style = `${folder}/style.css`;
const [oldWorker, oldStyle] = [await readFile(worker, "utf8"), await readFile(style, "utf8")];
const sha = (text) => createHash("sha256").update(text).digest("hex");
const newStyle = `${oldStyle}\nh1 { text-transform: uppercase; }\n`;
const newWorker = oldWorker
  .replace(/VERSION = "[0-9a-f]+"/, 'VERSION = "ffffffffffffffff"')
  .replace(sha(oldStyle), sha(newStyle));

await withBrowser(async (context) => {
  try {
    const page = await pageOf(context, address);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const names = () => page.evaluate(() => caches.keys());
    const [first] = await names();

    // The worker is new, a file of it is not there yet: the old edition stays.
    await writeFile(worker, newWorker);
    const failed = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration.update().catch(() => {});
      const installing = registration.installing;
      if (!installing) return "redundant";
      return new Promise((done) => installing.addEventListener("statechange", () => done(installing.state)));
    });
    assert.equal(failed, "redundant");
    await page.reload();
    await page.waitForSelector("html[data-ready]");
    assert.ok((await names()).includes(first));
    assert.equal(await page.locator("h1").evaluate((n) => getComputedStyle(n).textTransform), "none");

    // All of it is there: it is offered, and taken when asked.
    await writeFile(style, newStyle);
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
    await page.locator("#top .notice button").click();
    await page.waitForFunction(() => {
      const title = document.querySelector("h1");
      return title && getComputedStyle(title).textTransform === "uppercase";
    });
    await page.waitForFunction(async () => (await caches.keys()).join() === "cdss-ffffffffffffffff");
  } finally {
    await writeFile(worker, oldWorker);
    await writeFile(style, oldStyle);
  }
});
