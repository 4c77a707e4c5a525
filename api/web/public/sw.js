/** Lets the pages be opened without a network: the shell and every built file, kept by the browser. */
const CACHE = "variorum";
const FILES = "/.vite/manifest.json";
const OWN = /^\/(assets\/|icon\.svg$)/;
const NOT_A_PAGE = /^\/(v1|docs|swagger|problems|client|openapi\.json|livez|readyz|metrics)(\/|$)/;

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (OWN.test(pathname)) event.respondWith(kept(request));
  else if (request.mode === "navigate" && !NOT_A_PAGE.test(pathname)) event.respondWith(shell(event));
});

/** What is named by its content never changes, whoever asks for it and how. */
async function kept(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** The newest shell while there is a network, which also tells of a new release's files. */
async function shell(event) {
  try {
    const fresh = await fetch(event.request);
    if (fresh.ok) event.waitUntil(fill());
    return fresh;
  } catch (error) {
    const old = await caches.match("/", { ignoreVary: true });
    if (old) return old;
    throw error;
  }
}

/** Keep the shell and all files that it may ask for; forget those of former releases. */
async function fill() {
  const cache = await caches.open(CACHE);
  const manifest = Object.values(await (await fetch(FILES)).json());
  const files = manifest.flatMap(({ file, css = [], assets = [] }) => [file, ...css, ...assets]);
  const wanted = new Set([...files.map((file) => `/${file}`), "/icon.svg"]);
  const here = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  await cache.addAll([...wanted].filter((file) => !here.has(file)));
  await cache.add("/"); // last: it asks for the others
  for (const file of here) if (file !== "/" && !wanted.has(file)) await cache.delete(file);
}
