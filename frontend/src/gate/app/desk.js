// What happens when something is shown: an answer of the core, an event in the log, perhaps a voucher. No document here.
import { KeySet, Refused, fromHex, present, publicKey, quota, toBase32, toBase64Url, voucher } from "../core/index.js"
import { keep, keepAsked, randomCode, sign, used } from "./log.js"
import { API, No, askJson } from "./site.js"
import { get } from "./store.js"
import { sendAll } from "./sync.js"
import { meant, tap } from "./tap.js"

const ASKING = ["ask-online", "look-at-the-face", "list-missing", "list-too-old", "rules-too-old"]
const PATIENCE = 4000
const VIBRATIONS = { green: [80], red: [400, 100, 400], amber: [150, 100, 150] }
const TONES = { green: "pass", red: "stop", amber: "ask" }
const ELSE = ["voucher-elsewhere", "voucher-not-yet", "voucher-expired"] // a true voucher, for elsewhere or another time

const placeOf = (gate) => ({ operator: gate.operator, venue: gate.venue, service: gate.service })

// What the site is asked by: of a chip its signed code alone, for the register knows the rest.
const bare = (shown) => (shown.how === "tapped" ? { ...shown, fields: { credential: shown.fields.credential } } : shown)

// An answer of the app itself, in the shape of the core's.
export const own = (code, colour, more = {}) => ({
  code, colour, own: true, vouchers: [], ways: [], companions: 0, benefit: "", rule: "", subject: "", list: null, proof: "",
  tone: TONES[colour], vibration: VIBRATIONS[colour], ...more })

// What the site answers to this work, where it can be reached in time; null where not.
async function inTime(work) {
  const late = new Promise((resolve) => { setTimeout(() => resolve(null), PATIENCE) })
  const asked = work().catch((no) => {
    if (no instanceof No && no.code === "offline") return null
    throw no
  })
  return Promise.race([asked, late])
}

export const online = (gate, path, body) => inTime(() => askJson(gate, "POST", API + path, body))

export class Desk {
  constructor(gate, bundle) {
    Object.assign(this, { gate, bundle })
  }

  event(answer, kind, at, more = {}) {
    return { kind, at, ...placeOf(this.gate), proof: answer.proof, code: answer.code, list: answer.list ?? this.bundle?.version ?? 0, ...more }
  }

  // A card, in whatever way it was shown.
  async card(shown, at) {
    if (!this.bundle) return own("no-bundle", "amber")
    const options = { bundle: this.bundle, place: placeOf(this.gate), at }
    let answer = await present(shown, options)
    if (this.limited(answer)) answer = await this.withinQuota(shown, answer, options)
    else if (ASKING.includes(answer.code)) answer = await this.asked(shown, answer)
    if (answer.colour === "red" || answer.colour === "neutral") await keep(this.gate, this.event(answer, "refusal", at))
    return { ...answer, at, limited: Boolean(this.limited(answer)) }
  }

  // The rule by which an answer gives, where it has a quota and the answer says whose; null elsewhere.
  limited({ colour, rule, subject }) {
    const found = colour === "green" && subject ? this.bundle.rulebook.rules.find(({ id }) => id === rule) : null
    return found && (found.day || found.month) ? found : null
  }

  // What has a quota: the site, which knows what all gates told, has the last word. What this gate gave and did not tell
  // yet is sent first. Where the site cannot be reached, this gate gives no more than its own share.
  async withinQuota(shown, first, options) {
    const { gate } = this
    const ask = async () => {
      await sendAll(gate, options.at)
      return askJson(gate, "POST", `${API}check`, { shown: bare(shown), service: gate.service })
    }
    const told = navigator.onLine ? await inTime(ask).catch((no) => {
      if (!(no instanceof No)) throw no
      return null // what a no to this gate itself means, the next meeting finds out
    }) : null
    if (told) return { ...first, ...told }
    const given = await used(first.subject, options.at)
    const answer = await present(shown, { ...options, used: given })
    const rule = this.limited(answer)
    return !rule || await this.hasLeft(rule, given[rule.id], answer.subject) ? answer : own("quota-used", "amber", { proof: answer.proof })
  }

  // Whether this gate may give once more by itself, of all that it gave already.
  async hasLeft(rule, given, subject) {
    const gates = quota.serving(this.bundle.ring, rule)
    const left = async (period) => !rule[period] || (given?.[period] ?? 0) < await quota.share(rule[period], gates, this.gate.id, fromHex(subject))
    return await left("day") && left("month")
  }

  async asked(shown, answer) {
    const told = navigator.onLine ? await online(this.gate, "check", { shown: bare(shown), service: this.gate.service }) : null
    return told ? { ...answer, ...told } : answer
  }

  // A card that is held to the reader. What speaks against a card is in the log; what is the gate's own matter is not.
  async tapped(agent, again) {
    if (!this.bundle || !this.gate.plan) return own("no-bundle", "amber")
    const told = await tap(agent, this.gate.plan, again)
    const at = Date.now()
    if (!told.no) return this.card({ how: "tapped", ...told }, at)
    const [code, colour] = meant(told.no)
    const answer = own(code, colour, { proof: "tap", again: code === "tried-before", at })
    if (colour === "red") await keep(this.gate, this.event(answer, "refusal", at))
    return answer
  }

  // What has a quota is told at once, where there is a network: other gates ask the site about the same person.
  tell() {
    if (navigator.onLine) sendAll(this.gate, Date.now()).catch((no) => { if (!(no instanceof No)) throw no })
  }

  // Let pass without anything in the hand.
  count(answer) {
    return keep(this.gate, this.event(answer, "visit", answer.at, {
      rule: answer.rule, gives: answer.benefit, companions: answer.companions, subject: answer.subject }))
  }

  // A voucher for one use, signed by this gate, in the log before it is shown.
  async issue(answer) {
    const { gate } = this
    const [code, begins] = [randomCode(), Math.floor(answer.at / 1000) * 1000]
    const told = { ...placeOf(gate), code, rule: answer.rule, gives: answer.benefit, companions: answer.companions, begins, ends: begins + answer.minutes * 60e3 }
    const payload = await voucher.encode(told, { keyId: gate.keyId, sign: (bytes) => sign(gate.key.privateKey, bytes) })
    const name = toBase32(code)
    await keep(gate, this.event(answer, "issue", answer.at, {
      rule: told.rule, gives: told.gives, companions: told.companions, subject: answer.subject, voucher: name, from: begins, until: told.ends }), [name, "issued"])
    return { ...told, name, text: voucher.toText(payload, location.origin), payload }
  }

  // One for the holder, who comes first, and one for each companion; none of them brings anybody along. A companion's is
  // nobody's: it counts for no quota.
  async issueEach(answer) {
    const [alone, made] = [{ ...answer, companions: 0 }, []]
    for (let each = 0; each < answer.companions; each++) made.push(await this.issue({ ...alone, subject: "" }))
    return [await this.issue(alone), ...made]
  }

  async cancel(made, at) {
    await keep(this.gate, this.event({ proof: "", code: "valid" }, "cancel", at, { voucher: made.name }), [made.name, "cancelled"])
  }

  async refuse(code, at) {
    const answer = own(code, "red", { proof: "voucher", at })
    await keep(this.gate, this.event(answer, "refusal", at))
    return answer
  }

  // A voucher that is shown: good once, here and now. Where the site can be reached, it has the last word.
  async voucher(text, at) {
    if (!this.bundle) return own("no-bundle", "amber")
    let [sealed, payload] = [null, null]
    try {
      payload = voucher.fromText(text)
      sealed = voucher.decode(payload)
      await voucher.checkSealed(sealed, await this.signers(), at)
      voucher.checkPlace(sealed.voucher, placeOf(this.gate), at)
    } catch (bad) {
      if (!(bad instanceof Refused)) throw bad
      return this.refuse(ELSE.includes(bad.code) ? bad.code : "voucher-forged", at)
    }
    return this.redeem(sealed.voucher, payload, at)
  }

  async redeem(told, payload, at) {
    const name = toBase32(told.code)
    const here = await get("vouchers", name)
    if (here === "redeemed" || here === "cancelled") return this.refuse(here === "redeemed" ? "voucher-used" : "voucher-cancelled", at)
    let answer = own("voucher-valid", "green", { proof: "voucher", companions: told.companions, at, told })
    const event = this.event({ ...answer, code: "valid" }, "redeem", at, { rule: told.rule, gives: told.gives, companions: told.companions, voucher: name })
    await keepAsked(this.gate, event, [name, "redeemed"], async (line) => {
      const no = navigator.onLine ? await this.askToRedeem(line, payload) : null
      if (no === null || no === "") return no === "" ? "taken" : "unknown"
      answer = own(no, "red", { proof: "voucher", at })
      return this.event(answer, "refusal", at)
    })
    return answer
  }

  // A voucher's code that was typed: only the site knows what it promises, and writes its use down itself.
  async typedVoucher(name, at) {
    if (["redeemed", "cancelled"].includes(await get("vouchers", name))) return this.refuse("voucher-used", at)
    try {
      const told = navigator.onLine ? await online(this.gate, "redeem-code", { code: name, request_id: crypto.randomUUID() }) : null
      return told ? own("voucher-valid", "green", { proof: "voucher", companions: told.companions, at, told }) : own("voucher-online", "amber", { at })
    } catch (no) {
      if (!(no instanceof No) || !no.code.startsWith("voucher-")) throw no
      return this.refuse(no.code, at)
    }
  }

  // Why the site refuses; "" where it does not, null where it did not answer in time or could not say.
  async askToRedeem(line, payload) {
    try {
      return await online(this.gate, "redeem", { line, voucher: toBase64Url(payload) }) ? "" : null
    } catch (no) {
      if (!(no instanceof No)) throw no
      return no.code.startsWith("voucher-") ? no.code : null
    }
  }

  // Keys of this operator's gates, the platform's own, and this gate's.
  async signers() {
    const { gates, keys } = this.bundle
    const all = [...keys.keys, ...gates.keys].filter(([, each]) => each.purposes.includes("voucher"))
    const mine = { key: await publicKey("INTL", this.gate.point), notBefore: 0, notAfter: Infinity, revokedAt: null, purposes: ["voucher"] }
    const found = new KeySet()
    found.keys = new Map([...all, [mine.key.keyId, mine]])
    return found
  }
}
