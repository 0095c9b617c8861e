// A card is shown to a gate: what was read goes in, an answer comes out. Mirrors zhengka/formats/presenting.py.
import { concat, fromHex, toHex, utf8 } from "./bytes.js"
import { isNumber } from "./numbers.js"
import { judge, localDay, openRules, whoHolds } from "./rulebook.js"
import { toDigits } from "./qr.js"
import { sm3 } from "./suites.js"
import { CLOCK_SKEW, day, decide } from "./verdict.js"
import WORDS from "./words.json"

const PASSING = ["valid", "inactive"]
const PROOFS = ["tap", "qr", "show", "number"]
const MULTIPLE = 7
const TONES = { green: "pass", red: "stop", amber: "ask", neutral: "calm" }
const VIBRATIONS = { green: [80], red: [400, 100, 400], amber: [150, 100, 150], neutral: [80, 120, 80] }
const PRICES = { free: ["free", "免费"], half: ["half price", "半价"] }

export const knows = (book, place) => place.operator === book.operator
  && book.services.some((each) => each.id === place.service) && book.venues.some((each) => each.id === place.venue)

export function subject(operator, token, at) {
  return toHex(sm3(concat(utf8(`zhengka subject${operator}${localDay(at).slice(0, 7)}`), token)).subarray(0, 16))
}

function yuan(fen) {
  const whole = Math.floor(fen / 100) + (fen % 100 ? `.${String(fen % 100).padStart(2, "0")}` : "")
  return [`${whole} yuan`, `${whole}元`]
}

function said({ code, rule, sees }, language) {
  const words = [WORDS[code].en, WORDS[code].zh]
  if (WORDS[code].colour !== "green" || !rule || sees === "verdict") return words[language]
  const [price, count] = [(PRICES[rule.price] || yuan(rule.fen))[language], rule.companions]
  const others = count ? [`, with ${count} companion${count > 1 ? "s" : ""}`, `，可带${count}名陪同人员`][language] : ""
  return `${words[language].slice(0, -1)}${[": ", "："][language]}${price}${others}${[".", "。"][language]}`
}

// The whole answer, as the gate's own record needs it.
function told(found) {
  const colour = WORDS[found.code].colour
  const rule = colour === "green" ? found.rule : null
  return {
    code: found.code, colour, proof: found.proof, benefit: rule ? (rule.price === "fixed" ? `fixed:${rule.fen}` : rule.price) : "",
    companions: rule?.companions ?? 0, rule: rule?.id ?? "", vouchers: rule?.vouchers ?? [], minutes: rule?.minutes ?? 0,
    ways: found.ways, tone: TONES[colour], vibration: VIBRATIONS[colour], en: said(found, 0), zh: said(found, 1),
    subject: found.subject ?? "", reason: found.reason ?? "", list: found.list ?? null,
  }
}

// Whether a condition is fulfilled by what stands on a face: the parts of a multiple disability do not.
function faceHolds(who, face, on) {
  const held = whoHolds(who, face, on)
  return held === false && face.category === MULTIPLE && who.components ? whoHolds(who, { ...face, category: null }, on) : held
}

function settle(code, judged) {
  if (!PASSING.includes(code)) return code
  if (judged.code === "unknown") return judged.rule?.proofs.includes("show") ? "look-at-the-face" : "ask-online"
  return judged.code === "given" ? "valid" : judged.code
}

class Gate {
  constructor(bundle, place, at, used, proof) {
    Object.assign(this, { bundle, place, at, used, proof, today: localDay(at) })
  }

  answer(code, more = {}) {
    const ways = WORDS[code].colour === "amber" && code !== "not-our-place" ? this.ways() : []
    return told({ code, proof: this.proof, sees: this.bundle.rulebook.sees, ways, ...more })
  }

  ways() {
    const found = openRules(this.bundle.rulebook, this.place.service, this.place.venue, this.today).flatMap((rule) => rule.proofs)
    return PROOFS.filter((proof) => proof !== this.proof && found.includes(proof))
  }

  async scanned({ text }, chip = {}) {
    const { keys, lists, maxAge, hosts } = this.bundle
    const decided = await decide(text, { keys, lists, at: this.at, maxAge, hosts })
    if (!decided.credential) return this.answer(decided.code, { reason: decided.reason })
    let [code, rule] = [this.fresh(decided.code), null]
    if (PASSING.includes(code)) {
      const judged = this.judge((each) => this.holds(each, decided.credential, chip), code === "valid")
      code = settle(code, judged)
      rule = judged.rule
    }
    return this.answer(code, { rule, list: decided.list?.version ?? null, subject: subject(this.place.operator, decided.credential.token, this.at) })
  }

  async tapped({ fields, proven }) {
    if (!proven) return this.answer("not-authentic")
    if ("credential" in fields) return this.scanned({ text: toDigits(fromHex(fields.credential)) }, { category: fields.category, grade: fields.grade })
    return this.ofDates(fields.issued, fields.valid_until) || this.unknown()
  }

  looked({ valid_until: until, same, ...face }) {
    if (!same) return this.answer("face-differs")
    const judged = this.judge((rule) => faceHolds(rule.who, face, this.today), true)
    const code = { given: "shown", unknown: "ask-online" }[judged.code] ?? judged.code
    return this.ofDates(null, until) || this.answer(code, { rule: judged.rule })
  }

  typed({ number }) {
    return isNumber(number) ? this.unknown() : this.answer("not-our-number")
  }

  unknown() {
    const judged = this.judge(() => null, true)
    return this.answer(judged.code === "unknown" ? "ask-online" : judged.code, { rule: judged.rule })
  }

  ofDates(issued, until) {
    if (issued != null && this.today < issued) return this.answer("not-yet-valid")
    return until != null && this.today > until ? this.answer("expired") : null
  }

  judge(holds, active) {
    const { rulebook } = this.bundle
    return judge(rulebook, this.place.service, this.place.venue, { at: this.at, proof: this.proof, holds, active, used: this.used })
  }

  fresh(code) {
    const age = this.at - this.bundle.issuedAt
    if (!PASSING.includes(code) || (-CLOCK_SKEW <= age && age <= this.bundle.maxAge)) return code
    return age > this.bundle.maxAge ? "rules-too-old" : "clock-behind"
  }

  holds(rule, found, chip) {
    if (!rule.claim) return true
    const listed = this.bundle.claims.get(`${rule.claim} ${found.list}`)
    const age = listed?.age(this.at)
    if (!listed || found.index >= listed.capacity || age < -CLOCK_SKEW || age > this.bundle.maxAge) {
      return chip.category === MULTIPLE ? null : whoHolds(rule.who, chip, this.today)
    }
    if (listed.status(found.index) === 1) return true
    return found.issued < day(listed.issuedAt) ? false : null // a card made that day or later may not have been in it yet
  }
}

const PROOF_OF = { scanned: "qr", tapped: "tap", looked: "show", typed: "number" }

// `shown`: {how: "scanned", text} | {how: "tapped", fields, proven} | {how: "looked", valid_until, same, category?, grade?, area?, born?} |
// {how: "typed", number}; days as text, a chip's credential in hexadecimal digits.
export async function present(shown, { bundle, place, at, used = {} }) {
  const gate = new Gate(bundle, place, at, used, PROOF_OF[shown.how])
  if (!knows(bundle.rulebook, place)) return gate.answer("not-our-place")
  return gate[shown.how](shown)
}
