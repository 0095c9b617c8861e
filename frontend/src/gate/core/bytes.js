// Bytes and the ways in which they are written.
const HEX = /^(?:[0-9a-f]{2})*$/
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// A "no" by name: every refusal of the core is one, with the code of the Python original.
export class Refused extends Error {
  constructor(code) {
    super(code)
    this.code = code
  }
}

export const utf8 = (text) => new TextEncoder().encode(text)
export const fromUtf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
export const toHex = (bytes) => Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("")

export function fromHex(text) {
  if (typeof text !== "string" || !HEX.test(text)) throw new Refused("not-hex")
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16))
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const same = (one, other) => one.length === other.length && one.every((each, at) => each === other[at])
export const number = (bytes) => BigInt(`0x0${toHex(bytes)}`)

// Big-endian bytes of a number: `size` of them, or as few as hold it.
export function spelled(value, size = 0) {
  const digits = value.toString(16)
  return fromHex(digits.padStart(size ? size * 2 : digits.length + digits.length % 2, "0"))
}

export function toBase64(bytes) {
  let text = ""
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768))
  return btoa(text)
}

export const fromBase64 = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0))
export const toBase64Url = (bytes) => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
export const fromBase64Url = (text) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"))

// RFC 4648, without padding.
export function toBase32(bytes) {
  let [held, bits, text] = [0, 0, ""]
  for (const each of bytes) {
    held = (held << 8 | each) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[held >> (bits - 5) & 31]
  }
  return bits ? text + BASE32[held << (5 - bits) & 31] : text
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
}
