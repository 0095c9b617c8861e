// Single keys for frequent acts: data-shortcut="a" on a link, button or field. They sleep while one types,
// `?` lists them, and the list has a switch that turns them off for good (WCAG 2.1.4).
import { rows as tableRows, useRowKey } from "./rows.js"

const OFF = "zk-keys-off"
const TYPING = "input, textarea, select, [contenteditable]"
const TICKS = ["checkbox", "radio", "button", "submit", "file"]

function isTyping(target) {
  return target.matches?.(TYPING) && !TICKS.includes(target.type)
}

function bound() {
  return [...document.querySelectorAll("[data-shortcut]")].filter((part) => !part.disabled && part.getClientRects().length)
}

function use(part) {
  part.focus()
  if (part.matches("input, textarea")) part.select() // what is typed next takes the place of the old words
  if (!part.matches("input, textarea, select")) part.click()
}

function list(dialog) {
  const rows = bound().map((part) => {
    const row = document.createElement("tr")
    const key = document.createElement("th")
    const mark = document.createElement("kbd")
    const act = document.createElement("td")
    key.scope = "row"
    mark.textContent = part.dataset.shortcut
    act.textContent = part.dataset.shortcutLabel || part.getAttribute("aria-label") || part.textContent.replace(/\s+/g, " ").trim()
    key.append(mark)
    row.append(key, act)
    return row
  })
  dialog.querySelector("[data-keys-list]").replaceChildren(...rows)
  const walks = tableRows().length > 0
  dialog.querySelector("[data-keys-rows]").hidden = !walks
  dialog.querySelector("[data-keys-none]").hidden = walks || rows.length > 0
  dialog.querySelector("table").hidden = !walks && rows.length === 0
}

export function bindKeys() {
  const dialog = document.getElementById("zk-keys")
  if (!dialog) return
  const toggle = dialog.querySelector("[data-keys-switch]")
  const root = document.documentElement
  const off = () => localStorage.getItem(OFF) === "1"
  const show = () => root.classList.toggle("zk-no-keys", off())
  const open = () => {
    if (dialog.open) return
    list(dialog)
    toggle.checked = !off()
    dialog.showModal()
  }

  show()
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(OFF)
    else localStorage.setItem(OFF, "1")
    show()
  })
  for (const button of document.querySelectorAll("[data-keys-open]")) {
    button.hidden = false
    button.addEventListener("click", open)
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (isTyping(event.target) || dialog.open || off()) return
    if (event.key === "?") {
      event.preventDefault()
      open()
      return
    }
    const part = bound().find((each) => each.dataset.shortcut === event.key.toLowerCase())
    if (!part && !useRowKey(event.key.toLowerCase())) return
    event.preventDefault()
    if (part) use(part)
  })
}
