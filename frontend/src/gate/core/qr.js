// The text of a card's code to its payload. Mirrors `from_text` of zhengka/formats/qr.py, and zhengka/formats/hosts.py:
// opens nothing; a code with a host that none of ours has is none of ours.
import { Refused, fromUtf8, spelled, toHex } from "./bytes.js"

const LONGEST_TEXT = 2048
const LONGEST_PAYLOAD = 256
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g
const HOST = "(?:HTTPS?://([A-Z0-9.\\-]{1,253}(?::[0-9]{1,5})?)/"
const MOST_HOSTS = 100
const CARD = new RegExp(`^${HOST}V/)?([1-9][0-9]{2,619})/?$`)
const narrow = (text) => text.replace(/[\uff01-\uff5e]/g, (each) => String.fromCharCode(each.charCodeAt(0) - 0xfee0))

export const plain = (text) => narrow(text).replace(SPACE, "").replace(/^'/, "").toUpperCase()

// The bytes that digits carry: those after a byte 01.
export function unmarked(digits) {
  const marked = spelled(BigInt(digits))
  if (marked[0] !== 1 || marked.length < 2 || marked.length > 1 + LONGEST_PAYLOAD) throw new Refused("qr-text")
  return marked.subarray(1)
}

// The decimal digits that carry a payload.
export const toDigits = (payload) => BigInt(`0x01${toHex(payload)}`).toString()

// `hosts`: those that our codes may carry, in lower case; none: any.
export function fromText(text, pattern = CARD, hosts = []) {
  const match = [...text].length <= LONGEST_TEXT && pattern.exec(plain(text))
  if (!match) throw new Refused("qr-text")
  const payload = unmarked(match[2])
  if (match[1] && hosts.length && !hosts.includes(match[1].toLowerCase())) throw new Refused("foreign-host")
  return payload
}

export const fromCard = (text, hosts) => fromText(text, CARD, hosts)

// The hosts in a file of a bundle, in its one form.
export function toHosts(data) {
  try {
    const text = fromUtf8(data)
    const { hosts } = JSON.parse(text)
    const good = hosts.length > 0 && hosts.length <= MOST_HOSTS && hosts.every((host) => /^[a-z0-9.-]{1,253}(?::[0-9]{1,5})?$/.test(host))
      && text === JSON.stringify({ format: 1, hosts: [...new Set(hosts)].sort() })
    if (good) return hosts
  } catch {
    // as any other text that is no file of hosts
  }
  throw new Refused("bundle-format")
}

export const pattern = (letter) => new RegExp(`^${HOST}${letter}/)?([1-9][0-9]{2,619})/?$`)
