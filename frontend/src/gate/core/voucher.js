// The voucher: a signed promise of one use of one service, at one place, within one time. Mirrors
// zhengka/formats/voucher.py. Times are milliseconds, whole seconds.
import { Refused, concat, toHex, utf8 } from "./bytes.js"
import { PROFILES, SUITE_OF_PROFILE, checkSignature, head, sigStructure } from "./issuers.js"
import { fromText as payloadOf, pattern, toDigits } from "./qr.js"

const CONTENT_TYPE = "application/vnd.zhengka.voucher+cbor"
const [CODE, BODY, SIGNATURE, LONGEST] = [10, 9, 64, 256]
const EPOCH = Date.UTC(2000, 0, 1)
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/
export const GIVES = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,39}|fixed:[1-9][0-9]{0,7})$/ // the rule book's own word
const SIZES = { 24: [1, 24], 25: [2, 256], 26: [4, 65536] }
const TEXT = pattern("P")

function valid(told) {
  const named = [told.operator, told.service, told.rule].every((name) => NAME.test(name)) && GIVES.test(told.gives)
  if (!named || (told.venue && !NAME.test(told.venue)) || told.companions > 9 || told.begins >= told.ends) throw new Refused("voucher-value")
  return told
}

function readHead(data, at, major) {
  const first = at < data.length ? data[at] : 0xff
  if (first >> 5 !== major) throw new Refused("voucher-shape")
  if ((first & 31) < 24) return [first & 31, at + 1]
  const [size, least] = SIZES[first & 31] || [0, 0]
  const end = at + 1 + size
  if (!size || end > data.length) throw new Refused("voucher-shape")
  const found = data.subarray(at + 1, end).reduce((sum, each) => sum * 256 + each, 0)
  if (found < least) throw new Refused("voucher-form")
  return [found, end]
}

function readName(body, at) {
  const [length, from] = readHead(body, at, 3)
  const raw = body.subarray(from, from + length)
  if (raw.length !== length || raw.some((each) => each > 127)) throw new Refused("voucher-shape")
  return [String.fromCharCode(...raw), from + length]
}

function read(body) {
  if (body[0] !== 0x89 || body[1] !== 0x40 + CODE || body.length < 2 + CODE) throw new Refused("voucher-shape")
  const found = []
  let at = 2 + CODE
  for (let each = 0; each < 8; each++) {
    const [value, next] = each < 5 ? readName(body, at) : readHead(body, at, 0)
    found.push(value)
    at = next
  }
  if (at !== body.length) throw new Refused("voucher-trailing")
  const [operator, venue, service, rule, gives, companions, begins, ends] = found
  return valid({ code: body.slice(2, 2 + CODE), operator, venue, service, rule, gives, companions, begins: EPOCH + begins * 1000, ends: EPOCH + ends * 1000 })
}

// A payload taken apart; whether the signature is good is not asked here.
export function decode(payload) {
  if (payload.length <= BODY + 2 + CODE + SIGNATURE || payload.length > LONGEST) throw new Refused("voucher-length")
  const suite = SUITE_OF_PROFILE[payload[0]]
  if (!suite) throw new Refused("voucher-profile")
  const [keyId, body, signature] = [payload.subarray(1, BODY), payload.subarray(BODY, -SIGNATURE), payload.subarray(-SIGNATURE)]
  return { voucher: read(body), suite, keyId: toHex(keyId), signature, signed: sigStructure(suite, keyId, CONTENT_TYPE, body) }
}

export async function checkSealed(sealed, keys, at) {
  const key = keys.trusted(sealed.keyId, sealed.suite, "voucher", at)
  await checkSignature(key, sealed.signed, sealed.signature)
}

// Throws unless the voucher is for this place and this moment.
export function checkPlace(told, place, at) {
  const here = told.operator === place.operator && told.service === place.service && ["", place.venue].includes(told.venue)
  if (!here) throw new Refused("voucher-elsewhere")
  if (at < told.begins) throw new Refused("voucher-not-yet")
  if (at >= told.ends) throw new Refused("voucher-expired")
}

const tstr = (text) => concat(head(3, text.length), utf8(text))
const seconds = (time) => head(0, Math.floor((time - EPOCH) / 1000))

// The payload, signed by `sign` (message → promise of 64 bytes) with a key of the suite INTL.
export async function encode(told, { keyId, sign }) {
  valid(told)
  const names = [told.operator, told.venue, told.service, told.rule, told.gives].map(tstr)
  const body = concat(Uint8Array.of(0x89), head(2, CODE), told.code, ...names, head(0, told.companions), seconds(told.begins), seconds(told.ends))
  const payload = concat(Uint8Array.of(PROFILES.INTL), keyId, body, await sign(sigStructure("INTL", keyId, CONTENT_TYPE, body)))
  if (payload.length > LONGEST) throw new Refused("voucher-length")
  return payload
}

export const toText = (payload, origin) => `${origin.toUpperCase()}/P/${toDigits(payload)}`

export function fromText(text) {
  try {
    return payloadOf(text, TEXT)
  } catch {
    throw new Refused("voucher-text")
  }
}
