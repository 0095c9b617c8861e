// What an issuer signs, and which issuers' keys a gate trusts. Mirrors zhengka/formats/issuers.py.
import { Refused, concat, fromHex, utf8 } from "./bytes.js"
import { publicKey, signed } from "./suites.js"

export const SUITE_OF_PROFILE = { 0x11: "SM", 0x12: "INTL" }
export const PROFILES = { SM: 0x11, INTL: 0x12 }
const ALGORITHMS = { SM: Uint8Array.of(0x3a, 0, 1, 0, 0), INTL: Uint8Array.of(0x26) } // -65537, -7
const FIELDS = "key_id,not_after,not_before,point,purposes,revoked_at,suite"
const MOST_KEYS = 10000

// Head of a CBOR item (RFC 8949, clause 3) in its shortest form.
export function head(major, size) {
  const first = major << 5
  if (size < 24) return Uint8Array.of(first | size)
  if (size < 256) return Uint8Array.of(first | 24, size)
  if (size < 65536) return Uint8Array.of(first | 25, size >> 8, size & 255)
  return Uint8Array.of(first | 26, size >>> 24, size >> 16 & 255, size >> 8 & 255, size & 255)
}

const bstr = (bytes) => concat(head(2, bytes.length), bytes)
const tstr = (text) => concat(head(3, utf8(text).length), utf8(text))

// The bytes that are signed: COSE `Sig_structure` of one signer, no external data (RFC 9052, 4.4).
export function sigStructure(suite, keyId, contentType, payload) {
  const header = concat(Uint8Array.of(0xa3, 1), ALGORITHMS[suite], Uint8Array.of(3), tstr(contentType), Uint8Array.of(4), bstr(keyId))
  return concat(Uint8Array.of(0x84), tstr("Signature1"), bstr(header), bstr(new Uint8Array()), bstr(payload))
}

function time(text) {
  const found = Date.parse(text)
  if (typeof text !== "string" || Number.isNaN(found) || !/(?:Z|[+-]\d\d:\d\d)$/.test(text)) throw new Refused("bad-key-set")
  return found
}

async function entry(told) {
  if (Object.keys(told).sort().join() !== FIELDS) throw new Refused("bad-key-set")
  const key = await publicKey(told.suite, fromHex(told.point))
  const [notBefore, notAfter] = [time(told.not_before), time(told.not_after)]
  if (key.keyId !== told.key_id || notBefore >= notAfter || !told.purposes.length) throw new Refused("bad-key-set")
  return { key, notBefore, notAfter, revokedAt: told.revoked_at === null ? null : time(told.revoked_at), purposes: told.purposes }
}

export class KeySet {
  constructor(entries = []) {
    this.keys = new Map(entries.map((each) => [each.key.keyId, each]))
    if (this.keys.size !== entries.length) throw new Refused("bad-key-set")
  }

  static async fromJson(text) {
    try {
      const content = JSON.parse(text)
      if (content.format !== 1 || content.keys.length > MOST_KEYS) throw new Refused("bad-key-set")
      const found = new KeySet(await Promise.all(content.keys.map(entry)))
      found.text = JSON.stringify(content)
      return found
    } catch {
      throw new Refused("bad-key-set")
    }
  }

  // The key of this id (hexadecimal), if it is of this suite, for this purpose and good at this time (milliseconds).
  trusted(keyId, suite, purpose, at) {
    const found = this.keys.get(keyId)
    if (!found) throw new Refused("key-unknown")
    if (found.key.suite !== suite) throw new Refused("algorithm-mismatch")
    if (!found.purposes.includes(purpose)) throw new Refused("key-purpose")
    if (found.revokedAt !== null && at >= found.revokedAt) throw new Refused("key-revoked")
    if (at < found.notBefore) throw new Refused("key-not-yet")
    if (at >= found.notAfter) throw new Refused("key-expired")
    return found.key
  }
}

export async function checkSignature(key, message, signature) {
  if (!await signed(key, message, signature)) throw new Refused("signature-wrong")
}
