// The rules of one operator. Mirrors zhengka/formats/rulebook.py and judging.py. What a rulebook says is vouched for by
// the signed manifest that names its digest; its form is checked here all the same.
import { Refused, fromUtf8, same, utf8 } from "./bytes.js"

const [LONGEST, CHINA, DAY] = [1 << 20, 8 * 3600e3, 24 * 3600e3]
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
const MISSES = ["no-rule", "not-entitled", "inactive", "other-way", "wrong-time", "quota-used"]

// The one JSON of a value: keys in order, no spaces.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`
}

const [FIELDS, RULE_FIELDS] = ["en,format,off,operator,rules,sees,services,venues,worked,zh",
  "activated,bands,claim,companions,day,fen,first,id,last,minutes,month,price,proofs,service,venues,vouchers,who"]
const whole = (value, most) => Number.isInteger(value) && value >= 0 && value <= most
const among = (values, known) => Array.isArray(values) && values.length > 0 && values.every((each) => known.includes(each))

function checkRule(rule) {
  if (Object.keys(rule).sort().join() !== RULE_FIELDS) throw new Refused("rulebook-form")
  const good = ["free", "half", "fixed"].includes(rule.price) && (rule.fen > 0) === (rule.price === "fixed") && whole(rule.fen, 1e7)
    && whole(rule.companions, 9) && whole(rule.day, 999) && whole(rule.month, 9999) && whole(rule.minutes, 7 * 24 * 60) && rule.minutes > 0
    && among(rule.proofs, ["tap", "qr", "show", "number"]) && among(rule.vouchers, ["qr", "slip", "count"])
  if (!good) throw new Refused("rule-value")
}

export function parse(data) {
  if (data.length > LONGEST) throw new Refused("rulebook-form")
  let book
  try {
    book = JSON.parse(fromUtf8(data))
  } catch {
    throw new Refused("rulebook-form")
  }
  if (typeof book !== "object" || !Array.isArray(book?.rules)) throw new Refused("rulebook-form")
  if (book.format !== 1) throw new Refused("rulebook-format")
  if (!same(utf8(canonical(book)), data)) throw new Refused("rulebook-form")
  if (Object.keys(book).sort().join() !== FIELDS) throw new Refused("rulebook-form")
  if (!["verdict", "benefit"].includes(book.sees)) throw new Refused("rule-value")
  book.rules.forEach(checkRule)
  return book
}

export const localDay = (at) => new Date(at + CHINA).toISOString().slice(0, 10)

// What a day (as text) is: its weekday, `every`, and `working` or `off`, and `holiday`.
export function wordsOf(book, day) {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  const resting = book.off.includes(day) || (weekday % 6 === 0 && !book.worked.includes(day))
  return ["every", WEEKDAYS[weekday], resting ? "off" : "working", ...(book.off.includes(day) ? ["holiday"] : [])]
}

function inBand(book, band, at) {
  const minute = Math.floor(((at + CHINA) % DAY) / 60e3)
  const words = wordsOf(book, localDay(at))
  const month = Number(localDay(at).slice(5, 7))
  return (!band.months.length || band.months.includes(month)) && band.first <= minute && minute < band.last && words.some((word) => band.days.includes(word))
    && (band.holidays || !words.includes("holiday"))
}

// The rules that speak of a service at a venue on a day.
export function openRules(book, service, venue, day) {
  return book.rules.filter((rule) => rule.service === service && (!rule.venues.length || rule.venues.includes(venue))
    && rule.first <= day && (rule.last === null || day <= rule.last))
}

function tried(book, rule, { at, proof, holds, active, used }) {
  const held = holds(rule)
  const { day = 0, month = 0 } = used[rule.id] || {}
  if (held === false) return "not-entitled"
  if (rule.activated && !active) return "inactive"
  if (!rule.proofs.includes(proof)) return "other-way"
  if (rule.bands.length && !rule.bands.some((band) => inBand(book, band, at))) return "wrong-time"
  if ((rule.day && day >= rule.day) || (rule.month && month >= rule.month)) return "quota-used"
  return held === null ? "unknown" : "given"
}

// What the first rule gives that fits, or why none does: `given`, `unknown`, or the nearest miss of all.
export function judge(book, service, venue, asked) {
  let missed = { code: MISSES[0], rule: null }
  for (const rule of openRules(book, service, venue, localDay(asked.at))) {
    const code = tried(book, rule, asked)
    if (!MISSES.includes(code)) return { code, rule }
    if (MISSES.indexOf(code) > MISSES.indexOf(missed.code)) missed = { code, rule }
  }
  return missed
}

function birthday(born, years) {
  const [year, ...rest] = born.split("-")
  const day = `${String(Number(year) + years).padStart(4, "0")}-${rest.join("-")}`
  const real = new Date(`${day}T00:00:00Z`)
  return real.toISOString().slice(0, 10) === day ? day : day.replace(/29$/, "28")
}

const head = (area) => area.replace(/(?:00)+$/, "")

// Whether a person fulfils a condition on a day; null where something that it needs is not known.
export function whoHolds(who, person, on) {
  const answers = []
  if (who.kinds.length) {
    const found = [[person.category, person.grade], ...(who.components ? person.components || [] : [])]
    const fits = (kind) => found.some(([category, grade]) => (!kind.categories.length || kind.categories.includes(category))
      && (!kind.grades.length || kind.grades.includes(grade)))
    answers.push(person.category == null || person.grade == null ? null : who.kinds.some(fits))
  }
  if (who.areas.length) {
    const area = person.area == null ? null : String(person.area).padStart(12, "0")
    answers.push(area && who.areas.some((each) => area.startsWith(head(each))))
  }
  if (who.age_from || who.age_to) {
    answers.push(person.born == null ? null : on > birthday(person.born, who.age_from)
      && !(who.age_to && on > birthday(person.born, who.age_to + 1)))
  }
  return answers.includes(false) ? false : answers.includes(null) ? null : true
}
