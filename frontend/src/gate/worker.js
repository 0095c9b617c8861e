// Keeps the gate app on the device. The server puts `const KEPT = […]` before this: the addresses of the app's pages and
// files. Nothing else goes through here: what a gate knows of cards is never in a cache.
const digest = [...KEPT.join("\n")].reduce((sum, each) => (sum * 31 + each.codePointAt(0)) >>> 0, 7)
const CACHE = `zhengka-gate-${digest}`
const HERE = KEPT[0]
const PATIENCE = 2500

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE)
    await cache.addAll(KEPT.map((url) => new Request(url, { cache: "reload" })))
    await self.skipWaiting()
  })())
})

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("zhengka-gate-") && name !== CACHE)
    await Promise.all(old.map((name) => caches.delete(name)))
    await self.clients.claim()
  })())
})

// The page as it is on the site, where that answers soon; else as it is kept.
async function page(request) {
  const { pathname } = new URL(request.url)
  const kept = (await caches.match(pathname)) ?? await caches.match(HERE)
  const late = new Promise((resolve) => { setTimeout(() => resolve(null), PATIENCE) })
  try {
    const answer = await (kept ? Promise.race([fetch(request), late]) : fetch(request))
    if (answer?.ok) return answer
    return kept ?? answer
  } catch {
    return kept ?? Response.error()
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== "GET" || url.origin !== location.origin) return
  if (event.request.mode === "navigate" && url.pathname.startsWith(HERE)) event.respondWith(page(event.request))
  else if (KEPT.includes(url.pathname + url.search)) event.respondWith(caches.match(event.request).then((found) => found ?? fetch(event.request)))
})
