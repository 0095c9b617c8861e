// The credential in a card's code, taken apart by hand. Mirrors zhengka/formats/credential.py.
import { Refused, toHex } from "./bytes.js"
import { SUITE_OF_PROFILE, sigStructure } from "./issuers.js"

const CONTENT_TYPE = "application/vnd.zhengka.credential+cbor"
const [TOKEN, BODY, SIGNATURE] = [12, 9, 64]
const SHORTEST = BODY + 2 + TOKEN + 5 + SIGNATURE
const LONGEST = SHORTEST + 4 * 4 + 1
const LAST_DAY = 73048 // 2199-12-31, counted from 2000-01-01
const SIZES = { 24: [1, 24], 25: [2, 256], 26: [4, 65536] }

// An unsigned integer of CBOR in its shortest form, and where the next item begins.
function integer(body, at) {
  const first = at < body.length ? body[at] : 0xff
  if (first < 24) return [first, at + 1]
  const [size, least] = SIZES[first] || [0, 0]
  const end = at + 1 + size
  if (!size || end > body.length) throw new Refused("credential-shape")
  const found = body.subarray(at + 1, end).reduce((sum, each) => sum * 256 + each, 0)
  if (found < least) throw new Refused("credential-form")
  return [found, end]
}

function read(body) {
  if (body[0] !== 0x86 || body[1] !== 0x40 + TOKEN) throw new Refused("credential-shape")
  const numbers = []
  let at = 2 + TOKEN
  for (let left = 5; left; left--) {
    const [found, next] = integer(body, at)
    numbers.push(found)
    at = next
  }
  if (at !== body.length) throw new Refused("credential-trailing")
  const [issued, expires, list, index, holderClass] = numbers
  const good = issued <= expires && expires <= LAST_DAY && index < 2 ** 20 && holderClass < 256
  if (!good) throw new Refused("credential-value")
  return { token: body.slice(2, 2 + TOKEN), issued, expires, list, index, holderClass }
}

export function decode(payload) {
  if (payload.length < SHORTEST || payload.length > LONGEST) throw new Refused("credential-length")
  const suite = SUITE_OF_PROFILE[payload[0]]
  if (!suite) throw new Refused("credential-profile")
  const [keyId, body, signature] = [payload.subarray(1, BODY), payload.subarray(BODY, -SIGNATURE), payload.subarray(-SIGNATURE)]
  return { ...read(body), suite, keyId: toHex(keyId), signature, signed: sigStructure(suite, keyId, CONTENT_TYPE, body) }
}
