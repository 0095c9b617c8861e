// The form for a certificate at which somebody looks: it asks for what the rules of this place need, and keeps nothing.
import { rulebook } from "../core/index.js"

const form = () => document.querySelector("[data-look]")
const field = (name) => form().elements[name]
const group = (name) => form().querySelector(`[data-field=${name}]`)
const NEEDED = { category: "kind", grade: "kind", area: "area", born: "born" }

// Which lines of a face are asked for by rules that let it prove.
function needs(book, gate) {
  const rules = rulebook.openRules(book, gate.service, gate.venue, rulebook.localDay(Date.now())).filter(({ proofs }) => proofs.includes("show"))
  const some = (asks) => rules.some(({ who }) => asks(who))
  return { kind: some((who) => who.kinds.length > 0), area: some((who) => who.areas.length > 0), born: some((who) => who.age_from > 0 || who.age_to > 0) }
}

// Says at a field that it is not filled in as it must be, or no more.
function mark(name, wrong) {
  const [own, no] = [group(name), document.getElementById(`look-${name}-no`)]
  const whole = own.querySelector("fieldset") ?? field(name)
  own.classList.toggle("govuk-form-group--error", wrong)
  no.hidden = !wrong
  if (wrong) whole.setAttribute("aria-describedby", no.id)
  else whole.removeAttribute("aria-describedby")
}

// Empty, with the fields that are needed here.
export function openLook(bundle, gate) {
  const needed = bundle ? needs(bundle.rulebook, gate) : {}
  form().reset()
  for (const name of ["until", "same", ...Object.keys(NEEDED)]) mark(name, false)
  for (const [name, need] of Object.entries(NEEDED)) group(name).hidden = !needed[need]
}

// What was read from the face, as the core takes it; null where something is missing: it is said there.
export function readLook() {
  const told = Object.fromEntries(["until", "same", ...Object.keys(NEEDED)].map((name) => [name, field(name).value.trim()]))
  const good = (name) => (name === "area" ? /^[1-9][0-9]{5}$/.test(told.area) : told[name] !== "")
  const asked = ["until", "same", ...Object.keys(NEEDED)].filter((name) => !group(name).hidden)
  const wrong = asked.filter((name) => !good(name))
  for (const name of asked) mark(name, wrong.includes(name))
  if (wrong.length) {
    group(wrong[0]).querySelector("input, select").focus()
    return null
  }
  form().reset()
  return {
    how: "looked", valid_until: told.until, same: told.same === "1",
    category: Number(told.category) || null, grade: Number(told.grade) || null,
    area: Number(told.area) * 1e6 || null, // a code of twelve digits
    born: told.born || null,
  }
}
