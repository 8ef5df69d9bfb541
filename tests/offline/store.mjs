// Storage that is full, erased, looked into, changed: node store.mjs ADDRESS

import assert from "node:assert/strict";
import { PASSPHRASE, WOMAN, assess, keep, withBrowser } from "./browser.mjs";

const [address] = process.argv.slice(2);
const origin = new URL(address).origin;

/** Everything in the database as text, bytes as Latin letters. */
const raw = (page) =>
  page.evaluate(async () => {
    const database = await new Promise((done) => {
      const request = indexedDB.open("cdss-offline");
      request.onsuccess = () => done(request.result);
    });
    const all = (name) =>
      new Promise((done) => {
        const request = database.transaction(name).objectStore(name).getAll();
        request.onsuccess = () => done(request.result);
      });
    const found = [await all("meta"), await all("entries")];
    database.close();
    const latin = (bytes) => String.fromCharCode(...new Uint8Array(bytes));
    return JSON.stringify(found, (_, value) =>
      value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? latin(value.buffer ?? value) : value);
  });

const kept = (page) => page.locator("#entries tbody tr").count();
const open = async (page) => {
  await page.goto(`${address}#records`);
  await page.reload();
  await page.locator("#passphrase").fill(PASSPHRASE);
  await page.locator("main button.main").click();
  await page.waitForSelector("#counts");
};

await withBrowser(async (context) => {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await page.goto(address);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await assess(page, WOMAN);
  await page.locator("#patient").fill("Nguyễn Thị Bí Mật");
  await page.locator("fieldset button.main").click();

  // A short passphrase, and two that differ, are not taken.
  await page.locator("#passphrase").fill("short");
  await page.locator("fieldset form button.main").click();
  await page.locator("fieldset form .wrong", { hasText: "ít nhất 10" }).waitFor();
  await page.locator("#passphrase").fill(PASSPHRASE);
  await page.locator("#passphrase-again").fill(`${PASSPHRASE}.`);
  await page.locator("fieldset form button.main").click();
  await page.locator("fieldset form .wrong", { hasText: "không giống" }).waitFor();
  await page.locator("#passphrase-again").fill(PASSPHRASE);
  await page.locator("fieldset form button.main").click();
  await page.locator("fieldset p.good").waitFor();

  // Nothing of it can be read in the browser's storage.
  const stored = await raw(page);
  for (const secret of ["Nguy", "Bí Mật", "cholesterol", "2026-", "66.5", PASSPHRASE])
    assert.ok(!stored.includes(secret), `${secret} can be read`);
  assert.ok(stored.includes('"waiting"'));
  assert.ok(stored.includes('"iterations":600000'));
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes("Nguy"));

  await assess(page, { ...WOMAN, age: "60" });
  await keep(page, "second");
  await page.locator('a[href="#records"]').click();
  await page.waitForSelector("#entries");
  assert.equal(await kept(page), 2);

  // Changed from outside: it is told, the rest can be used.
  await page.evaluate(async () => {
    const database = await new Promise((done) => {
      const request = indexedDB.open("cdss-offline");
      request.onsuccess = () => done(request.result);
    });
    await new Promise((done) => {
      const transaction = database.transaction("entries", "readwrite");
      const entries = transaction.objectStore("entries");
      entries.getAll().onsuccess = ({ target: { result: [one, two] } }) =>
        entries.put({ ...one, sealed: two.sealed }); // a good text under another number
      transaction.oncomplete = done;
    });
    database.close();
  });
  await open(page);
  const download = page.waitForEvent("download");
  await page.locator("#export-json").click();
  const text = await (await (await download).createReadStream()).toArray();
  assert.deepEqual(JSON.parse(Buffer.concat(text)).about.map((each) => each.patient), ["second"]);
  await page.locator("main", { hasText: "Không xuất được vì không đọc được: 1" }).waitFor();

  // Locked: nothing is shown without the passphrase.
  await page.getByRole("button", { name: "Khóa", exact: true }).click();
  await page.locator("#passphrase").waitFor();
  assert.equal(await page.locator("#entries").count(), 0);

  // Erased while in use, and found erased later: both are said, and a new store can be made.
  await page.locator("#passphrase").fill(PASSPHRASE);
  await page.locator("main button.main").click();
  await page.waitForSelector("#entries");
  await page.evaluate(() => new Promise((done) => {
    indexedDB.deleteDatabase("cdss-offline").onsuccess = done;
  }));
  await page.locator('a[href="#checkup"]').click();
  await assess(page, WOMAN);
  await keep(page, "third");
  await page.locator("fieldset p.problem", { hasText: "đã bị trình duyệt hoặc ai đó xóa" }).waitFor();
  await page.goto(`${address}#records`);
  await page.reload();
  await page.locator("main p.problem", { hasText: "đã bị trình duyệt hoặc ai đó xóa" }).waitFor();
  await page.locator("#passphrase").fill(PASSPHRASE);
  await page.locator("#passphrase-again").fill(PASSPHRASE);
  await page.locator("main button.main").click();
  await page.waitForSelector("#counts");

  // All of the site's data wiped: the first page says that there may have been something.
  await page.goto("about:blank"); // no page is left that uses what is wiped
  await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
  await page.goto(`${address}#records`);
  await page.locator("main", { hasText: "dữ liệu đã bị trình duyệt hoặc ai đó xóa" }).waitFor();
});
