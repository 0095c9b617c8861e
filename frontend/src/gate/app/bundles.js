// The bundle of this gate's operator: keys, status lists, rules, claims, its other gates with their keys.
import { KeySet, Refused, bundle, fromUtf8, quota, rulebook, statuslist } from "../core/index.js"
import { API, fileAsGate } from "./site.js"
import { get, put } from "./store.js"

const HELD = "held"
const thaw = (rows) => new Map(rows.map(([key, told]) => [key, new statuslist.StatusList(told, told.bits, told.digest, told.kind)]))
const freeze = (lists) => [...lists].map(([key, list]) => [key, { ...list }])

async function held(operator) {
  const found = await get("bundles", HELD)
  if (found?.manifest.bundle !== operator) return null
  return { manifest: found.manifest, keys: await KeySet.fromJson(found.keys), lists: thaw(found.lists), claims: thaw(found.claims), files: new Map(found.files) }
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

// Fetches what is new: the versions that are held now. `anchor`: the keys that the site told when this gate was paired,
// trusted for the first manifest; every later one is checked by the keys of the one before.
export async function refresh(gate, at) {
  const trusted = await KeySet.fromJson(gate.anchor)
  const found = await taken((name) => fileAsGate(gate, `${API}bundle/${name}`), {
    trusted, at, bundle: gate.operator, held: await held(gate.operator) })
  await put("bundles", {
    manifest: found.manifest, keys: found.keys.text, lists: freeze(found.lists), claims: freeze(found.claims), files: [...found.files] }, HELD)
  return { bundle: found.manifest.version, lists: Object.fromEntries([...found.lists].map(([number, list]) => [number, list.version])) }
}

// What the verdict needs, in memory; null before the first fetch.
export async function load(gate) {
  const own = await held(gate.operator)
  if (!own?.files.has("rulebook.json")) return null
  const gates = own.files.has("gates.json") ? await KeySet.fromJson(fromUtf8(own.files.get("gates.json"))) : new KeySet()
  const ring = own.files.has(quota.RING) ? quota.parseRing(own.files.get(quota.RING)) : [] // no share where nobody is named
  const lists = [...own.lists.values()]
  return {
    keys: own.keys, lists: own.lists, claims: own.claims, rulebook: rulebook.parse(own.files.get("rulebook.json")), gates, ring,
    hosts: bundle.hostsOf(own.files),
    issuedAt: own.manifest.issuedAt, maxAge: own.manifest.maxAge,
    listedAt: Math.min(own.manifest.issuedAt, ...lists.map((list) => list.issuedAt)),
    version: Math.max(0, ...lists.map((list) => list.version)),
  }
}
