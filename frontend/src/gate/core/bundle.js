// The offline bundle: a signed list of the files that belong together, taken whole or not at all. Mirrors
// zhengka/formats/bundle.py. Times are milliseconds.
import { Refused, fromUtf8, sha256, toHex } from "./bytes.js"
import { KeySet, SUITE_OF_PROFILE, checkSignature, sigStructure } from "./issuers.js"
import { toHosts } from "./qr.js"
import * as statuslist from "./statuslist.js"

export const MANIFEST = "manifest.bin"
const CONTENT_TYPE = "application/vnd.zhengka.bundle"
const [HEAD, KEY_ID, SIGNATURE] = [10, 8, 64]
const TAIL = KEY_ID + SIGNATURE
const [MOST_STEPS, MOST_FILES, LARGEST, DAYS] = [16, 10000, 2 ** 31, 3650 * 86400]
const STATUS = /^status-(0|[1-9][0-9]{0,9})\.bin$/
const CLAIM = /^claim-([a-z0-9][a-z0-9.-]{0,63})-(0|[1-9][0-9]{0,9})\.bin$/

// The kind of the list in a file of this name, its claim ("" for a status list) and number; null for other files.
export function kindOf(name) {
  const [status, claim] = [STATUS.exec(name), CLAIM.exec(name)]
  if (status) return { kind: statuslist.STATUS_LIST, claim: "", number: Number(status[1]) }
  return claim ? { kind: statuslist.claimList(claim[1]), claim: claim[1], number: Number(claim[2]) } : null
}

const whole = (value, most) => Number.isSafeInteger(value) && value >= 0 && value <= most

function isFile(told) {
  return Object.keys(told).sort().join() === "name,sha256,size,version" && typeof told.name === "string" && /^[a-z0-9][a-z0-9._-]{0,99}$/.test(told.name)
    && told.name !== MANIFEST && /^[0-9a-f]{64}$/.test(told.sha256) && whole(told.size, LARGEST - 1) && whole(told.version, 2 ** 53)
}

function read(body) {
  try {
    const told = JSON.parse(fromUtf8(body))
    const issuedAt = Date.parse(told.issued_at)
    const names = told.files.map((file) => file.name)
    const good = Object.keys(told).sort().join() === "bundle,files,issued_at,max_age,version"
      && typeof told.bundle === "string" && /^[a-z0-9][a-z0-9-]{0,39}$/.test(told.bundle) && whole(told.version, 2 ** 53) && whole(told.max_age, DAYS)
      && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(told.issued_at) && issuedAt < Date.UTC(2200, 0, 1)
      && told.files.length <= MOST_FILES && told.files.every(isFile) && names.every((name, at) => !at || names[at - 1] < name)
    if (!good) throw new Refused("bundle-format")
    return { bundle: told.bundle, version: told.version, issuedAt, maxAge: told.max_age * 1000, files: told.files }
  } catch {
    throw new Refused("bundle-format")
  }
}

// Checks a manifest. `bundle`: whose it must be; `known`: the newest one seen before.
export async function parse(data, { keys, at, bundle, known = null }) {
  if (toHex(data.subarray(0, 5)) !== "5a4b424d01") throw new Refused("bundle-format")
  if (data.length < HEAD + TAIL) throw new Refused("bundle-truncated")
  if (data.length !== HEAD + new DataView(data.buffer, data.byteOffset).getUint32(6) + TAIL) throw new Refused("bundle-truncated")
  const suite = SUITE_OF_PROFILE[data[5]]
  if (!suite) throw new Refused("bundle-format")
  const [content, keyId] = [data.subarray(0, -TAIL), data.subarray(data.length - TAIL, data.length - SIGNATURE)]
  const key = keys.trusted(toHex(keyId), suite, "status", at)
  await checkSignature(key, sigStructure(suite, keyId, CONTENT_TYPE, content), data.subarray(-SIGNATURE))
  const found = read(content.subarray(HEAD))
  if (found.bundle !== bundle) throw new Refused("bundle-other")
  const other = known && found.version === known.version && JSON.stringify(found) !== JSON.stringify(known)
  if (known && (found.version < known.version || other)) throw new Refused("bundle-rollback")
  return found
}

async function checked(file, data) {
  if (!data) throw new Refused("bundle-incomplete")
  if (data.length !== file.size || toHex(await sha256(data)) !== file.sha256) throw new Refused("bundle-mixed")
  return data
}

const stem = (name) => name.replace(/\.bin$/, "")
const alike = (one, other) => Boolean(other) && one.sha256 === other.sha256 && one.size === other.size && one.version === other.version

class Taking {
  constructor(fetch, keys, at, held) {
    Object.assign(this, { fetch, keys, at, held })
  }

  // The list that a manifest names: the one in hand, or that one and its deltas, or the whole file.
  async listOf(file, { kind, claim, number }, unchanged) {
    const known = (claim ? this.held?.claims.get(`${claim} ${number}`) : this.held?.lists.get(number)) ?? null
    if (known && unchanged) return known
    const found = (known && await this.byDeltas(file, known))
      || await statuslist.parse(await checked(file, await this.fetch(file.name)), { keys: this.keys, at: this.at, known, kind })
    if (found.version !== file.version || found.number !== number) throw new Refused("bundle-mixed")
    return found
  }

  async byDeltas(file, list) {
    if (list.version >= file.version) return null
    let known = list
    for (let step = 0; step < MOST_STEPS && known.version < file.version; step++) {
      const data = await this.fetch(`${stem(file.name)}.from-${known.version}.bin`)
      if (!data) return null
      try {
        known = await statuslist.apply(data, known, { keys: this.keys, at: this.at })
      } catch {
        return null
      }
    }
    return known.version === file.version ? known : null
  }
}

// The hosts that codes of cards may carry, from a bundle's files; none where it does not say: any.
export const hostsOf = (files) => (files.has("hosts.json") ? toHosts(files.get("hosts.json")) : [])

async function keysOf(data) {
  try {
    return await KeySet.fromJson(fromUtf8(data))
  } catch {
    throw new Refused("bundle-format")
  }
}

// The bundle as it is where `fetch` looks (name → promise of bytes or null), whole and checked. `trusted`: keys by which
// the manifest is checked as long as nothing is held; what is held stays good where this throws.
export async function take(fetch, { trusted, at, bundle, held = null }) {
  const data = await fetch(MANIFEST)
  if (!data) throw new Refused("bundle-incomplete")
  const manifest = await parse(data, { keys: held?.keys ?? trusted, at, bundle, known: held?.manifest ?? null })
  let before = new Map((held?.manifest.files ?? []).map((file) => [file.name, file]))
  const files = new Map()
  for (const file of manifest.files.filter(({ name }) => !kindOf(name))) {
    const same = held && alike(file, before.get(file.name))
    files.set(file.name, same ? held.files.get(file.name) : await checked(file, await fetch(file.name)))
  }
  hostsOf(files)
  const keys = files.has("keys.json") ? await keysOf(files.get("keys.json")) : held?.keys ?? trusted
  if (held && keys.text !== held.keys.text) before = new Map() // each list is checked anew, by the keys as they are
  const taking = new Taking(fetch, keys, at, held)
  const [lists, claims] = [new Map(), new Map()]
  for (const file of manifest.files) {
    const told = kindOf(file.name)
    if (!told) continue
    const found = await taking.listOf(file, told, alike(file, before.get(file.name)))
    if (told.claim) claims.set(`${told.claim} ${told.number}`, found)
    else lists.set(told.number, found)
  }
  return { manifest, keys, lists, claims, files }
}
