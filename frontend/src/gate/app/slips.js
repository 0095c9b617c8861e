// The vouchers that were just made, on the screen or on slips: one, or one for each person.
import { drawn } from "./qr.js"

// `words`: {title, nth, where, what, until} of one voucher, by its number.
function fill(slip, { text, name }, words) {
  const part = (each) => slip.querySelector(`[data-${each}]`)
  part("qr").replaceChildren(drawn(text, words.nth || words.title))
  part("slip-nth").textContent = words.nth
  part("slip-code").textContent = name.match(/.{4}/g).join(" ")
  for (const each of ["where", "what", "until"]) part(`slip-${each}`).textContent = words[each]
}

// The first is the slip of the page itself; the others are copies of it, below, which go with the next voucher.
export function lay(made, wordsOf) {
  const [first, others] = [document.querySelector("[data-slip]"), document.querySelector("[data-slips]")]
  others.replaceChildren(...made.slice(1).map((each, at) => {
    const copy = first.cloneNode(true)
    copy.querySelector("h2").remove()
    fill(copy, each, wordsOf(each, at + 2))
    return copy
  }))
  fill(first, made[0], wordsOf(made[0], 1))
}
