// The two suites of algorithms: SM (SM2 with SM3) and INTL (P-256 with SHA-256). Public keys only: 65 bytes 04 ‖ x ‖ y,
// signatures 64 bytes r ‖ s. Mirrors zhengka/formats/suites.py.
import { sm2, sm3 as sm3hex } from "sm-crypto-v2"
import { Refused, fromHex, number, sha256, toHex } from "./bytes.js"

const ORDERS = {
  SM: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  INTL: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
}
const ES256 = { name: "ECDSA", hash: "SHA-256" }
const P256 = { name: "ECDSA", namedCurve: "P-256" }

export const sm3 = (bytes) => fromHex(sm3hex(bytes))

class SmKey {
  suite = "SM"

  constructor(point) {
    const hex = toHex(point)
    if (!sm2.verifyPublicKey(hex)) throw new Refused("not-a-point")
    this.point = point
    this.hex = hex
    this.keyId = toHex(sm3(point).subarray(0, 8))
  }

  // The table of multiples costs as much as five checks, and is made once for a key that is met again.
  async check(message, signature) {
    this.table ??= sm2.precomputePublicKey(this.hex)
    return sm2.doVerifySignature(message, toHex(signature), this.table, { hash: true, publicKey: this.hex })
  }
}

class IntlKey {
  suite = "INTL"

  constructor(point, key, digest) {
    this.point = point
    this.key = key
    this.keyId = toHex(digest.subarray(0, 8))
  }

  check(message, signature) {
    return crypto.subtle.verify(ES256, this.key, signature, message)
  }
}

// The public key of these 65 bytes; a point off the curve is refused.
export async function publicKey(suite, point) {
  if (point.length !== 65 || point[0] !== 4) throw new Refused("not-a-point")
  if (suite === "SM") return new SmKey(point)
  if (suite !== "INTL") throw new Refused("not-a-suite")
  try {
    return new IntlKey(point, await crypto.subtle.importKey("raw", point, P256, true, ["verify"]), await sha256(point))
  } catch {
    throw new Refused("not-a-point")
  }
}

// Whether `key` signed `message`; r or s out of range is nobody's signature.
export async function signed(key, message, signature) {
  const order = ORDERS[key.suite]
  const parts = [signature.subarray(0, 32), signature.subarray(32)].map(number)
  if (signature.length !== 64 || parts.some((each) => each < 1n || each >= order)) return false
  return key.check(message, signature)
}
