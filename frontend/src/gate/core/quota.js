// How much of a person's quota a gate may give while it is cut off. Mirrors zhengka/formats/ring.py and `share` of
// zhengka/gates/quota.py: all shares together are the quota.
import { Refused, concat, fromUtf8, same, sha256, toHex, utf8 } from "./bytes.js"
import { canonical } from "./rulebook.js"

export const RING = "ring.json"
const NAMED = "gate,services,venue"

function member(told) {
  const good = Object.keys(told).sort().join() === NAMED && Number.isSafeInteger(told.gate) && told.gate >= 0 && typeof told.venue === "string"
    && Array.isArray(told.services) && told.services.every((each) => typeof each === "string")
  if (!good) throw new Refused("ring-form")
  return told
}

// The gates of an operator, in the order of their numbers.
export function parseRing(data) {
  let told
  try {
    told = JSON.parse(fromUtf8(data))
  } catch {
    throw new Refused("ring-form")
  }
  if (told?.format !== 1) throw new Refused("ring-format")
  if (!Array.isArray(told.gates) || !same(utf8(canonical(told)), data)) throw new Refused("ring-form")
  const gates = told.gates.map(member)
  if (!gates.every(({ gate }, at) => !at || gates[at - 1].gate < gate)) throw new Refused("ring-form")
  return gates
}

// The numbers of the gates among which the quota of a rule is split.
export const serving = (ring, rule) => ring.filter(({ venue, services }) => (!rule.venues.length || rule.venues.includes(venue))
  && (!services.length || services.includes(rule.service))).map(({ gate }) => gate)

function spelled(gate) {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(gate))
  return bytes
}

// How many of a person's quota this gate may have given in the period to give one more; `subject`: the pseudonym's bytes.
export async function share(quota, gates, gate, subject) {
  const ranked = await Promise.all([...new Set(gates)].map(async (each) => [toHex(await sha256(concat(subject, spelled(each)))), each]))
  const place = ranked.sort(([one], [other]) => (one < other ? -1 : 1)).findIndex(([, each]) => each === gate)
  return place < 0 ? 0 : Math.floor(quota / ranked.length) + (place < quota % ranked.length ? 1 : 0)
}
