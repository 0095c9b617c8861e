// The one verifier: the text of a code goes in, a verdict comes out. Mirrors `decide` of zhengka/formats/verdict.py.
import { Refused } from "./bytes.js"
import { decode } from "./credential.js"
import { checkSignature } from "./issuers.js"
import { fromCard } from "./qr.js"

export const CLOCK_SKEW = 10 * 60 * 1000
const BY_STATUS = { 1: "revoked", 2: "suspended", 3: "inactive" }
const DAY = 24 * 3600 * 1000
const DAY_ZERO = Date.UTC(2000, 0, 1)
const CHINA = 8 * 3600 * 1000

// The day in China, counted from 2000-01-01.
export const day = (at) => Math.floor((at + CHINA - DAY_ZERO) / DAY)

function byList(found, known, at, maxAge) {
  if (!known || found.index >= known.capacity) return "list-missing"
  const status = known.status(found.index)
  if (status) return BY_STATUS[status]
  if (known.age(at) < -CLOCK_SKEW) return "clock-behind"
  return known.age(at) > maxAge ? "list-too-old" : "valid"
}

function byDate(found, today) {
  if (today < found.issued) return "not-yet-valid"
  return today > found.expires ? "expired" : ""
}

// `keys` a KeySet, `lists` a Map of status lists by number, `at` and `maxAge` in milliseconds, `hosts` those that a code
// may carry (none: any).
export async function decide(text, { keys, lists, at, maxAge, hosts = [] }) {
  let sealed
  try {
    sealed = decode(fromCard(text, hosts))
  } catch (bad) {
    if (!(bad instanceof Refused)) throw bad
    return { code: "not-our-code", reason: bad.code }
  }
  try {
    const key = keys.trusted(sealed.keyId, sealed.suite, "credential", at)
    await checkSignature(key, sealed.signed, sealed.signature)
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused
    return { code: refused.code, reason: "" }
  }
  const known = lists.get(sealed.list)
  return { code: byDate(sealed, day(at)) || byList(sealed, known, at, maxAge), reason: "", credential: sealed, list: known }
}
