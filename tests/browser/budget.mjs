// What the page loads and how soon it can be used, in Chromium with a slow processor and no cache.
// node budget.mjs writes it as JSON; page.test.mjs asks the same and looks at bytes and requests.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const SMOKER = {
  age: "62", height: "165", weight: "74", waist: "95", systolic_bp: "156", diastolic_bp: "94",
  total_cholesterol: "6,2", hba1c: "6,1",
};
const ANSWERED = { sex: "male", smoking: "current", bp_treated: "no", diabetes: "no", prior_cvd: "no" };

// Until when the page was busy: its scripts have run, and no task of 50 ms or more has come after.
const busy = () => new Promise((done) => {
  let last = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) last = Math.max(last, each.startTime + each.duration);
  }).observe({ type: "longtask", buffered: true });
  setTimeout(() => done({
    interactive: last,
    painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  }), 500);
});

async function loaded(page, cdp, server, act) {
  const load = { requests: 0, bytes: 0, outside: [] };
  const asked = ({ request }) => {
    if (request.url.startsWith("data:")) return; // an icon of the browser's own
    load.requests += 1;
    if (!request.url.startsWith(`${server}/`)) load.outside.push(request.url);
  };
  const came = ({ encodedDataLength }) => { load.bytes += encodedDataLength; };
  cdp.on("Network.requestWillBeSent", asked);
  cdp.on("Network.loadingFinished", came);
  await act();
  await page.waitForLoadState("load");
  Object.assign(load, await page.evaluate(busy));
  const { metrics } = await cdp.send("Performance.getMetrics");
  load.processor = 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  cdp.off("Network.requestWillBeSent", asked);
  cdp.off("Network.loadingFinished", came);
  return load;
}

// One visit with an empty cache: the form, then the answer.
export async function visit(browser, server, lang, slower = 4) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" }); // does not run while others do
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: slower });
  const form = await loaded(page, cdp, server, () => page.goto(`${server}/page?lang=${lang}`));
  for (const [name, value] of Object.entries(SMOKER)) await page.locator(`[name="${name}"]`).fill(value);
  for (const [name, value] of Object.entries(ANSWERED)) await page.locator(`[name="${name}"][value="${value}"]`).check();
  const results = await loaded(page, cdp, server, async () => {
    await page.locator(".send button.main").first().click();
    await page.waitForSelector(".glance");
  });
  await context.close();
  return { form, results };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PAGE, CHROMIUM, NODE_MODULES, VISITS } = process.env;
  const { chromium } = createRequire(`${NODE_MODULES}/`)("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const visits = [];
  for (let at = 0; at < Number(VISITS); at += 1) visits.push(await visit(browser, PAGE, at % 2 ? "en" : "vi"));
  process.stdout.write(JSON.stringify({ browser: browser.version(), visits }));
  await browser.close();
}
