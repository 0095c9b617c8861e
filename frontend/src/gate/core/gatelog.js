// The log of a gate: one line for each thing that happened at it. Mirrors `write` of zhengka/formats/gatelog.py: the one
// form that JSON.stringify gives an object with these members in this order.
import { Refused, toBase64Url, utf8 } from "./bytes.js"
import { GIVES, NAME } from "./voucher.js"

const [KINDS, OF_VOUCHERS] = [["visit", "issue", "redeem", "cancel", "refusal"], ["issue", "redeem", "cancel"]]
const maybe = (form) => new RegExp(`^$|${form.source}`)
const FORMS = {
  kind: new RegExp(`^(?:${KINDS.join("|")})$`), operator: NAME, venue: NAME, service: NAME, rule: maybe(NAME),
  gives: maybe(GIVES), subject: /^(?:[0-9a-f]{32})?$/, voucher: /^(?:[A-Z2-7]{16})?$/,
  proof: /^(?:tap|qr|show|number|voucher)?$/, code: NAME,
}

export const time = (at) => (at == null ? "" : `${new Date(at).toISOString().slice(0, 19)}Z`)

// The text of an event. `at`, `from` and `until` in milliseconds; what is left out is empty.
export function write(event) {
  const { gate, seq, kind, at, operator, venue, service, rule = "", gives = "", companions = 0, subject = "", voucher = "",
    from = null, until = null, proof = "", code = "valid", list = 0 } = event
  const told = { v: 1, gate, seq, kind, at: time(at), operator, venue, service, rule, gives, companions, subject, voucher,
    from: time(from), until: time(until), proof, code, list }
  const good = Object.entries(FORMS).every(([name, form]) => form.test(told[name])) && seq > 0 && companions <= 9
    && Boolean(voucher) === OF_VOUCHERS.includes(kind) && (kind === "issue") === Boolean(told.from && told.until && from < until)
    && (Boolean(rule && gives) || ["refusal", "cancel"].includes(kind))
  const text = JSON.stringify(told)
  if (!good || text.length > 1024) throw new Refused("event-value")
  return text
}

// A line of an upload, without its end.
export const toLine = (text, signature) => `${text}\t${toBase64Url(signature)}`
export const bytesOf = (text) => utf8(text)
