// What happens when something is shown: an answer of the core, an event in the log, perhaps a voucher. No document here.
import { KeySet, Refused, fromHex, present, publicKey, quota, toBase32, toBase64Url, voucher } from "../core/index.js"
import { keep, keepAsked, randomCode, sign, used } from "./log.js"
import { API, No, SHUT, askJson } from "./site.js"
import { get, put } from "./store.js"
import { sendAll } from "./sync.js"
import { meant, tap } from "./tap.js"

const ASKING = ["ask-online", "look-at-the-face", "list-missing", "list-too-old", "rules-too-old"]
const PATIENCE = 4000
const VIBRATIONS = { green: [80], red: [400, 100, 400], amber: [150, 100, 150] }
const TONES = { green: "pass", red: "stop", amber: "ask" }
const ELSE = ["voucher-elsewhere", "voucher-not-yet", "voucher-expired"] // a true voucher, for elsewhere or another time
const STRANGE = ["key-unknown", "key-not-yet", "key-revoked", "key-expired"] // whoever signed it is not known here now
const MINE = ["event-refused", "gate-unknown", "post-unknown"] // the site takes no use from this gate, whatever is shown
const TYPED = "typed " // before the id of a request about a typed voucher, until the site has answered it

const placeOf = (gate) => ({ operator: gate.operator, venue: gate.venue, service: gate.service })

// What the site is asked by: of a chip its signed code alone, for the register knows the rest.
const bare = (shown) => (shown.how === "tapped" ? { ...shown, fields: { credential: shown.fields.credential } } : shown)

// An answer of the app itself, in the shape of the core's.
export const own = (code, colour, more = {}) => ({
  code, colour, own: true, vouchers: [], ways: [], companions: 0, benefit: "", rule: "", subject: "", list: null, proof: "",
  tone: TONES[colour], vibration: VIBRATIONS[colour], ...more })

const silent = () => {}
const refusal = (no, at) => own(no.code, "red", { proof: "voucher", at, en: no.told.title, zh: no.told.title_zh })

export class Desk {
  // `trouble`: called where the site said no to something that has nothing to do with what is shown.
  constructor(gate, bundle, trouble = silent) {
    Object.assign(this, { gate, bundle, trouble })
  }

  // What the site says to this work: {told}, its answer; {no}, why it refuses the voucher or takes nothing from this gate;
  // {} where it is not reached in time or has troubles of its own, for these say nothing of who stands here. Throws where
  // it has shut this gate out.
  async within(work) {
    if (!navigator.onLine) return {}
    const late = new Promise((resolve) => { setTimeout(() => resolve({}), PATIENCE) })
    const asked = work().then((told) => ({ told }), (no) => {
      if (!(no instanceof No) || SHUT.includes(no.code)) throw no
      if (no.code.startsWith("voucher-")) return { no }
      if (no.code !== "offline") this.trouble(no)
      return MINE.includes(no.code) ? { no } : {}
    })
    return Promise.race([asked, late])
  }

  ask(path, body) {
    return this.within(() => askJson(this.gate, "POST", API + path, body))
  }

  event(answer, kind, at, more = {}) {
    return { kind, at, ...placeOf(this.gate), proof: answer.proof, code: answer.code, list: answer.list ?? this.bundle?.version ?? 0, ...more }
  }

  // A card, in whatever way it was shown. `early`: called with the gate's own answer while the site is asked for a better.
  async card(shown, at, early = silent) {
    if (!this.bundle) return own("no-bundle", "amber")
    const options = { bundle: this.bundle, place: placeOf(this.gate), at }
    let answer = await present(shown, options)
    if (this.limited(answer)) answer = await this.withinQuota(shown, answer, options, early)
    else if (ASKING.includes(answer.code)) answer = await this.asked(shown, answer, early)
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
  async withinQuota(shown, first, options, early) {
    if (navigator.onLine) early(own("asking", "amber"))
    const { told } = await this.within(async () => {
      await sendAll(this.gate, options.at)
      return askJson(this.gate, "POST", `${API}check`, { shown: bare(shown), service: this.gate.service })
    })
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

  async asked(shown, answer, early) {
    if (navigator.onLine) early(answer)
    const { told } = await this.ask("check", { shown: bare(shown), service: this.gate.service })
    return told ? { ...answer, ...told } : answer
  }

  // A card that is held to the reader. What speaks against a card is in the log; what is the gate's own matter is not.
  async tapped(agent, again, early = silent) {
    if (!this.bundle || !this.gate.plan) return own("no-bundle", "amber")
    const told = await tap(agent, this.gate.plan, again)
    const at = Date.now()
    if (!told.no) return this.card({ how: "tapped", ...told }, at, early)
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

  // A voucher that is shown: good once, here and now. Where the site can be reached, it has the last word; it alone
  // knows gates that this one does not.
  async voucher(text, at, early = silent) {
    if (!this.bundle) return own("no-bundle", "amber")
    let [sealed, payload, known] = [null, null, true]
    try {
      payload = voucher.fromText(text)
      sealed = voucher.decode(payload)
      known = await this.knows(sealed, at)
      voucher.checkPlace(sealed.voucher, placeOf(this.gate), at)
    } catch (bad) {
      if (!(bad instanceof Refused)) throw bad
      return this.refuse(ELSE.includes(bad.code) ? bad.code : "voucher-forged", at)
    }
    if (!known && !navigator.onLine) return own("voucher-strange", "amber", { at })
    return this.redeem(sealed.voucher, payload, { at, early, known })
  }

  // Whether one of the keys here signed this; false where the signer is a stranger to this gate. Throws `Refused`.
  async knows(sealed, at) {
    try {
      await voucher.checkSealed(sealed, await this.signers(), at)
      return true
    } catch (bad) {
      if (!(bad instanceof Refused) || !STRANGE.includes(bad.code)) throw bad
      return false
    }
  }

  async redeem(told, payload, { at, early, known }) {
    const name = toBase32(told.code)
    if (navigator.onLine && (await get("vouchers", name))?.startsWith(TYPED)) return this.typedVoucher(name, at, early)
    let [answer, shut] = [own("voucher-valid", "green", { proof: "voucher", companions: told.companions, at, told }), null]
    const event = this.event({ ...answer, code: "valid" }, "redeem", at, { rule: told.rule, gives: told.gives, companions: told.companions, voucher: name })
    const stood = await keepAsked(this.gate, event, name, async (line) => {
      if (navigator.onLine) early(own("asking", "amber"))
      const { told: taken, no } = await this.ask("redeem", { line, voucher: toBase64Url(payload) }).catch((fault) => {
        if (fault instanceof No) shut = fault
        else throw fault
        return { no: fault }
      })
      if (!taken && !no && !known) answer = own("voucher-strange", "amber", { at })
      if (!no) return taken ? "taken" : known ? "unknown" : "open"
      answer = no.code.startsWith("voucher-") ? refusal(no, at) : own("not-taken", "amber", { proof: "voucher", at })
      return this.event(answer, "refusal", at)
    })
    if (shut) throw shut
    return stood ? this.refuse(stood === "redeemed" ? "voucher-used" : "voucher-cancelled", at) : answer
  }

  // A voucher's code that was typed: only the site knows what it promises, and writes its use down itself. Until it has
  // answered, the same code is the same request: an answer that was lost on its way uses nothing up.
  // Windows of one device ask one after the other.
  typedVoucher(name, at, early = silent) {
    return navigator.locks.request("zhengka-gate-typed", () => this.useCode(name, at, early))
  }

  async useCode(name, at, early) {
    const how = await get("vouchers", name)
    if (how === "redeemed" || how === "cancelled") return this.refuse(how === "redeemed" ? "voucher-used" : "voucher-cancelled", at)
    if (!navigator.onLine) return own("voucher-online", "amber", { at })
    early(own("asking", "amber"))
    const id = how?.startsWith(TYPED) ? how.slice(TYPED.length) : crypto.randomUUID()
    await put("vouchers", TYPED + id, name)
    const { told, no } = await this.ask("redeem-code", { code: name, request_id: id })
    if (told || no) await put("vouchers", told ? "redeemed" : "refused", name)
    if (told) return own("voucher-valid", "green", { proof: "voucher", companions: told.companions, at, told })
    if (!no) return own("voucher-online", "amber", { at })
    if (MINE.includes(no.code)) return own("not-taken", "amber", { at })
    const answer = refusal(no, at)
    await keep(this.gate, this.event(answer, "refusal", at))
    return answer
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
