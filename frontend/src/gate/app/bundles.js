// The bundles that this gate holds: the public one (keys, status lists) and its operator's (rules, claims, gates' keys).
import { KeySet, Refused, bundle, fromUtf8, rulebook, statuslist } from "../core/index.js"
import { API, file, fileAsGate } from "./site.js"
import { get, put } from "./store.js"

const thaw = (told) => new statuslist.StatusList(told, told.bits, told.digest, told.kind)
const freeze = (list) => ({ ...list })

async function held(name) {
  const found = await get("bundles", name)
  if (!found) return null
  const map = (rows) => new Map(rows.map(([key, list]) => [key, thaw(list)]))
  return { manifest: found.manifest, keys: await KeySet.fromJson(found.keys), lists: map(found.lists), claims: map(found.claims), files: new Map(found.files) }
}

async function store(name, taken) {
  const rows = (map) => [...map].map(([key, list]) => [key, freeze(list)])
  await put("bundles", { manifest: taken.manifest, keys: taken.keys.text, lists: rows(taken.lists), claims: rows(taken.claims), files: [...taken.files] }, name)
}

// Where files were replaced while they were fetched, once more.
async function taken(fetch, options) {
  try {
    return await bundle.take(fetch, options)
  } catch (bad) {
    if (!(bad instanceof Refused) || bad.code !== "bundle-mixed") throw bad
    return bundle.take(fetch, options)
  }
}

// Fetches what is new. `anchor`: the keys that the site told when this gate was paired, trusted for the first manifest.
export async function refresh(gate, at) {
  const trusted = await KeySet.fromJson(gate.anchor)
  const before = await held("public")
  const open = await taken((name) => file(`/bundle/${name}`), { trusted, at, bundle: "public", held: before })
  await store("public", open)
  const [own, path] = [await held(gate.operator), `${API}bundle/`]
  const mine = await taken((name) => fileAsGate(gate, path + name), {
    trusted: open.keys, at, bundle: gate.operator, held: own && { ...own, keys: open.keys } })
  await store(gate.operator, mine)
  const versions = Object.fromEntries([...open.lists].map(([number, list]) => [number, list.version]))
  return { versions, bundle: mine.manifest.version }
}

// What the verdict needs, in memory; null before the first fetch.
export async function load(gate) {
  const [open, own] = [await held("public"), await held(gate.operator)]
  if (!open || !own) return null
  const rules = rulebook.parse(own.files.get("rulebook.json"))
  const others = own.files.has("gates.json") ? await KeySet.fromJson(fromUtf8(own.files.get("gates.json"))) : new KeySet()
  const newest = Math.min(...[...open.lists.values()].map((list) => list.issuedAt))
  return {
    keys: open.keys, lists: open.lists, claims: own.claims, rulebook: rules, gates: others,
    issuedAt: own.manifest.issuedAt, maxAge: Math.min(open.manifest.maxAge, own.manifest.maxAge),
    listedAt: Number.isFinite(newest) ? newest : open.manifest.issuedAt,
    version: Math.max(0, ...[...open.lists.values()].map((list) => list.version)),
  }
}
