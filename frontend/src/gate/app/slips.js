// The vouchers that were just made, on the screen or on slips: one, or one for each person.
import { drawn } from "./qr.js"

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name])

// For what and where a voucher is good, in words.
function whereTo(told, english, rulebook) {
  const of = (rows, id) => rows.find((each) => each.id === id)
  const named = [rulebook, of(rulebook.venues, told.venue), of(rulebook.services, told.service)].filter(Boolean)
  return named.map((each) => (english ? each.en : each.zh)).join(" · ")
}

function fill(slip, told, nth, texts, rulebook) {
  const english = texts.language === "en"
  const time = new Date(told.ends).toLocaleString(english ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" })
  const words = {
    nth, code: told.name.match(/.{4}/g).join(" "), where: whereTo(told, english, rulebook), until: filled(texts.until, { time }),
    what: told.companions ? filled(texts.companions, { n: told.companions }) : texts.alone }
  for (const [name, text] of Object.entries(words)) slip.querySelector(`[data-slip-${name}]`).textContent = text
  slip.querySelector("[data-qr]").replaceChildren(drawn(told.text, nth || document.getElementById("voucher-title").textContent))
}

// The first is the slip of the page itself; the others are copies of it, below, which go with the next voucher.
export function lay(made, texts, rulebook) {
  const [first, others] = [document.querySelector("[data-slip]"), document.querySelector("[data-slips]")]
  const slips = made.map((_, at) => (at ? first.cloneNode(true) : first))
  slips.slice(1).forEach((copy) => copy.querySelector("h2").remove())
  others.replaceChildren(...slips.slice(1))
  slips.forEach((slip, at) => fill(slip, made[at], made.length > 1 ? filled(texts.nth, { n: at + 1, of: made.length }) : "", texts, rulebook))
}
