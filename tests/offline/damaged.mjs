// A graph that is not the released one: the page says that it must not be used.

import assert from "node:assert/strict";
import { gzipSync, gunzipSync } from "node:zlib";
import { WOMAN, fill, withBrowser } from "./browser.mjs";

const [address] = process.argv.slice(2);

await withBrowser(async (context) => {
  await context.route("**/models/diabetes-incident.onnx.packed", async (route) => {
    const graph = gunzipSync(await (await route.fetch()).body());
    graph[graph.length >> 1] ^= 1;
    await route.fulfill({ body: gzipSync(graph) });
  });
  const page = await context.newPage();
  await page.goto(address);
  await page.locator("main > p.problem").waitFor();
  assert.match(await page.locator("main > p.problem").textContent(), /không được dùng.*diabetes-incident/);
  await fill(page, WOMAN);
  await page.locator("form[data-checkup] button[type=submit]").click();
  await page.locator("#answer p.problem").waitFor();
  assert.equal(await page.locator("#results").count(), 0);
}, { serviceWorkers: "block" });
