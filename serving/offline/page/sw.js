// Keeps the edition on the device: everything from the cache, nothing from the network once it is
// there. VERSION, and the SHA-256 of each of FILES, stand above, written when the edition was built.

const CACHE = `cdss-${VERSION}`;
const home = new URL("./", self.location);
const keyOf = (name) => new URL(`${name}?sha256=${FILES[name]}`, home).href;

/** Name of a file of this edition that an address means; empty if none. */
function nameOf(address) {
  const { origin, pathname } = new URL(address);
  if (origin !== home.origin || !pathname.startsWith(home.pathname)) return "";
  const name = decodeURI(pathname.slice(home.pathname.length)) || "index.html";
  return Object.hasOwn(FILES, name) ? name : "";
}

const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Put a file into the cache; what an earlier edition has alike is not fetched again. */
async function keep(cache, name) {
  const key = keyOf(name);
  const known = await caches.match(key);
  if (known) return cache.put(key, known);
  const answer = await fetch(new URL(name, home), { cache: "no-store" });
  const content = answer.ok ? await answer.arrayBuffer() : null;
  // A file of another edition, or one cut off, must never be mixed with the rest.
  if (content === null || hex(await crypto.subtle.digest("SHA-256", content)) !== FILES[name])
    throw new Error(`${name} is not the file of this edition`);
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  return cache.put(key, new Response(content, { headers: { "content-type": type } }));
}

self.addEventListener("install", (event) => {
  const all = async () => {
    const cache = await caches.open(CACHE);
    for (const name of Object.keys(FILES)) await keep(cache, name);
  };
  event.waitUntil(all());
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys())
      if (name.startsWith("cdss-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const name = event.request.method === "GET" ? nameOf(event.request.url) : "";
  if (!name) return; // the server's addresses go to the network
  const answer = async () =>
    (await caches.match(keyOf(name), { cacheName: CACHE })) ?? fetch(event.request);
  event.respondWith(answer());
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});
